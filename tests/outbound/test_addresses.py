"""Which places may be called."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from jobgate.outbound import Forbidden, Place, Rules, read_rules, read_url
from jobgate.settings import Settings, SettingsError

PUBLIC = Rules()


def is_allowed(url: str, rules: Rules = PUBLIC) -> bool:
    """Could a target have this URL?"""
    try:
        read_url(url, rules)
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://lms.example", Place("https", "lms.example", 443, "/")),
        ("https://LMS.Example/a/b?c=d&e", Place("https", "lms.example", 443, "/a/b?c=d&e")),
        ("HTTPS://lms.example:443/", Place("https", "lms.example", 443, "/")),
        ("https://lms.example?x", Place("https", "lms.example", 443, "/?x")),
        ("https://1.1.1.1/hook", Place("https", "1.1.1.1", 443, "/hook")),
        ("https://[2606:4700:4700::1111]/hook", Place("https", "2606:4700:4700::1111", 443, "/hook")),
        ("https://xn--bcher-kva.example/", Place("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_a_public_place_may_be_called(url: str, place: Place) -> None:
    assert read_url(url, PUBLIC) == place


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
        *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        "168.63.129.16",
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1"),
        *("2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1"),
        "ff02::1",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(Forbidden):
        PUBLIC.require_address(ip_address(address))

    assert not is_allowed(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize("address", ["1.1.1.1", "172.15.0.1", "172.32.0.1", "::ffff:1.1.1.1", "2606:4700:4700::1111"])
def test_a_public_address_is_allowed(address: str) -> None:
    PUBLIC.require_address(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("", "lms.example", "//lms.example", "ftp://lms.example/", "file:///etc/passwd", "https:lms.example"),
        "http://lms.example/",  # plain HTTP
        *("https://user@lms.example/", "https://user:word@lms.example/", "https://lms.example\\@10.0.0.1/"),
        *("https://lms.example/#part", "https://lms.example/\\", "https://lms.example/ ", " https://lms.example/"),
        *("https://lms.example/\n", "https://lms.example/\r\nHost: inside", "https://lms.example/\x00", "https://\t/"),
        *("https://bücher.example/", "https://lms.example/ü", "https://\u017fms.example/", "https://lms。example/"),
        *("https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://1.2.3.4.5/"),
        *(
            "https://0x7f.0.0.1/",
            "https://lms.0x7f/",
            "https://999.1.1.1/",
            "https://[1.2.3.4]/",
            "https://[::1%25lo]/",
        ),
        *("https://localhost/", "https://postgres/", "https://db.internal/", "https://printer.local/"),
        *("https://a.localhost/", "https://lms.example./", "https://.example/", "https://a..example/", "https://-a.b/"),
        *(
            "https://lms.example:22/",
            "https://lms.example:25/",
            "https://lms.example:6379/",
            "https://lms.example:5432/",
        ),
        *("https://lms.example:0/", "https://lms.example:65536/", "https://lms.example:/", "https://lms.example:443a/"),
        "https://lms.example/" + "a" * 2000,
        "https://" + "a." * 127 + "example/",
    ],
)
def test_a_place_that_is_odd_or_inside_is_refused(url: str) -> None:
    assert not is_allowed(url)


def test_what_the_operator_lists_may_be_called_on_any_port() -> None:
    rules = read_rules(Settings(push_http=True, push_allow="10.1.0.0/16, ::1, lms.internal,postgres"))

    for url in ("http://10.1.2.3:8000/", "https://[::1]:9/", "https://lms.internal:8443/", "https://postgres:5432/"):
        assert is_allowed(url, rules)
    for url in ("http://10.2.0.1/", "https://127.0.0.1/", "https://other.internal/", "https://lms.example:8443/"):
        assert not is_allowed(url, rules)


def test_our_own_servers_are_refused_even_where_they_are_public() -> None:
    settings = Settings(
        database_url="postgresql://user:word@9.9.9.9:5432,db.example:5432/jobgate?host=db2.example",
        redis_url="redis://:word@[2606:4700:4700::1111]:6379/0",
        public_url="https://gate.example",
    )
    rules = read_rules(settings)

    for host in ("9.9.9.9", "db.example", "db2.example", "[2606:4700:4700::1111]", "gate.example"):
        assert not is_allowed(f"https://{host}/", rules)
    with pytest.raises(Forbidden, match="own"):
        rules.require_address(ip_address("1.1.1.1"), own=[ip_address("1.1.1.1")])


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "300.1.1.1", "a b", "lms.internal,,10.0.0.0/33", "https://lms.internal"]
)
def test_an_unusable_list_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="JOBGATE_PUSH_ALLOW"):
        read_rules(Settings(push_allow=text))
