"""What several test files need."""

from click import testing

from ganzoo import cli


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
