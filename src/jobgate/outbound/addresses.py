"""Which addresses may be called: public ones, and what the operator lists besides.

The list below is checked as well as the standard library's notion of "global", which counts some of it as public.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from jobgate.settings import PREFIX, Settings, SettingsError

Address = IPv4Address | IPv6Address

NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE
)
"""A host name in its ASCII form. The last label begins with a letter: nothing here can be read as a number."""

_PRIVATE_NAMES = ("local", "internal", "localhost", "home.arpa")

_NEVER: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a cloud's platform service, on a public address
        # Outside 2000::/3, and what stands for other addresses or for documents inside it.
        *("::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)


class Forbidden(Exception):
    """The place must not be called; the text says why, and tells nothing that the caller did not know."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator chose. What is listed may be called whatever it is, on any port."""

    http: bool = False
    """Plain HTTP is allowed."""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    names: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    """Hosts of our own servers: names and addresses."""

    def lists_name(self, host: str) -> bool:
        """The operator named this host."""
        return host in self.names

    def lists_address(self, address: Address) -> bool:
        """The operator named this address, or a network that it is in."""
        return any(address in network for network in self.networks)

    def require_name(self, host: str) -> None:
        """Raise `Forbidden` for a name that can only lead inside."""
        if host in self.names:
            return
        if "." not in host or any(host == name or host.endswith("." + name) for name in _PRIVATE_NAMES):
            raise Forbidden("the host is not a public name")
        if host in self.own:
            raise Forbidden("the host is one of this service's own")

    def require_address(self, address: Address, own: Iterable[Address] = ()) -> None:
        """Raise `Forbidden` unless the address is public and none of our own, or listed."""
        inner = (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
        if self.lists_address(inner):
            return
        if not inner.is_global or any(inner in network for network in _NEVER):
            raise Forbidden("the address is not public")
        if str(inner) in self.own or inner in own:
            raise Forbidden("the address is one of this service's own")


def read_rules(settings: Settings) -> Rules:
    """The rules that the settings make; raises `SettingsError`."""
    networks: list[IPv4Network | IPv6Network] = []
    names: list[str] = []
    for word in filter(None, (part.strip().lower() for part in settings.push_allow.split(","))):
        try:
            networks.append(ip_network(word))
        except ValueError as error:
            if NAME.fullmatch(word) is None:
                raise SettingsError(f"{PREFIX}PUSH_ALLOW={settings.push_allow}: {error}, nor a host name") from None
            names.append(word)
    urls = (settings.database_url, settings.migrate_url, settings.redis_url, settings.public_url)
    own = frozenset(host for url in urls for host in _hosts(url))
    return Rules(http=settings.push_http, networks=tuple(networks), names=frozenset(names), own=own)


def _hosts(url: str) -> list[str]:
    """The hosts that a URL names; a database's URL may name several, in two places, or none but a socket."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []  # no URL: whoever uses it says so
    named = [*parts.netloc.rpartition("@")[2].split(","), *re.findall(r"(?:^|&)host=([^&]*)", parts.query)]
    hosts = (re.sub(r":\d+$", "", host).strip("[]").lower() for host in named)
    return [host for host in hosts if host and "/" not in host and "%" not in host]


def read_address(text: str) -> Address | None:
    """An address in its usual form; None for anything else, such as a name or a number."""
    try:
        return ip_address(text)
    except ValueError:
        return None
