"""onnxruntime-web, which runs a model in the browser: its two files, as npm publishes them.

They are fourteen times as large as all of ganzoo's code, and few exports need them: they do not
come with the package.
"""

import hashlib
import pathlib
import tarfile
import zlib

from ganzoo import types
from ganzoo.files import downloads

VERSION = "1.30.0"
"""The version of onnxruntime-web that pages are written for and tested with."""
SCRIPT, BINARY = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
"""The package's smallest build: WebAssembly only. With one thread a page needs no special headers
of its server."""
HASHES = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""SHA-256 of each file."""
MOST = 1 << 24
"""Bytes that each may have: 16 MiB."""
ADDRESS = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist/"
PACK = f"npm pack onnxruntime-web@{VERSION}"
"""The command that fetches them."""
PLACES = ("", "dist", "package/dist", "node_modules/onnxruntime-web/dist")
"""Folders of them inside a folder that npm writes."""


def find(path: types.Path | None = None) -> dict[str, bytes]:
    """The files of onnxruntime-web, checked by their hashes.

    Args:
        path: the `.tgz` that `npm pack` writes, or a folder: the unpacked package, or one where
            `npm install` put it. None: the cache folder, or one download into it.

    Returns:
        A dict from `SCRIPT` and `BINARY` to their bytes.

    Raises:
        ValueError: a file is missing, damaged or of another version.
        OSError: there is no such path, or no network.
    """
    if path is None:
        return {name: _fetched(name) for name in HASHES}
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}. {_mend()}")
    found = _unpacked(path) if path.is_file() else _in_folder(path)
    for name, digest in HASHES.items():
        if name not in found:
            raise ValueError(f"{str(path)!r} has no {name} of onnxruntime-web. {_mend()}")
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise ValueError(
                f"{name} in {str(path)!r} is damaged, or not of onnxruntime-web {VERSION}. "
                f"{_mend()}"
            )
    return found


def _mend():
    return f"Type `{PACK}`, and pass what it writes: `--runtime onnxruntime-web-{VERSION}.tgz`."


def _fetched(name):
    place = f"onnxruntime-web-{VERSION}/{name}"
    try:
        path = downloads.fetch(ADDRESS + name, HASHES[name], place, most=MOST)
    except (OSError, ValueError) as error:
        kind = OSError if isinstance(error, OSError) else ValueError
        raise kind(f"The page needs onnxruntime-web {VERSION}. {_mend()} ({error})") from None
    return path.read_bytes()


def _in_folder(path):
    places = [path / place for place in PLACES]
    has_one = lambda place: any((place / name).is_file() for name in HASHES)
    folder = next(filter(has_one, places), path)
    return {name: (folder / name).read_bytes() for name in HASHES if (folder / name).is_file()}


def _unpacked(path):
    """The files in an archive; none is written to disk."""
    wanted = {f"package/dist/{name}": name for name in HASHES}
    found = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.name in wanted and member.isfile() and member.size <= MOST:
                    found[wanted[member.name]] = archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ValueError(
            f"{str(path)!r} is no archive of npm's, or damaged ({error}). {_mend()}"
        ) from None
    return found
