"""Reading a URL that a user gave, so strictly that no two programs could read it differently."""

from __future__ import annotations

import re
from typing import NamedTuple

from jobgate.outbound.addresses import NAME, Forbidden, Rules, read_address

MAX_URL_CHARS = 2000

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f]*:[0-9a-f:.]+\])(:(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>(/[!-~]*|\?[!-~]*)?)",
    re.ASCII | re.IGNORECASE,
)
_PORTS = {"http": 80, "https": 443}


class Place(NamedTuple):
    """Where a URL leads."""

    scheme: str
    host: str
    """A name in lower case, or an address without brackets."""
    port: int
    target: str
    """Path and query."""

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str, rules: Rules, *, max_chars: int = MAX_URL_CHARS) -> Place:
    """Where `url` leads, if the rules let it be called as far as the URL alone tells; raises `Forbidden`."""
    if len(url) > max_chars:
        raise Forbidden(f"the URL is longer than {max_chars} characters")
    found = _URL.fullmatch(url)
    if found is None or "\\" in url or "#" in url:
        raise Forbidden(
            "the URL is not of the form https://host/path: only ASCII, without user, fragment, blanks or backslashes"
        )
    scheme = found["scheme"].lower()
    if scheme == "http" and not rules.http:
        raise Forbidden("the URL must begin with https://")
    host = found["host"].strip("[]").lower()
    port = int(found["port"] or _PORTS[scheme])
    target = found["target"]
    address = read_address(host)
    if address is not None:
        rules.require_address(address)
        listed = rules.lists_address(address)
    elif NAME.fullmatch(host) and not found["host"].startswith("["):
        rules.require_name(host)
        listed = rules.lists_name(host)
    else:
        raise Forbidden("the host is neither a name nor an address")
    if port > 65535 or (port not in _PORTS.values() and not listed):
        raise Forbidden("the port must be 443 or 80")
    return Place(scheme, host, port, target if target.startswith("/") else "/" + target)
