"""One process at a time in a folder, whatever path leads there and however the process ends."""

import errno
import os
import pathlib
import subprocess
import sys
import threading

import pytest

from ganzoo.files import locks

# Holds a folder, says so, and waits until its input ends.
HOLDS = """
import sys
from ganzoo.files import locks
with locks.alone(sys.argv[1], print):
    print("held", flush=True)
    sys.stdin.read()
"""
# The same; before it waits, it starts a process of its own that waits as well.
FORKS = HOLDS.replace(
    "    sys.stdin.read()",
    """    import os
    if os.fork():
        sys.stdin.read()
    else:
        os.close(1)
        os.read(int(sys.argv[2]), 1)
        os._exit(0)""",
)
STARTS = HOLDS.replace(
    "    sys.stdin.read()",
    """    import subprocess
    waits = f"import os; os.read({sys.argv[2]}, 1)"
    subprocess.Popen(
        [sys.executable, "-c", waits], pass_fds=[int(sys.argv[2])], stdout=subprocess.DEVNULL
    )
    sys.stdin.read()""",
)


def _start(program, *words, **options):
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout.readline() == "held\n"
    return process


def _end(process):
    process.kill()
    process.communicate()


def _free(folder):
    """Whether this process can hold the folder."""
    try:
        with locks.alone(folder, pytest.fail):
            return True
    except BlockingIOError:
        return False


@pytest.fixture
def held(tmp_path):
    """A folder that another process holds, and the process."""
    process = _start(HOLDS, tmp_path / "run")
    yield tmp_path / "run", process
    _end(process)


def test_a_second_process_is_refused_and_told_who_holds_the_folder(held):
    folder, process = held
    before = (folder / locks.FILE).read_bytes()
    with pytest.raises(BlockingIOError, match=f"process {process.pid} on .*--out") as error:
        with locks.alone(folder, pytest.fail):
            pass
    assert repr(str(folder)) in str(error.value)
    assert (folder / locks.FILE).read_bytes() == before
    assert f"process {process.pid}" in locks.holder(folder)
    process.communicate("")  # it ends by itself
    assert locks.holder(folder) is None
    assert _free(folder)


def test_every_path_to_a_folder_leads_to_the_same_lock(held, tmp_path, monkeypatch):
    folder, _ = held
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "above").symlink_to(tmp_path)
    for path in ("run", "./run/", "run/../run", "link", "above/run", str(folder)):
        assert not _free(path), path
    assert _free("other")


def test_a_killed_process_leaves_no_lock(held):
    folder, process = held
    _end(process)
    assert process.returncode == -9
    assert (folder / locks.FILE).exists()
    assert locks.holder(folder) is None
    assert _free(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("program", [FORKS, STARTS], ids=["forked", "started"])
def test_a_process_of_the_holder_does_not_keep_the_lock(tmp_path, program):
    end, begin = os.pipe()
    process = _start(program, tmp_path / "run", end, pass_fds=[end])
    try:
        assert not _free(tmp_path / "run")
        process.kill()
        process.wait()
        assert _free(tmp_path / "run")
    finally:
        os.close(begin)  # the process of the process ends
        os.close(end)
        process.communicate()


def test_threads_of_one_process_are_kept_apart(tmp_path):
    with locks.alone(tmp_path, pytest.fail):
        found = []
        thread = threading.Thread(target=lambda: found.append(_free(tmp_path)))
        thread.start()
        thread.join()
    assert found == [False]
    assert _free(tmp_path)


def test_never_two_at_once_where_many_begin_at_the_same_moment(tmp_path):
    """The folder is made and removed by whoever comes and goes."""
    inside, most, other = [], [], []
    start = threading.Barrier(8)

    def compete():
        start.wait()
        for _ in range(20):
            try:
                with locks.alone(tmp_path / "a" / "run", pytest.fail):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
            except BlockingIOError:
                pass
            except BaseException as error:
                other.append(error)

    threads = [threading.Thread(target=compete) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not other
    assert max(most) == 1
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_folders_that_were_made_for_nothing_are_removed_and_others_stay(tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    with locks.alone(there, pytest.fail), locks.alone(tmp_path / "a" / "b", pytest.fail):
        assert (tmp_path / "a" / "b").is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ["there"]
    with pytest.raises(KeyError), locks.alone(tmp_path / "a" / "b", pytest.fail):
        (tmp_path / "a" / "kept").touch()
        raise KeyError
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["kept"]


def test_a_file_system_without_locks_is_told_of_and_used(tmp_path, monkeypatch):
    for number in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):

        def refuses(file, number=number):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(locks, "_take", refuses)
        said = []
        with locks.alone(tmp_path, said.append):
            assert locks.holder(tmp_path) is None
        assert len(said) == 1 and f"cannot be locked ({os.strerror(number)})" in said[0]


def test_a_folder_that_may_only_be_read_is_not_locked(tmp_path, monkeypatch):
    for kind, number in ((PermissionError, errno.EACCES), (OSError, errno.EROFS)):

        def refuses(path, flags, *rest, kind=kind, number=number):
            raise kind(number, "no") if flags & os.O_CREAT else FileNotFoundError(errno.ENOENT, "")

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refuses)
            with locks.alone(tmp_path, pytest.fail):
                pass


def test_a_lock_file_that_its_holder_removes_meanwhile_locks_nobody_out(tmp_path, monkeypatch):
    take, first = locks._take, []

    def late(number):
        if not first:
            first.append(1)
            (tmp_path / locks.FILE).unlink()
        take(number)

    monkeypatch.setattr(locks, "_take", late)
    with locks.alone(tmp_path, pytest.fail):
        assert locks.holder(tmp_path) is not None
    assert first


@pytest.mark.parametrize("content", [b"", b"x", b"\n[]", b"\n{}\n", b'\n{"pid": "a"}', b"\xff" * 9])
def test_what_is_in_a_lock_file_matters_to_nobody(tmp_path, content):
    path = tmp_path / locks.FILE
    path.write_bytes(content)
    assert _free(tmp_path)
    with locks.alone(tmp_path, pytest.fail):
        path.write_bytes(content)
        assert locks.holder(tmp_path) == "an unknown process"
        with pytest.raises(BlockingIOError, match="Another training writes to"):
            with locks.alone(tmp_path, pytest.fail):
                pass


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    for place in ("file", "file/run"):
        with pytest.raises(OSError):
            with locks.alone(tmp_path / place, pytest.fail):
                pass
    assert pathlib.Path(tmp_path, "file").read_bytes() == b""
