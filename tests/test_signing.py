"""Signing and verifying: published vectors, real clients' bytes, and one violence per test to a valid packet."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobgate.errors import ApiError, Code
from jobgate.forms import read_form
from jobgate.signing import Packet, canonical, check_time, read_security, sign, verify

VECTORS = json.loads((Path(__file__).parent / "data" / "signature_vectors.json").read_bytes())
KEY, SECRET = "yis0TYCu7U9V4o7M", "74c5fd430cf1242a527f6223aebd42d30464be22"
OTHER_SECRET = "0" * 40
NOW = datetime(2014, 6, 26, 5, 28, tzinfo=UTC)
SKEW_S = 3 * 3600.0
GOOD: dict[str, Any] = VECTORS["vectors"][0]
WITH_EXPIRES: dict[str, Any] = next(vector for vector in VECTORS["vectors"] if vector["id"] == "data-get-expires")

FULLWIDTH_STAMP = "".join(chr(ord(digit) + 0xFEE0) if digit.isdigit() else digit for digit in "20140626-0528")


def by_id(vector: dict[str, Any]) -> str:
    return str(vector["id"])


def security(vector: dict[str, Any] | None = None, **changes: object) -> bytes:
    """The security field of a vector, with elements changed, added, or (None) left out."""
    vector = vector or GOOD
    elements = {**vector["security"], "signature": vector["signature"], **changes}
    return json.dumps({name: value for name, value in elements.items() if value is not None}).encode()


def packet(vector: dict[str, Any] | None = None, **changes: object) -> Packet:
    vector = vector or GOOD
    elements = {**vector["security"], "signature": vector.get("signature", ""), **changes}
    return msgspec.convert(elements, Packet)


def posted(vector: dict[str, Any], name: str) -> bytes | None:
    text = vector.get(name)
    return None if text is None else text.encode()


def is_signed(
    packet: Packet, request: bytes | None, action: bytes | None, *secrets: str, accept_v1: bool = False
) -> bool:
    return verify(packet, secrets or [SECRET], request, action, accept_v1=accept_v1) is not None


def refusal(raw: bytes | None) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read_security(raw)
    return caught.value


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=by_id)
def test_a_published_vector_is_signed_and_verified(vector: dict[str, Any]) -> None:
    signed, request, action = packet(vector), posted(vector, "request"), posted(vector, "action")
    is_v1 = vector["scheme"] == "v1"

    text = canonical(signed, request, action, secret=vector["secret"] if is_v1 else None)

    assert text == vector["pre_hash"].encode()
    assert verify(signed, [vector["secret"]], request, action, accept_v1=is_v1) == 0
    if not is_v1:
        assert sign(signed, vector["secret"], request, action) == vector["signature"]


@pytest.mark.parametrize("vector", VECTORS["pre_hash_only"], ids=by_id)
def test_a_published_pre_hash_is_reproduced(vector: dict[str, Any]) -> None:
    request, action = posted(vector, "request"), posted(vector, "action")

    assert canonical(packet(vector), request, action) == vector["pre_hash"].encode()
    assert sign(packet(vector), SECRET, request, action) == vector["signature_computed_here"]


@pytest.mark.parametrize("vector", VECTORS["primitives"], ids=lambda vector: vector["scheme"])
def test_the_published_digests_of_plain_texts_hold(vector: dict[str, Any]) -> None:
    # A packet whose only element is the text: the primitive hashes it as it stands.
    text = vector["pre_hash"]
    if vector["scheme"] == "v2":
        consumer_key, timestamp = text.split("_", 1)
        assert sign(Packet(consumer_key, timestamp), vector["secret"], None, None) == vector["signature"]
    else:
        assert text.endswith(f"_{vector['secret']}")
        assert sha256(text.encode()).hexdigest() == vector["signature"]
        consumer_key, timestamp = text.removesuffix(f"_{vector['secret']}").split("_", 1)
        signed = Packet(consumer_key, timestamp, vector["signature"])
        assert is_signed(signed, None, None, vector["secret"], accept_v1=True)


@pytest.mark.parametrize("capture", VECTORS["wire_captures"], ids=by_id)
def test_every_official_sdk_is_verified_from_its_own_bytes(capture: dict[str, Any]) -> None:
    form = read_form(capture["headers"]["Content-Type"], base64.b64decode(capture["body_base64"]))

    received = read_security(form.security)

    assert canonical(received, form.request, form.action) == capture["expect"]["pre_hash"].encode()
    assert verify(received, [SECRET], form.request, form.action) == 0


@pytest.mark.parametrize("vector", VECTORS["negative"], ids=by_id)
def test_a_change_to_what_was_signed_is_a_mismatch(vector: dict[str, Any]) -> None:
    assert not is_signed(packet(vector), posted(vector, "request"), posted(vector, "action"))


def test_the_secret_that_matched_is_named_whichever_it_is() -> None:
    request, action = b'{"limit":100}', b"get"

    assert verify(packet(), [SECRET, OTHER_SECRET], request, action) == 0
    assert verify(packet(), [OTHER_SECRET, "", SECRET], request, action) == 2
    assert verify(packet(), [OTHER_SECRET], request, action) is None
    assert verify(packet(), [], request, action) is None


def test_v1_is_accepted_only_where_it_was_switched_on() -> None:
    legacy = next(vector for vector in VECTORS["vectors"] if vector["id"] == "data-get-legacy")

    assert is_signed(packet(legacy), b'{"limit":100}', b"get", accept_v1=True)
    assert not is_signed(packet(legacy), b'{"limit":100}', b"get")
    assert not is_signed(packet(legacy), b'{"limit":100}', b"get", OTHER_SECRET, accept_v1=True)


@pytest.mark.parametrize("element", ["expires", "user_id"])
def test_an_empty_element_is_tried_with_its_slot_and_without(element: str) -> None:
    with_slot = packet(None, **{element: ""})
    without_slot = packet()

    for signed_as in (with_slot, without_slot):
        signature = sign(signed_as, SECRET, b"{}", b"get")
        received = read_security(security(None, **{element: "", "signature": signature}))
        assert is_signed(received, b"{}", b"get")
        assert not is_signed(received, b"[]", b"get")


def test_a_null_element_is_an_absent_one() -> None:
    raw = json.dumps({**GOOD["security"], "signature": GOOD["signature"], "expires": None, "user_id": None}).encode()

    assert read_security(raw) == packet()


def test_a_number_for_a_user_is_signed_by_its_digits() -> None:
    assert read_security(security(user_id=12345)).user_id == "12345"


def test_keys_that_nobody_signs_are_ignored() -> None:
    assert read_security(security(meta=True, other="{[}]", number=1.5)) == packet()


def test_the_last_of_two_equal_keys_wins() -> None:
    raw = b'{"timestamp":"20000101-0000",' + security()[1:]

    assert read_security(raw).timestamp == GOOD["security"]["timestamp"]


@pytest.mark.parametrize("name", ["consumer_key", "domain", "timestamp", "signature"])
def test_a_missing_element_is_41000_and_named(name: str) -> None:
    error = refusal(security(None, **{name: None}))

    assert error.code is Code.security_missing
    assert error.message == f"Missing security parameters. Check the following parameter(s): {name}"


@pytest.mark.parametrize("raw", [None, b""])
def test_a_missing_security_field_is_41000_in_the_words_of_the_hosted_service(raw: bytes | None) -> None:
    error = refusal(raw)

    assert error.code is Code.security_missing
    assert error.message == "Missing security parameters. Check the following parameter(s): security"


def test_every_missing_element_is_named_at_once() -> None:
    assert refusal(b"{}").message.endswith("parameter(s): consumer_key, domain, timestamp, signature")


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"{",
        b"{}{}",
        b"\xef\xbb\xbf{}",
        b"\xff",
        "{}".encode("utf-16"),
        b'{"consumer_key":"\xff"}',
        b'{"consumer_key":"\\ud800"}',
        b'{"x":NaN}',
        b"[" * 4096,
        b'{"x":' + b"[" * 4000,
    ],
    ids=lambda raw: str(raw[:20]),
)
def test_a_security_field_that_is_no_json_object_is_41000(raw: bytes) -> None:
    error = refusal(raw)

    assert error.code is Code.security_missing
    assert "consumer_key, domain, timestamp, signature" in error.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("consumer_key", value) for value in ("", "a" * 15, "a" * 65, KEY[:15] + "_", "é" * 16, KEY + "\n", 1)],
        *[("domain", value) for value in ("", "a_b", "local host", "a\n", "a\0", "a" * 256, ["a"], {"a": "b"}, True)],
        *[("signature", value) for value in ("", "$02$", "$02$" + "a" * 63, "$02$" + "a" * 65, "a" * 63, "a" * 65, 1)],
        *[("user_id", value) for value in ("a" * 51, "a\nb", "a\0", "\x7f", 1.5, True, ["a"])],
        *[("expires", value) for value in (20991231, ["20991231-2359"])],
        ("other", ["nested"]),
        ("other", {"nested": 1}),
    ],
)
def test_an_element_of_another_form_is_41001_and_named(name: str, value: object) -> None:
    error = refusal(security(None, **{name: value}))

    assert error.code is Code.security_length
    assert f"`{name if name != 'other' else 'security'}`" in error.message


def test_a_security_field_has_at_most_4_kib() -> None:
    filler = 4096 - len(security(other=""))

    assert read_security(security(other="x" * filler)) == packet()
    assert refusal(security(other="x" * (filler + 1))).code is Code.security_length


def test_a_key_of_64_and_a_user_of_50_characters_are_read() -> None:
    read = read_security(security(consumer_key="a" * 64, user_id="é" * 50))

    assert (read.consumer_key, read.user_id) == ("a" * 64, "é" * 50)


@pytest.mark.parametrize(
    "signature",
    [
        GOOD["signature"].upper(),
        GOOD["signature"][:-1] + "é",
        GOOD["signature"][:-1] + "\N{FULLWIDTH DIGIT SEVEN}",
        GOOD["signature"][:-1] + "\n",
        GOOD["signature"].replace("$02$", "$01$"),
        GOOD["signature"].replace("$02$", "$03$"),
        "$99$",
        GOOD["signature"][4:],
        WITH_EXPIRES["signature"],
        "$02$" + "0" * 64,
    ],
)
def test_a10_a_signature_of_the_right_size_that_does_not_fit_is_a_mismatch(signature: str) -> None:
    received = read_security(security(signature=signature))

    assert not is_signed(received, b'{"limit":100}', b"get", accept_v1=True)


def test_a10_a_signature_of_another_size_is_41001() -> None:
    assert refusal(security(signature="")).code is Code.security_length
    assert refusal(security(signature="a" * 1_000_000)).code is Code.security_length


@pytest.mark.parametrize(
    ("changes", "request_", "action"),
    [
        ({}, b'{"limit":101}', b"get"),
        ({}, b'{"limit":100}', b"set"),
        ({}, b'{"limit":100}', None),
        ({}, None, b"get"),
        ({"consumer_key": "A" * 16}, b'{"limit":100}', b"get"),
        ({"domain": "example.org"}, b'{"limit":100}', b"get"),
        ({"timestamp": "20140626-0529"}, b'{"limit":100}', b"get"),
        ({"expires": "20991231-2359"}, b'{"limit":100}', b"get"),
    ],
)
def test_a10_a_signature_of_something_else_is_a_mismatch(
    changes: dict[str, str], request_: bytes | None, action: bytes | None
) -> None:
    assert not is_signed(read_security(security(None, **changes)), request_, action)


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        FULLWIDTH_STAMP,
        "2014_626-0528",
        " 2140626-0528",
        "+2140626-0528",
        "20140626-0528\n",
        "20140626-052",
        "20140626-05280",
        "20140626 0528",
        "2014-06-26T05",
        20140626,
    ],
)
def test_a11_a_timestamp_that_is_not_ascii_digits_in_place_is_41001(timestamp: object) -> None:
    assert refusal(security(timestamp=timestamp)).code is Code.security_length


@pytest.mark.parametrize(
    "timestamp",
    [
        "20260230-9999",
        "00000101-0000",
        "99991231-2359",
        "20141326-0528",
        "20140026-0528",
        "20140600-0528",
        "20140631-0528",
        "20150229-0528",
        "20140626-2460",
        "20140626-2400",
        "20140626-0560",
    ],
)
def test_a11_a_timestamp_of_no_time_near_now_is_41004_with_the_time_of_the_server(timestamp: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_time(read_security(security(timestamp=timestamp)), NOW.timestamp(), SKEW_S)

    assert caught.value.code is Code.timestamp_out_of_range
    assert "20140626-052800 GMT" in caught.value.message


@pytest.mark.parametrize("sign_", [1, -1])
def test_the_clock_may_differ_by_the_skew_in_either_direction(sign_: int) -> None:
    edge = NOW + sign_ * timedelta(seconds=SKEW_S)

    check_time(packet(), edge.timestamp(), SKEW_S)

    with pytest.raises(ApiError) as caught:
        check_time(packet(), edge.timestamp() + sign_, SKEW_S)
    assert caught.value.code is Code.timestamp_out_of_range


def test_a_packet_is_good_until_it_expires_and_41007_after() -> None:
    expiring = packet(expires="20140626-0528")

    check_time(expiring, NOW.timestamp(), SKEW_S)
    check_time(packet(expires=""), NOW.timestamp(), SKEW_S)
    check_time(packet(expires="99991231-2359"), NOW.timestamp(), SKEW_S)

    with pytest.raises(ApiError) as caught:
        check_time(expiring, NOW.timestamp() + 1, SKEW_S)
    assert caught.value.code is Code.expired
    assert "20140626-052801 GMT" in caught.value.message


@pytest.mark.parametrize("expires", ["never", "2014-06-26", "20140626-05280", "20140626-0528\n", FULLWIDTH_STAMP])
def test_a_malformed_expiry_is_41006(expires: str) -> None:
    assert refusal(security(expires=expires)).code is Code.expires_malformed


def test_an_expiry_at_no_time_is_41006() -> None:
    with pytest.raises(ApiError) as caught:
        check_time(read_security(security(expires="20140230-0000")), NOW.timestamp(), SKEW_S)

    assert caught.value.code is Code.expires_malformed


# Each of these moves signed text between neighbours, so the signature still fits: only the shapes are in the way.


def test_a12_an_expiry_cannot_be_renamed_to_a_user() -> None:
    old = WITH_EXPIRES["security"]["expires"]
    moved = {**WITH_EXPIRES["security"], "expires": None, "user_id": old}

    assert canonical(packet(WITH_EXPIRES), b"{}", b"get") == canonical(msgspec.convert(moved, Packet), b"{}", b"get")
    assert refusal(security(WITH_EXPIRES, expires=None, user_id=old)).code is Code.security_length


def test_a12_an_expiry_cannot_become_the_beginning_of_a_user() -> None:
    assert refusal(security(WITH_EXPIRES, expires=None, user_id="20160621-1716_ada")).code is Code.security_length
    assert read_security(security(user_id="20160621-1716x_ada")).user_id == "20160621-1716x_ada"


def test_a12_a_user_cannot_be_renamed_to_an_expiry() -> None:
    assert refusal(security(user_id=None, expires="ada")).code is Code.expires_malformed


def test_a12_a_domain_cannot_swallow_the_timestamp() -> None:
    changes = {"domain": "localhost_20140626-0528", "timestamp": "20160621-1716", "expires": None}

    assert refusal(security(WITH_EXPIRES, **changes)).code is Code.security_length


def test_a12_a_timestamp_cannot_swallow_the_expiry() -> None:
    assert refusal(security(timestamp="20140626-0528_20160621-1716")).code is Code.security_length


def test_a12_a_consumer_key_cannot_swallow_the_domain() -> None:
    assert refusal(security(consumer_key=f"{KEY}_localhost")).code is Code.security_length


@pytest.mark.parametrize("request_", ['{"id":"7"}', "[]"])
def test_a12_a_user_cannot_swallow_the_request(request_: str) -> None:
    signature = sign(packet(user_id="ada"), SECRET, request_.encode(), b"delete")
    moved = read_security(security(user_id=f"ada_{request_}", signature=signature))

    assert canonical(moved, None, b"delete") == canonical(packet(user_id="ada"), request_.encode(), b"delete")
    assert not is_signed(moved, None, b"delete")


@settings(max_examples=600, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=80),
        st.dictionaries(
            st.sampled_from(["consumer_key", "domain", "timestamp", "signature", "expires", "user_id", "x"]),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.text(max_size=20),
                st.lists(st.none(), max_size=2),
                st.sampled_from([KEY, "localhost", "20140626-0528", GOOD["signature"], "99999999-9999", ""]),
            ),
        ).map(lambda elements: json.dumps(elements).encode()),
        st.fixed_dictionaries(
            {
                name: st.sampled_from([GOOD["security"].get(name), "", "$02$", "00000000-0000"])
                for name in GOOD["security"]
            }
        ).map(lambda elements: json.dumps({**elements, "signature": GOOD["signature"]}).encode()),
    ),
    st.one_of(st.none(), st.binary(max_size=5)),
)
def test_m7_no_packet_gets_more_than_a_refusal(raw: bytes, request_: bytes | None) -> None:
    with contextlib.suppress(ApiError):
        received = read_security(raw)
        verify(received, [SECRET], request_, request_, accept_v1=True)
        check_time(received, NOW.timestamp(), SKEW_S)
