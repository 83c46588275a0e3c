"""Requests that are no JSON object, or more of one than anybody needs."""

from __future__ import annotations

import contextlib
import gc
import json
import time
from typing import Any

import pytest

from jobgate.errors import ApiError, Code
from jobgate.wire import (
    LARGE_TEXT_BYTES,
    decode_request,
)
from tests.wire_types import Wish, refusal, wish

BODY_LIMIT = 4 * 1024 * 1024
STRUCTURE_LIMIT = 500_000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"null",
        b"1",
        b'"{}"',
        b"[1]",
        b"[[]]",
        b"{",
        b"{}}",
        b"{} {}",
        b"{}x",
        b'{"a":1,}',
        b"{'a':1}",
        b"{a:1}",
        b'{"a":1 /* c */}',
        b"// c\n{}",
        b'{"a":NaN}',
        b'{"open":NaN}',
        b'{"open":Infinity}',
        b'{"open":"\\ud800"}',
        b'{"open":"\\udc00\\ud800"}',
        b'{"open":"\x00"}',
        b'{"open":"a\nb"}',
        b'{"open":"\xff"}',
        b'{"open":"\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"limit":1}'.encode("utf-16"),
        '{"limit":1}'.encode("utf-16-le"),
        '{"limit":1}'.encode("utf-32"),
        b'{"open":"\\u0000"}',
        b'{"name":"\\\\\\u0000"}',
        b'{"\\u0000":1}',
        b'{"other":"\\u0000"}',
        b'{"open":01}',
        b'{"limit":"1","open":01}',
        b'{"limit":"1"',
    ],
)
def test_a8_what_is_no_json_object_in_utf8_is_20009(raw: bytes) -> None:
    assert refusal(raw).code is Code.invalid_json


def test_an_escaped_backslash_before_u0000_is_just_text() -> None:
    assert wish(name="\\u0000", open="\\\\u0000") == Wish(name="\\u0000", open="\\\\u0000")


@pytest.mark.parametrize(
    "spelled",
    [
        {"references": '["a\\u0000"]'},
        {"entries": '[{"session_id": "\\u0000"}]'},
        {"entries": [{"session_id": "a"}, '{"session_id": "\\u0000"}']},
        {"groups": '{"\\u0000": [1]}'},
        {"children": '[{"open": {"\\u0000": 1}}]'},
    ],
)
@pytest.mark.parametrize("padding", [0, LARGE_TEXT_BYTES])
def test_a8_u0000_is_20009_also_in_json_that_a_string_spells(spelled: Any, padding: int) -> None:
    assert refusal(json.dumps(spelled | {"other": "x" * padding}).encode()).code is Code.invalid_json


def test_text_that_only_looks_like_spelled_json_keeps_its_u0000() -> None:
    assert wish(references="[1", name='["\\u0000"]').name == '["\\u0000"]'


@pytest.mark.parametrize("name", ["open", "raw", "numbers"])
@pytest.mark.parametrize("closed", [True, False])
def test_a8_a_million_brackets_are_20009_at_once(name: str, closed: bool) -> None:
    for count in (100_000, 1_000_000):
        raw = b'{"%b":' % name.encode() + b"[" * count + (b"]" * count + b"}") * closed
        started = time.process_time()

        assert refusal(raw).code in (
            (Code.invalid_json, Code.wrong_type) if name == "numbers" else (Code.invalid_json,)
        )
        assert time.process_time() - started < 0.1


def test_a8_a_million_brackets_under_an_unknown_name_are_refused_or_passed_over_at_once() -> None:
    """How deep a value that nobody reads may be is up to the Python: its C stack, since 3.14."""
    for count in (100_000, 1_000_000):
        raw = b'{"other":' + b"[" * count + b"]" * count + b"}"
        started = time.process_time()

        with contextlib.suppress(ApiError):
            assert decode_request(raw, Wish) == (Wish(), ("other",))
        assert time.process_time() - started < 0.1


@pytest.mark.parametrize("field", ["open", "raw", "entry"])
def test_open_values_are_nested_at_most_64_deep(field: str) -> None:
    def request_(levels: int) -> bytes:
        nested = b"[" * (levels - 1) + b"{}" + b"]" * (levels - 1)
        if field == "entry":
            return b'{"entries":[{"session_id":"s","user_id":"u","metadata":{"a":%b}}]}' % nested[1:-1]
        return b'{"%b":%b}' % (field.encode(), nested)

    decode_request(request_(64), Wish)

    error = refusal(request_(65))
    assert (error.code, error.message) == (Code.invalid_json, "`request` must not be nested deeper than 64 levels")


def test_a8_half_a_million_structural_bytes_are_read_and_one_more_is_20009() -> None:
    head, tail = b'{"open":[', b"1]}"
    fits = head + b"1," * (STRUCTURE_LIMIT - 3) + tail

    assert len(decode_request(fits, Wish)[0].open) == STRUCTURE_LIMIT - 2
    assert refusal(head + b"1," * (STRUCTURE_LIMIT - 2) + tail).code is Code.invalid_json


@pytest.mark.parametrize("name", ["open", "raw", "name", "groups"])
def test_strings_have_at_most_a_mib_and_names_256_characters(name: str) -> None:
    def nested(text: str, key: str) -> object:
        return {"open": [{key: text}], "raw": {key: [text]}, "name": text, "groups": {key: [1]}}[name]

    mib = 1024 * 1024
    wish(**{name: nested("é" * mib, "k" * 256)})

    if name != "groups":
        assert refusal({name: nested("x" * (mib + 1), "k")}).code is Code.invalid_json
    if name != "name":
        assert refusal({name: nested("x", "k" * 257)}).code is Code.invalid_json


@pytest.mark.parametrize("number", [2**31, 2**53 - 1, 2**53, -(2**53)])
def test_a9_integers_up_to_2_to_the_53_are_read(number: int) -> None:
    assert wish(big=number, numbers=[number], open=[{"a": number}], groups={"a": [number]}).big == number
    assert wish(big=str(number)).big == number


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**63, 2**64, 10**400])
@pytest.mark.parametrize("name", ["big", "numbers", "open", "raw", "groups", "text"])
def test_a9_integers_beyond_2_to_the_53_are_20003_wherever_they_are(name: str, number: int) -> None:
    places = {"big": number, "numbers": [number], "open": {"a": [number]}, "raw": [number], "groups": {"a": [number]}}
    request_ = {"big": str(number)} if name == "text" else {name: places[name]}

    error = refusal(request_)

    assert error.code is Code.wrong_type
    assert len(error.message) < 300


@pytest.mark.parametrize("raw", [b'{"open":1e400}', b'{"ratio":1e400}', b'{"big":%b}' % (b"1" * 1_000_000)])
def test_a8_numbers_out_of_every_range_are_20003(raw: bytes) -> None:
    assert refusal(raw).code in (Code.wrong_type, Code.invalid_json)


@pytest.mark.parametrize("text", ["NaN", "nan", "inf", "-Infinity", "1e400"])
def test_no_string_spells_a_number_that_json_does_not_have(text: str) -> None:
    assert refusal({"ratio": text}).code is Code.wrong_type


@pytest.mark.parametrize(
    "raw",
    [
        b'{"open":[' + b"[]," * 249_990 + b"1]}",
        b'{"open":[' + b'{"a":1},' * 124_990 + b"1]}",
        b'{"open":{' + b",".join(b'"%06d":1' % number for number in range(249_990)) + b"}}",
        b"{" + b",".join(b'"%06d":1' % number for number in range(249_990)) + b"}",
        b'{"numbers":[' + b"1," * 499_980 + b'"x"]}',
        b'{"numbers":[' + b"1," * 199_980 + b'"1"]}',
        b'{"raw":[' + b"{}," * 249_980 + b"1]}",
        b'{"entries":[' + b'{"session_id":[]},' * 49_980 + b"[]]}",
        b'{"references":"' + b"," * 499_980 + b'"}',
        b'{"open":"' + b"\\\\" * (BODY_LIMIT // 2 - 20) + b'"}',
        b'{"open":"' + b"\\\\" * (BODY_LIMIT // 2 - 20) + b'\\u0000"}',
        b'{"open":"' + b"\\u000" * (BODY_LIMIT // 5 - 20) + b'"}',
        b'{"open":[' + (b"1" * 4300 + b",") * 950 + b"1]}",
    ],
    ids=lambda raw: f"{raw[:16]!r}...{raw[-9:]!r}",
)
def test_p7_no_body_of_4_mib_stalls_the_process(raw: bytes) -> None:
    assert len(raw) <= BODY_LIMIT
    started = time.process_time()

    with contextlib.suppress(ApiError):
        decode_request(raw, Wish)

    # The mark is 0.1; the rest is for a machine that is busy with other tests, or tracing them.
    assert time.process_time() - started < 0.5


def test_garbage_is_collected_again_after_a_large_request() -> None:
    with contextlib.suppress(ApiError):
        decode_request(b'{"open":[' + b"1," * 200_000 + b"x", Wish)

    assert gc.isenabled()
