"""Where a request comes from: the peer, or the address that a trusted proxy reports for it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from jobgate.settings import PREFIX, SettingsError

UNIX = "unix"
"""The source of a caller on a Unix socket, and how an operator trusts the proxy behind it."""

HOPS_READ = 32
"""Entries of `X-Forwarded-For` that are looked at, from the right: parsing addresses is not free."""


@dataclass(frozen=True)
class TrustedProxies:
    """The peers whose `X-Forwarded-For` is believed."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    def trust(self, peer: str | None) -> bool:
        """Whether `peer` (None: on a Unix socket) is one of them."""
        if peer is None:
            return self.unix
        address = _read_address(peer) if self.networks else None
        return address is not None and any(address in network for network in self.networks)


def read_proxies(text: str) -> TrustedProxies:
    """Read addresses, networks and the word `unix`, separated by commas; raises `SettingsError`."""
    words = [word for part in text.split(",") if (word := part.strip())]
    networks: list[IPv4Network | IPv6Network] = []
    for word in words:
        if word != UNIX:
            try:
                networks.append(ip_network(word))
            except ValueError as error:
                raise SettingsError(f"{PREFIX}TRUSTED_PROXIES={text}: {error}") from None
    return TrustedProxies(tuple(networks), UNIX in words)


def source_of(peer: str | None, forwarded: bytes | None, trusted: TrustedProxies) -> str:
    """The rightmost address on the way that is not a trusted proxy; what stands left of it is hearsay."""
    address = None if peer is None else _read_address(peer)
    source = UNIX if peer is None else str(address or peer)
    if not forwarded or not trusted.trust(peer):
        return source
    for hop in reversed(forwarded.rsplit(b",", HOPS_READ)[-HOPS_READ:]):
        address = _read_address(hop.decode("latin-1"))
        if address is None:
            break
        source = str(address)
        if not trusted.trust(source):
            break
    return source


def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    # Some proxies add a port; a zone says nothing to anyone but that proxy.
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
