"""Requests into types and answers into envelopes, as every client may send and must be able to read them."""

from __future__ import annotations

import base64
import contextlib
import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobgate.errors import ApiError, Code
from jobgate.forms import read_form
from jobgate.wire import (
    Undecodable,
    decode,
    decode_request,
    encode,
    failure,
    success,
)
from tests.wire_types import Entry, Need, Wish

VECTORS = json.loads((Path(__file__).parent / "data" / "signature_vectors.json").read_bytes())


# What fits.


def test_an_absent_request_is_an_empty_one() -> None:
    assert decode_request(None, Wish) == (Wish(), ())
    assert decode_request(b"{}", Wish) == (Wish(), ())


@pytest.mark.parametrize("capture", VECTORS["wire_captures"], ids=lambda capture: capture["id"])
def test_every_request_of_an_official_sdk_is_read_and_its_telemetry_is_not_mentioned(capture: dict[str, Any]) -> None:
    form = read_form(capture["headers"]["Content-Type"], base64.b64decode(capture["body_base64"]))

    class Sent(msgspec.Struct):
        references: list[str] = []
        statuses: list[Entry] = []
        session_metadata: list[Entry] = []
        limit: int | None = None

    value, ignored = decode_request(form.request, Sent)

    expected = json.loads(capture["expect"].get("request") or "{}") or {}
    assert ignored == ()
    assert len(value.statuses) == len(expected.get("statuses", []))
    assert [entry.metadata for entry in value.session_metadata] == [{} for _ in expected.get("session_metadata", [])]
    if capture["id"] == "java-3":
        assert value.references == ["a", "b"]


def test_unknown_names_are_reported_in_order_and_meta_is_not() -> None:
    value, ignored = decode_request(b'{"z":1,"limit":7,"meta":{"sdk":{}},"a":[{}]}', Wish)

    assert (value.limit, ignored) == (7, ("z", "a"))


def test_unknown_names_are_reported_from_a_lenient_reading_too() -> None:
    assert decode_request(b'{"z":1,"limit":"7","meta":[]}', Wish)[1] == ("z",)


def test_at_most_32_unknown_names_are_reported_each_cut() -> None:
    raw = json.dumps({f"{number:03}" + "x" * 500: 1 for number in range(100)}).encode()

    ignored = decode_request(raw, Wish)[1]

    assert len(ignored) == 32
    assert ignored[31] == "031" + "x" * 197


def test_the_last_of_two_equal_names_wins_everywhere() -> None:
    assert decode_request(b'{"limit":1,"limit":2,"open":{"a":1,"a":2}}', Wish)[0] == Wish(limit=2, open={"a": 2})
    assert decode_request(b'{"limit":1,"limit":"2"}', Wish)[0].limit == 2


# Answers.


def test_a_success_has_meta_and_data_and_leaves_out_what_it_does_not_know() -> None:
    assert json.loads(success({}, now_s=1487049275)) == {"meta": {"status": True, "timestamp": 1487049275}, "data": {}}


def test_a_success_carries_its_page_versions_and_what_was_ignored() -> None:
    versions = {"requested": "v2025.2.LTS", "mapped": "v1.79", "concrete": "v1.79.5"}

    body = success(
        [{"a": None}],
        now_s=1,
        records=1,
        next="1.2",
        versions=msgspec.Raw(encode(versions)),
        replayed=True,
        ignored=("x",),
    )

    assert json.loads(body) == {
        "meta": {
            "status": True,
            "timestamp": 1,
            "records": 1,
            "next": "1.2",
            "versions": versions,
            "replayed": True,
            "ignored": ["x"],
        },
        "data": [{"a": None}],
    }


def test_a_page_without_records_counts_zero() -> None:
    assert json.loads(success([], now_s=1, records=0))["meta"]["records"] == 0


def test_a_failure_says_code_message_advice_and_request() -> None:
    error = ApiError(Code.signature_mismatch, "no", details=[1])

    assert json.loads(failure(error, now_s=1, request_id="7")) == {
        "meta": {
            "status": False,
            "code": 41003,
            "message": "no",
            "advice": Code.signature_mismatch.advice,
            "request_uuid": "7",
            "timestamp": 1,
            "details": [1],
        }
    }


def test_data_of_an_error_cannot_replace_what_the_protocol_says() -> None:
    error = ApiError(Code.conflict, "no", status=True, timestamp=0)

    meta = json.loads(failure(error, now_s=1, request_id="7"))["meta"]
    assert (meta["status"], meta["timestamp"]) == (False, 1)


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.text(alphabet=st.sampled_from('aé😀"\\/\n\u2028\x7f'), max_size=6), st.lists, max_leaves=4))
def test_answers_are_ascii_and_mean_the_same(value: object) -> None:
    for body in (success([value], now_s=1), failure(ApiError(Code.internal, "é", a=value), now_s=1, request_id="x")):
        assert body.isascii()
        assert value in (json.loads(body).get("data", [None])[0], json.loads(body)["meta"].get("a", ""))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_answer_and_no_stored_value_turns_a_number_into_null(number: float) -> None:
    for value in (number, [number], {"a": (1, number)}, Wish(ratio=number), [None, {1: [Wish(open={number})]}]):
        with pytest.raises(ValueError, match="cannot be written as JSON"):
            encode(value)


def test_what_is_encoded_is_decoded_as_its_type() -> None:
    entry = Entry(session_id="s", user_id="ë", metadata={"a": None})

    assert decode(encode(entry), Entry) == entry
    assert decode(encode({"a": None}).decode(), dict[str, Any]) == {"a": None}


@pytest.mark.parametrize("text", [b"", b"{", b"{}", b"[]"])
def test_stored_text_that_does_not_fit_is_undecodable(text: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(text, Entry)


# Nothing but a refusal ever escapes.

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["[]", "{}", "[", '["a"]', '{"a":1}', "1", "true", "a,b", "NaN", "Completed", 2**53, 2**64, "null"]
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(Entry.__struct_fields__), st.text(max_size=4)), inner, max_size=4),
    ),
    max_leaves=12,
)
REQUESTS = st.dictionaries(
    st.one_of(st.sampled_from(Wish.__struct_fields__), st.sampled_from(Need.__struct_fields__), st.text(max_size=4)),
    JSON,
    max_size=5,
)
TOKENS = st.sampled_from(
    ['{"', '":', ",", "[", "]", "{", "}", '"', "\\u0000", "\\ud800", "1", "-", "e9", "open", "limit"]
)


@pytest.fixture(scope="module", params=[Wish, Need])
def request_type(request: pytest.FixtureRequest) -> Any:
    return request.param


@settings(max_examples=500, deadline=None)
@given(
    raw=st.one_of(
        REQUESTS.map(lambda request: json.dumps(request).encode()),
        st.lists(TOKENS, max_size=20).map("".join).map(str.encode),
        st.binary(max_size=30),
    )
)
def test_m7_no_request_gets_more_than_a_refusal(request_type: type[Any], raw: bytes) -> None:
    with contextlib.suppress(ApiError):
        value, ignored = decode_request(raw, request_type)
        assert isinstance(value, request_type)
        assert "meta" not in ignored
        success([value], now_s=1, ignored=ignored)
