"""`python -m ganzoo`: the same as `ganzoo`."""

from ganzoo import cli

if __name__ == "__main__":
    cli.main(prog_name="ganzoo")
