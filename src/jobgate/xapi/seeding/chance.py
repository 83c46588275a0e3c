"""Draws that are the same in every version of Python and on every machine: they are read off a hash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import shake_256
from struct import Struct
from typing import TypeVar

T = TypeVar("T")

WORDS = 64
"""Draws that one key has; no statement takes more than half of them."""

_WORDS = Struct(f">{WORDS}I")
_BITS = 32


class Chance:
    """What a key decides, one draw after the other."""

    __slots__ = ("_words",)

    def __init__(self, key: bytes) -> None:
        self._words: Iterator[int] = iter(_WORDS.unpack(shake_256(key).digest(_WORDS.size)))

    def below(self, count: int) -> int:
        """One of the numbers from 0 on."""
        return next(self._words) * count >> _BITS

    def choose(self, among: Sequence[T]) -> T:
        """One of these."""
        return among[next(self._words) * len(among) >> _BITS]

    def happens(self, share: float) -> bool:
        """True in this share of the cases."""
        return next(self._words) < share * (1 << _BITS)

    def uuid(self) -> str:
        """A UUID of version 4."""
        words = self._words
        a, b, c, d = next(words), next(words), next(words), next(words)
        return f"{a:08x}-{b >> 16:04x}-4{b & 0xFFF:03x}-{0x8000 | c >> 18:04x}-{c & 0xFFFF:04x}{d:08x}"
