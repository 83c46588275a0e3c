"""Splitting a body into lines, wherever the network cuts it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.datasets.lines import split_lines
from jobgate.errors import ApiError, Code


async def split(pieces: list[bytes], max_bytes: int = 1_000_000) -> list[bytes]:
    """All lines of a body."""

    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [line async for lines in split_lines(stream(), max_bytes) for line in lines]


@given(st.lists(st.binary(max_size=3).map(lambda piece: piece.replace(b"\r", b"\n"))))
async def test_the_lines_do_not_depend_on_where_the_network_cuts(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)

    assert await split(pieces) == (whole.removesuffix(b"\n").split(b"\n") if whole else [])


async def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(ApiError, match="line 3: must not be longer") as refusal:
        await split([b"a\nb\n", *[b"x" * 1000] * 66])

    assert refusal.value.code is Code.too_much


async def test_a_body_that_is_too_long_is_refused_where_it_becomes_so() -> None:
    with pytest.raises(ApiError, match="must not be longer than 10 bytes"):
        await split([b"12345\n", b"6789"[:4], b"0"], max_bytes=10)
