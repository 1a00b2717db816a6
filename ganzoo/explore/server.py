"""The server of the page, which refuses requests from other sites."""

import ipaddress
import logging
import socket
import urllib.parse

from ganzoo import validation
from ganzoo.explore.explorer import MOST_BYTES
from ganzoo.explore.explorer import Entry
from ganzoo.explore.page import CSS
from ganzoo.explore.page import page


def _is_here(name):
    """Whether a host's name or address (or None) is a loopback address."""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _OnlyFromHere:
    """ASGI middleware that refuses requests from other sites.

    Any site that is open in a browser can make it send requests to this machine; a site whose name
    resolves to 127.0.0.1 can also read the answers. The headers `Host` and `Origin` reveal it.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        from starlette import responses  # comes with Gradio

        headers = scope.get("headers", ())
        hosts = [value.decode("latin-1") for key, value in headers if key in self.revealing]
        if all(map(self._names_here, hosts)):
            return await self.app(scope, receive, send)
        refusal = responses.PlainTextResponse("This page is for its own machine only.", 403)
        await refusal(scope, receive, send)

    revealing = (b"host", b"origin")

    def _names_here(self, text):
        try:
            return _is_here(urllib.parse.urlsplit(text if "//" in text else f"//{text}").hostname)
        except ValueError:
            return False


def launch(
    entries: dict[str, Entry],
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    block: int = True,
) -> str:
    """Serve the page, to this machine only unless you name another host.

    Visitors can use the models in `entries` and no others, and upload images within `MOST_BYTES`,
    `MOST_PIXELS` and `FORMATS`. There are no passwords.

    Args:
        entries: `{title: Entry}`.
        host, port: address to serve on: 127.0.0.1 for this machine only, 0.0.0.0 for all its
            addresses.
        open_browser: open the page in a browser.
        block: serve until interrupted.

    Returns:
        The address.

    Raises:
        ImportError: Gradio is not installed.
        OSError: the port is in use.
    """
    validation.integer("port", port, least=0)
    port = _free_port(host, port)  # fails before the work
    # TensorFlow warns of retracing, but each model's function is compiled once.
    logging.getLogger("tensorflow").addFilter(lambda r: "retracing" not in r.getMessage())
    blocks = page(entries)
    import gradio as gr
    from starlette import middleware

    around = [middleware.Middleware(_OnlyFromHere)] if _is_here(host) else []
    theme = gr.themes.Default(font="system-ui", font_mono="monospace")  # none from the network
    _, address, _ = blocks.launch(
        server_name=host,
        server_port=port,
        share=False,
        inbrowser=open_browser,
        prevent_thread_lock=True,
        quiet=True,
        max_file_size=MOST_BYTES,
        app_kwargs={"middleware": around},
        theme=theme,
        enable_monitoring=False,
        ssr_mode=False,
        run_history=False,
        footer_links=[],
        css=CSS,
    )
    if block:
        blocks.block_thread()
    return address


def _free_port(host, port):
    """The port, or any free one for 0.

    Raises:
        OSError: the port is in use.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError:
            raise ValueError(f"`port` must be 0..65535. Received: {port}.") from None
        except OSError as error:
            raise OSError(
                f"{host}:{port} cannot be served ({error.strerror}): choose another with --port, "
                "or 0 for any free one."
            ) from None
        return probe.getsockname()[1]
