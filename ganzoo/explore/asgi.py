"""The page as an ASGI application: its files, its requests, and which of them are refused."""

import asyncio
import ipaddress
import json
import logging
import pathlib
import urllib.parse
from typing import Any

from ganzoo import validation
from ganzoo.explore.answers import REQUESTS
from ganzoo.explore.answers import Answers
from ganzoo.explore.explorer import Explorer
from ganzoo.explore.models import Entry
from ganzoo.explore.uploads import MOST_BYTES

FOLDER = pathlib.Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""The files in `FOLDER` that are served, and no others."""
MOST_WORDS = 1_000_000
"""Largest request without a file, in bytes."""
MOST_SECONDS = 60
"""Time for a visitor to send a request."""
HEADERS = {
    # The browser itself refuses whatever is not from here, and shows the page within no other one.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
MISSING = "The page needs Starlette and Uvicorn: `pip install 'ganzoo[explore]'`."
USER_ERRORS = (ValueError, TypeError, OSError, ImportError)


class _TooLarge(Exception):
    """A request is larger than allowed."""


def application(entries: dict[str, Entry], only_from_here: bool = True) -> Any:
    """The page as an ASGI application, such as Uvicorn serves.

    Args:
        entries: `{title: Entry}`.
        only_from_here: refuse requests that do not name this machine as their host and origin.

    Raises:
        ImportError: Starlette is not installed.
        ValueError: there are no models.
    """
    try:
        from starlette import applications
        from starlette import middleware
        from starlette import routing
    except ImportError:
        raise ImportError(MISSING) from None
    page = _Page(Answers(Explorer(entries)))
    around = [middleware.Middleware(_OnlyFromHere)] if only_from_here else []
    routes = [
        routing.Route("/", page.file),
        routing.Route("/{name}", page.file),
        routing.Route("/ask/{what}", page.ask, methods=["POST"]),
        routing.Route("/upload", page.upload, methods=["POST"]),
    ]
    return applications.Starlette(routes=routes, middleware=around)


class _Page:
    """The handlers of requests."""

    def __init__(self, answers):
        self.answers = answers
        self.files = {path.name: path for path in FOLDER.iterdir() if path.suffix in TYPES}

    async def file(self, request):
        """One of the page's own files."""
        from starlette import responses

        path = self.files.get(request.path_params.get("name", "index.html"))
        if path is None:
            return responses.PlainTextResponse("There is no such page.", 404, HEADERS)
        return responses.Response(path.read_bytes(), 200, HEADERS, TYPES[path.suffix])

    async def ask(self, request):
        """A request whose fields are a JSON object."""

        async def read():
            # Other sites can send forms, but no JSON.
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                raise ValueError("A request must be of the type application/json.")
            what, asked = request.path_params["what"], [x for x in REQUESTS if x != "through"]
            if what not in asked:
                raise validation.unknown("request", what, asked)
            try:
                return what, json.loads(await _body(request, MOST_WORDS))
            except RecursionError:
                raise ValueError("This JSON is nested too deeply.") from None

        return await self._reply(read)

    async def upload(self, request):
        """A request whose body is an image file; its fields are in the address."""

        async def read():
            fields = dict(request.query_params)
            fields["reverse"] = fields.get("reverse") == "true"
            return "through", {**fields, "content": await _body(request, MOST_BYTES)}

        return await self._reply(read)

    async def _reply(self, read):
        """The answer to the request that `read` reads, or an error in words."""
        from starlette import concurrency
        from starlette import responses

        try:
            found = await concurrency.run_in_threadpool(self.answers, *await read())
            if isinstance(found, bytes):
                return responses.Response(found, 200, HEADERS, "application/octet-stream")
            return responses.JSONResponse(found, 200, HEADERS)
        except _TooLarge as error:
            text, status = str(error), 413
        except TimeoutError:  # an OSError, too
            text, status = "The request took too long.", 408
        except USER_ERRORS as error:
            text, status = str(error), 400
        except Exception:
            logging.getLogger("ganzoo.explore").exception("A request failed.")
            text, status = "This failed. The terminal of `ganzoo explore` shows why.", 500
        return responses.JSONResponse({"error": text}, status, HEADERS)


async def _body(request, most):
    """The body of a request, which is kept in memory and nowhere else."""
    content = bytearray()
    async with asyncio.timeout(MOST_SECONDS):
        async for part in request.stream():
            content += part
            if len(content) > most:
                raise _TooLarge(f"The maximum allowed size is {most / 1_000_000:g} MB.")
    return bytes(content)


class _OnlyFromHere:
    """ASGI middleware that refuses requests from other sites.

    Any site that is open in a browser can make it send requests to this machine; a site whose name
    resolves to 127.0.0.1 can also read the answers. The headers `Host` and `Origin` reveal it.
    """

    revealing = (b"host", b"origin")

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        from starlette import responses

        headers = scope.get("headers", ())
        hosts = [value.decode("latin-1") for key, value in headers if key in self.revealing]
        if all(map(self._names_here, hosts)):
            return await self.app(scope, receive, send)
        refusal = responses.PlainTextResponse("This page is for its own machine only.", 403)
        await refusal(scope, receive, send)

    def _names_here(self, text):
        try:
            return is_here(urllib.parse.urlsplit(text if "//" in text else f"//{text}").hostname)
        except ValueError:
            return False


def is_here(name: str | None) -> bool:
    """Whether a host's name or address is a loopback address.

    >>> is_here("localhost"), is_here("::1"), is_here("example.org")
    (True, True, False)
    """
    try:
        return name == "localhost" or ipaddress.ip_address(name or "").is_loopback
    except ValueError:
        return False
