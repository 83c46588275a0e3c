"""An embedded Valkey: its start and its first answer."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from jobgate.embedded.child import Child
from jobgate.embedded.places import Place
from jobgate.embedded.starting import READY_S, fail_unless_starting


def find_socket(place: Place) -> Path:
    """Where Valkey listens."""
    return place.sockets / "valkey.sock"


def start_valkey(program: Path, place: Place, durable: bool) -> Child:
    """Start Valkey; it never drops keys, and keeps them on disk when `durable`."""
    options = {
        "port": "0",
        "unixsocket": str(find_socket(place)),
        "unixsocketperm": "700",
        "dir": str(place.make_private("valkey")),
        "save": "",
        "appendonly": "yes" if durable else "no",
        "aof-use-rdb-preamble": "no",  # a file of plain commands: an older server can read it too
        "maxmemory-policy": "noeviction",
    }
    return Child.spawn(
        [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))],
        env={"LC_ALL": "C"},
        log=place.home / "valkey.log",
        folder=Path("/"),
        account=place.account,
        keep_open=[place.lock],
    )


def await_valkey(server: Child, place: Place) -> None:
    """Wait until Valkey answers."""
    give_up_at = time.monotonic() + READY_S
    while True:
        try:
            ping(find_socket(place))
        except OSError as error:
            fail_unless_starting("Valkey", server, place.home / "valkey.log", give_up_at, error)
        else:
            return
        time.sleep(0.005)


def ping(path: Path) -> None:
    """Raise `OSError` unless a server that has loaded its data answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(READY_S)
        connection.connect(str(path))
        connection.sendall(b"PING\r\n")
        answer = connection.recv(100)
    if not answer.startswith(b"+PONG"):
        raise OSError(answer.decode())
