"""A lock that lets one process at a time write to a folder, and ends with that process.

The operating system locks an open file; the file by itself locks nothing, so a killed process
leaves no lock behind. All paths to a folder lead to the same file, and so to the same lock.
"""

import contextlib
import errno
import json
import os
import pathlib
import socket
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator

from ganzoo import types

FILE = ".lock"
"""The name of the lock file, which exists only while a process holds the folder."""

_HELD = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, getattr(errno, "EDEADLOCK", errno.EAGAIN))
_ours: set[int] = set()

if sys.platform == "win32":
    import msvcrt

    def _take(number):
        os.lseek(number, 0, os.SEEK_SET)
        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(number):
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _close_inherited():
    """Close the parent's locks in a forked process, which must not outlive the parent there."""
    while _ours:
        with contextlib.suppress(OSError):
            os.close(_ours.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)


@contextlib.contextmanager
def alone(folder: types.Path, warn: Callable[[str], object]) -> Iterator[None]:
    """Lock a folder against other processes and threads; it is created if it does not exist.

    A folder that was created for this and stays empty is removed at the end. On a file system
    without locks a warning says so and nothing is locked; in a read-only folder nothing is locked.

    Args:
        folder: any path to it.
        warn: called with a line of text.

    Raises:
        BlockingIOError: another process, or another thread, holds the folder.
        OSError: the folder cannot be made.

    Example:

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with alone(folder, print):
    ...     print(holder(folder) is not None)
    True
    >>> holder(folder) is None
    True
    """
    folder = pathlib.Path(folder)
    made = [p for p in (folder, *folder.parents) if not p.exists()]
    number = None
    try:
        try:
            number = _wait(folder)
        except BlockingIOError:
            raise BlockingIOError(
                f"Another training writes to {str(folder)!r}: {_writer(folder / FILE)}. Wait until "
                "it ends, or stop it; or choose another folder with --out (`out=`)."
            ) from None
        except OSError as error:
            if not folder.is_dir():
                raise
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                warn(
                    f"{str(folder)!r} cannot be locked ({error.strerror or error}): make sure that "
                    "no other training writes there."
                )
        yield
    finally:
        if number is not None:
            _release(number, folder / FILE)
        for path in made:
            with contextlib.suppress(OSError):  # it is not empty
                path.rmdir()


def holder(folder: types.Path) -> str | None:
    """The holder of a folder, `"process 4711 on apollo, since 2026-03-01 12:00:00"`; or None."""
    path = pathlib.Path(folder) / FILE
    try:
        os.close(_open(path, os.O_RDWR))
    except BlockingIOError:
        return _writer(path)
    except OSError:
        pass
    return None


def _wait(folder):
    """The open and locked file. Another process may look at the lock, or remove it, meanwhile."""
    for pause in (*[0.01] * 30, None):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            number = _open(folder / FILE, os.O_RDWR | os.O_CREAT)
        except (BlockingIOError, FileNotFoundError, FileExistsError):
            # The last of them if the folder is removed while `mkdir` looks at it.
            if pause is None:
                raise
            time.sleep(pause)
        else:
            _ours.add(number)
            holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
            with contextlib.suppress(OSError):  # such as a full disk: it is locked all the same
                os.ftruncate(number, 0)
                # On Windows other processes cannot read the first byte, which is the locked one.
                os.lseek(number, 0, os.SEEK_SET)
                os.write(number, b"\n" + json.dumps(holder).encode() + b"\n")
            return number


def _open(path, flags):
    """A locked file, as a number; `BlockingIOError` if another has locked it."""
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(path, flags, 0o666)
    except PermissionError as error:
        try:
            number = os.open(path, os.O_RDONLY)  # left by another user's process
        except FileNotFoundError:
            raise error from None
    try:
        _take(number)
        if not os.path.samestat(os.fstat(number), os.stat(path)):
            raise FileNotFoundError  # its former holder has removed it: it locks nothing
    except OSError as error:
        os.close(number)
        if error.errno in _HELD:
            raise BlockingIOError(*error.args) from None
        raise
    return number


def _release(number, path):
    if number not in _ours:  # in a forked process
        return
    _ours.discard(number)
    if sys.platform == "win32":  # an open file cannot be removed
        os.close(number)
    with contextlib.suppress(OSError):
        path.unlink()
    if sys.platform != "win32":
        os.close(number)


def _writer(path):
    """The process that wrote a lock file, in words."""
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(1)
            holder = json.loads(file.read(4096))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since"]))
        return f"process {holder['pid']:d} on {holder['host']}, since {since}"
    except Exception:  # it is written after it is locked, and may belong to another program
        return "an unknown process"
