"""Runs the commands of docs/teach.md without a network, and notes their processor time.

    python benchmarks/tools/teaching.py

The results replace those in `benchmarks/results/teach.csv`.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import measure

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "teach.md"


def commands(text):
    """The commands of a page and its Python, in their order: `(as shown, arguments)`."""
    for kind, block in re.findall(r"^```(sh|python)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if kind == "python":
            yield "`python between.py`", ["-c", block]
            continue
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "ganzoo", line
            yield f"`{line}`", arguments


def spent():
    """Processor seconds of all programs that have ended, which other programs hardly change."""
    times = os.times()
    return times.children_user + times.children_system


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "reached")
        for shown, arguments in commands(PAGE.read_text("utf-8")):
            start = spent()
            subprocess.run(
                [sys.executable, "-m", "tests.offline", log, *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
                check=True,
            )
            rows.append({"command": shown, "cpu_seconds": spent() - start, **measure.machine()})
            measure.show(rows[-1:])
        assert not log.exists(), log.read_text()
    measure.save("teach", rows, replace=("backend",))


if __name__ == "__main__":
    main()
