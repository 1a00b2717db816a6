"""Untrusted zips: members are read one by one, within size limits, and never written to disk."""

import zipfile

MOST = 1 << 28
"""Most bytes that a member may unpack to: 256 MiB, unless the zip itself is large (see `RATIO`)."""
RATIO = 50
"""A member larger than `MOST` may unpack to this many times its size in the zip."""
TEXT = 1 << 20
"""Most bytes of JSON in a model file: 1 MiB; a few thousand are usual."""


def read(archive, name, most=None):
    """The content of a member.

    The length that a member declares is not trusted: no more is unpacked than is allowed.

    Args:
        archive: a `zipfile.ZipFile`.
        name: of the member; it is never used as a path.
        most: bytes that it may unpack to; None: `MOST`, or `RATIO` times its size in the zip.

    Raises:
        ValueError: it is larger, encrypted, or compressed by a method that cannot be limited.
        Exception: of any kind, if it is damaged or missing.
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
    """Raise a `ValueError` if the header of a member already shows that it must not be read."""
    most = _most(archive, info) if most is None else most
    if info.flag_bits & 1:
        raise ValueError("it is encrypted: make the zip again, without a password")
    # Other methods may unpack far more at once than the number of bytes requested.
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
