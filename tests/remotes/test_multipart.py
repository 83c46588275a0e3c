"""multipart/mixed: what is built is taken apart again, and what is not quite right is refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.remotes.multipart import MAX_HEAD_BYTES, MAX_HEADERS, MAX_PARTS, Malformed, Part, build, parse
from jobgate.remotes.multipart import read_media_type as read

HASH = "x-experience-api-hash"


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from(["a", HASH]), st.text("xyz-", min_size=1)), st.binary())))
def test_what_is_built_is_taken_apart_again(parts: list[tuple[dict[str, str], bytes]]) -> None:
    body, content_type = build(Part(headers, data) for headers, data in parts)

    kind, boundary = read(content_type)
    assert kind == "multipart/mixed"
    assert [(part.headers, part.data) for part in parse(body, boundary)] == parts


def test_data_may_look_like_a_boundary_and_hold_any_bytes() -> None:
    inner, _ = build([Part({}, b"inner")])
    nearly = b"--b\r\n--bb\r\nx\r\n--b c\r\n\r\n--b\n\0\xff"
    body = b"preamble\r\n--b \t\r\nA:  1 \r\n\r\n" + nearly[5:] + b"\r\n--b\r\n\r\n" + inner + b"\r\n--b--epilogue"

    first, second = parse(body, "b")

    assert (first.headers, first.data, second.data) == ({"a": "1"}, nearly[5:], inner)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("multipart/mixed; boundary=b", ("multipart/mixed", "b")),
        ('Multipart/MIXED; charset=utf-8; boundary="a b"', ("multipart/mixed", "a b")),
        ("application/json; charset=utf-8", ("application/json", None)),
        ("multipart/mixed", ("multipart/mixed", None)),
    ],
)
def test_the_boundary_is_read_from_the_content_type(content_type: str, expected: tuple[str, str | None]) -> None:
    assert read(content_type) == expected


@pytest.mark.parametrize("boundary", [None, "", "x" * 71, "a\r\nb", "é", "ends with a blank "])
def test_a_boundary_that_is_none_is_refused(boundary: str | None) -> None:
    with pytest.raises(Malformed, match="boundary"):
        parse(b"--x\r\n\r\n\r\n--x--", boundary)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "last boundary"),
        (b"no boundary", "last boundary"),
        (b"--b\r\n\r\ncut off\r\n", "last boundary"),
        (b"--b\r\n\r\nx\r\n--b", "last boundary"),
        (b"--b\n\nbare line feeds\n--b--\n", "last boundary"),
        (b"--b\r\na: 1\r\nno end of headers\r\n--b--", "end of headers"),
        (b"--b\r\nno colon\r\n\r\n\r\n--b--", "malformed"),
        (b"--b\r\na: 1\r\n folded\r\n\r\n\r\n--b--", "malformed"),
        (b"--b\r\na : 1\r\n\r\n\r\n--b--", "malformed"),
        (b"--b\r\na: 1\r\nA: 2\r\n\r\n\r\n--b--", "twice"),
        (b"--b\r\n" + b"a: 1\r\n" * (MAX_HEADERS + 1) + b"\r\n\r\n--b--", "more than 16 headers"),
        (b"--b\r\na: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n\r\n--b--", "end of headers"),
        (b"--b\r\n\r\n\r\n" * (MAX_PARTS + 2) + b"--b--", f"more than {MAX_PARTS} parts"),
    ],
)
def test_what_is_not_multipart_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse(body, "b")


HOSTILE = {
    "boundaries": b"\r\n--b" * 800_000,
    "words like the boundary": b"\r\n--bx" * 700_000,
    "half lines": b"\r\n--b\r" * 600_000,
    "headers": b"--b\r\n" + b"a: 1\r\n" * 600_000,
    "blanks": (b"--b\r\na:" + b" " * 8000 + b"x\r\n\r\n\r\n") * 500,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_takes_long_whatever_it_is_made_of(body: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(Malformed):
        parse(body, "b")

    assert time.perf_counter() - started < 0.5


def test_there_may_be_as_many_parts_and_headers_as_the_limits_say() -> None:
    headers = {f"a{number}": "1" for number in range(MAX_HEADERS)}
    body, content_type = build([Part(headers, b"")] * MAX_PARTS)

    assert len(parse(body, read(content_type)[1])) == MAX_PARTS
