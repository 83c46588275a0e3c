"""The source of a request: the address behind the proxies that the operator trusts."""

from __future__ import annotations

import pytest

from jobgate.source import read_proxies, source_of


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "source"),
    [
        ("192.0.2.1", b"203.0.113.9", "", "192.0.2.1"),
        ("192.0.2.1", b"203.0.113.9", "10.0.0.0/8", "192.0.2.1"),
        ("10.0.0.1", b"203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", b"1.1.1.1, 203.0.113.9, 10.0.0.2", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", b"10.0.0.3, 10.0.0.2", "10.0.0.0/8", "10.0.0.3"),
        ("10.0.0.1", b"203.0.113.9, unknown", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9:4711", "10.0.0.1", "203.0.113.9"),
        ("10.0.0.1", b"[2001:db8::1]:4711", "10.0.0.1", "2001:db8::1"),
        ("::ffff:10.0.0.1", b"203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
        ("fe80::1%eth0", b"2001:DB8:0::1", "fe80::/10", "2001:db8::1"),
        ("10.0.0.1", b"203.0.113.9, " + b"10.0.0.2, " * 5000 + b"10.0.0.2", "10.0.0.0/8", "10.0.0.2"),
        (None, b"203.0.113.9", "", "unix"),
        (None, b"203.0.113.9", "unix", "203.0.113.9"),
        ("", b"203.0.113.9", "10.0.0.0/8", ""),
    ],
)
def test_the_source_is_the_last_address_that_no_trusted_proxy_has(
    peer: str | None, forwarded: bytes | None, trusted: str, source: str
) -> None:
    assert source_of(peer, forwarded, read_proxies(trusted)) == source
