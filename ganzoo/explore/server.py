"""The server of the page."""

import socket
import threading
import webbrowser

from ganzoo import validation
from ganzoo.explore.asgi import MISSING
from ganzoo.explore.asgi import application
from ganzoo.explore.asgi import is_here
from ganzoo.explore.models import Entry

MOST_CONNECTIONS = 100
"""Most connections at a time; further ones are refused. A browser opens up to six."""


def launch(
    entries: dict[str, Entry],
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    block: bool = True,
) -> str:
    """Serve the page, to this machine only unless you name another host.

    Visitors can use the models in `entries` and no others, and upload images within `MOST_BYTES`,
    `MOST_PIXELS` and `FORMATS`. There are no passwords.

    Args:
        entries: `{title: Entry}`; the page opens with the first.
        host, port: address to serve on: 127.0.0.1 for this machine only, 0.0.0.0 for all its
            addresses.
        open_browser: open the page in a browser.
        block: serve until interrupted.

    Returns:
        The address.

    Raises:
        ImportError: Starlette or Uvicorn is not installed.
        OSError: the port is in use.
    """
    try:
        import uvicorn
    except ImportError:
        raise ImportError(MISSING) from None
    validation.integer("port", port, least=0)
    place = _bound(host, port)  # fails before the work
    page = application(entries, only_from_here=is_here(host))
    options = {"lifespan": "off", "ws": "none", "limit_concurrency": MOST_CONNECTIONS}
    server = uvicorn.Server(uvicorn.Config(page, log_level="warning", **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{place.getsockname()[1]}/"
    if open_browser:
        webbrowser.open(address)
    if block:
        thread.join()
    return address


def _bound(host, port):
    """A socket that listens at the port, or at any free one for 0.

    Raises:
        OSError: the port is in use.
    """
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
        place.listen()  # requests wait from here on
    except OverflowError:
        place.close()
        raise ValueError(f"`port` must be 0..65535. Received: {port}.") from None
    except OSError as error:
        place.close()
        raise OSError(
            f"{host}:{port} cannot be served ({error.strerror}): choose another with --port, or 0 "
            "for any free one."
        ) from None
    return place
