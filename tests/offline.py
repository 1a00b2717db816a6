"""Runs `ganzoo` or Python code where all connections to other machines fail, and are noted.

python -m tests.offline LOG explore --port 0
python -m tests.offline LOG -c "import ganzoo"
"""

import functools
import ipaddress
import pathlib
import socket
import sys


def cut(log: pathlib.Path) -> None:
    """Let this process, as far as it is Python, reach itself and its own machine only."""

    def refuse(place):
        with log.open("a") as file:
            file.write(f"{place}\n")
        raise OSError(f"{place} is out of reach")

    def here(name):
        try:
            return name in (None, "", "localhost") or ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def guarded(connect):
        @functools.wraps(connect)
        def run(self, address):
            inet = self.family in (socket.AF_INET, socket.AF_INET6)
            return refuse(address) if inet and not here(address[0]) else connect(self, address)

        return run

    def asked(look_up):
        @functools.wraps(look_up)
        def run(host, *args, **kwargs):
            name = host.decode() if isinstance(host, bytes) else host
            return (
                look_up(host, *args, **kwargs) if here(name) or name == "0.0.0.0" else refuse(name)
            )

        return run

    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    for name in ("getaddrinfo", "gethostbyname"):
        setattr(socket, name, asked(getattr(socket, name)))


if __name__ == "__main__":
    log, *words = sys.argv[1:]
    cut(pathlib.Path(log))
    if words[0] == "-c":
        exec(words[1])
    else:
        from ganzoo import cli

        sys.argv[1:] = words
        cli.main()
