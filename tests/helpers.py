"""What several test files need."""

import pathlib

import pytest
from click import testing

from ganzoo import cli

ROOT = pathlib.Path(__file__).parents[1]
"""The repository."""


def some_slow(names, others):
    """The test once for each name; for the others only by `pytest -m slow`."""
    slow = [pytest.param(name, marks=pytest.mark.slow) for name in others]
    return pytest.mark.parametrize("name", [*names, *slow])


def call(*words):
    return testing.CliRunner().invoke(cli.main, [str(word) for word in words])


def done(*words):
    result = call(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(*words):
    result = call(*words)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    return result.stderr
