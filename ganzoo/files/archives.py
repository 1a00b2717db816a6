"""Zips of any origin: members are read one by one, within bounds, and never put on disk."""

import zipfile

MOST = 1 << 28
"""Bytes that a member may unpack to, 256 MiB, unless the zip itself is large: see `RATIO`."""
RATIO = 50
"""How many times as long as in the zip a member may be that is larger than `MOST`."""
TEXT = 1 << 20
"""Bytes of JSON in a model file: 1 MiB, where a few thousand are usual."""


def read(archive, name, most=None):
    """The content of a member.

    What a member says of its own length is not trusted: no more is unpacked than is allowed.

    Args:
        archive: a `zipfile.ZipFile`.
        name: of the member, which is never taken for a path.
        most: bytes that it may have; None: `MOST`, or `RATIO` times what it has in the zip.

    Raises:
        ValueError: it has more, is encrypted, or is packed in a way that gives no bounds.
        Exception: of any kind, where it is damaged or absent.
    """
    info = archive.getinfo(name)
    check(archive, info, most)
    most = _most(archive, info) if most is None else most
    with archive.open(info) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it unpacks to more than {most:,} bytes")
    return content


def check(archive, info, most=None):
    """Raise a `ValueError` where what the zip says of a member is reason enough not to read it."""
    most = _most(archive, info) if most is None else most
    if info.flag_bits & 1:
        raise ValueError("it is encrypted: make the zip again, without a password")
    # The others unpack as much as they like at once, whatever they are asked for.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(
            f"it is compressed by method {info.compress_type}: make the zip again, with the usual "
            "one (deflate) or with none"
        )
    if info.file_size > most:
        raise ValueError(f"it unpacks to {info.file_size:,} bytes, more than {most:,}")


def _most(archive, info):
    inside = min(info.compress_size, archive.start_dir)  # no member is longer than all of them
    return max(MOST, RATIO * inside)
