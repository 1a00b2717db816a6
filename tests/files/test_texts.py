"""Names of files and lines of text, whatever bytes and whatever locale."""

import io
import json
import os
import subprocess
import sys

import pytest

from ganzoo.files import atomic
from ganzoo.files import texts

NAMES = [b"plain", "Läufe 字 😀".encode(), b"bad\xff\xfe", b"half\xc3", b"a\nb", b"-x %s <b> '\""]
# As a program in a locale without UTF-8 has its names, which it writes down and reads again.
THERE = """
import json, os, sys
from ganzoo.files import texts
name = os.fsdecode(bytes.fromhex(sys.argv[1]))
kept = texts.kept(name)
print(json.dumps([sys.getfilesystemencoding(), kept, texts.local(kept) == name]))
"""
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_name_is_kept_as_the_same_text_in_every_locale(name):
    command = [sys.executable, "-c", THERE, name.hex()]
    there = subprocess.run(
        command, capture_output=True, check=True, env={**os.environ, **PLAIN}
    ).stdout
    encoding, kept, same = json.loads(there)
    assert encoding == "ascii" and same
    assert kept == texts.kept(os.fsdecode(name)) == name.decode("utf-8", "surrogateescape")
    assert os.fsencode(texts.local(kept)) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Läufe", "Läufe"),
        ("L\udcc3\udca4ufe", "Läufe"),
        ("\udcff", "�"),
        ("\ud800x", "���x"),
        ("a\nb", "a\nb"),
    ],
    ids=ascii,
)
def test_text_is_shown_in_whatever_utf_8_can_hold(text, shown, tmp_path):
    assert texts.shown(text) == shown
    atomic.write_atomically(tmp_path / "file", text)
    assert (tmp_path / "file").read_bytes() == shown.encode()


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "8?8 ??"), ("latin-1", "8×8 ??"), ("utf-8", "8×8 字�")]
)
def test_a_line_that_the_terminal_cannot_show_ends_nothing(encoding, shown):
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, encoding)
    texts.say("8×8 字\udcff", stream)
    assert content.getvalue().decode(encoding) == f"{shown}\n"


def test_nobody_need_read_what_is_said():
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    texts.say("a line", Closed())


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", b"8\xc3\x97 \xff \xc3\xa4 ?"),
        ("latin-1", b"8\xd7 \xff \xc3\xa4 ?"),
        ("utf-8", b"8\xc3\x97 \xff \xc3\xa4 ?"),
        ("cp437", b"8? \xff \xc3\xa4 ?"),
    ],
)
def test_the_streams_of_a_command_take_any_text(encoding, written):
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, encoding)
    texts.open_up(stream, io.StringIO())  # which has no encoding
    stream.write("8× \udcff \udcc3\udca4 \ud800")
    stream.flush()
    assert content.getvalue() == written
