"""Files from the net: fetched once, checked by their hash, kept in a cache folder."""

import os
import pathlib
import sys

TIMEOUT = (5, 10)
"""Seconds to wait for a connection, and for the next bytes."""


def folder():
    """The cache folder: `$GANZOO_CACHE`, or the system's place for caches. It need not exist."""
    import pooch

    return pathlib.Path(os.environ.get("GANZOO_CACHE") or pooch.os_cache("ganzoo")).expanduser()


def fetch(url, sha256, name, or_else=""):
    """A file from the net, or from the cache folder if it is there already.

    Args:
        url: where it is, http or https.
        sha256: its hash, in hexadecimal. A cached file with another one is fetched again.
        name: what to call it in the cache folder.
        or_else: words for the error messages: another mend than to fill the cache by hand.

    Returns:
        Its path.

    Raises:
        OSError: there is no connection, the server does not have it, or the cache folder cannot
            be written. Without a connection that takes some ten seconds at most.
        ValueError: the net has another file than the one that is wanted.

    A file that failed leaves nothing in the cache folder.

    Example:

    >>> fetch("https://example.org/a.bin", 64 * "0", "a.bin")  # doctest: +SKIP
    PosixPath('/home/me/.cache/ganzoo/a.bin')
    """
    import pooch
    import requests

    path = folder() / name
    mend = (
        f"Or get {url} by hand and put it at {str(path)!r} (the environment variable GANZOO_CACHE "
        f"names another folder){or_else}."
    )
    known = f"sha256:{sha256}"
    # The bar is for people; in a log it would be a thousand lines.
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT, progressbar=sys.stderr.isatty())
    try:
        pooch.retrieve(url, known, fname=name, path=path.parent, downloader=downloader)
    except requests.RequestException as error:
        raise OSError(
            f"{name!r} could not be downloaded ({_reason(error)}). Try again later. {mend}"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"What {url} sent is not the file that is wanted: its SHA-256 differs from {sha256}. "
            f"Try again later, or through another network. {mend}"
        ) from error
    except OSError as error:
        raise OSError(
            f"The cache folder {str(path.parent)!r} cannot be read or written "
            f"({error.strerror or error}). Make it writable. {mend}"
        ) from error
    return path


def _reason(error):
    """A few words for an error of `requests`, whose own text is a chain of objects."""
    import requests

    if getattr(error, "response", None) is not None:
        error.response.close()  # pooch leaves it open
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return f"no connection: {type(error).__name__}"
    return str(error)
