"""The pieces of typed maths: numbers, words, commands and single characters, one after the other."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MAX_CHARS = 1000


class NotUnderstood(ValueError):
    """The text is no expression that we know; the message says where it ceases to be one."""


class Notation(NamedTuple):
    """How numbers are written, and what letters are."""

    decimal: str = "."
    thousands: tuple[str, ...] = ()
    has_units: bool = False
    """Words are units, not letters to be multiplied."""
    ignores_text: bool = False
    r"""`\text{...}` is no part of the expression."""


_SAME = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "–": "-",
        "×": "*",
        "·": "*",
        "⋅": "*",
        "÷": "/",
        "≤": "\\le ",
        "≥": "\\ge ",
        "≠": "\\ne ",
        "±": "\\pm ",
        "π": "\\pi ",
        "°": "\\degree ",
        "²": "^2",
        "³": "^3",
        "μ": "µ",
        "\u00a0": " ",
        "\u202f": " ",
        "~": " ",
        "\n": " ",
        "\t": " ",
    }
)
_BLANK = re.compile(r"(?:\\(?:[ ,;:!]|quad(?![A-Za-z])|displaystyle(?![A-Za-z])|(?:left|right)(?![A-Za-z]))|\s)+")
_BLANK_IN_NUMBER = re.compile(r"(?<=\d)(?:\\[ ,;:]| )(?=\d)", re.ASCII)
_IGNORED = re.compile(r"\\(?:text|textrm|mathrm|mbox)\s*\{[^{}]*\}")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[<>!]=|[A-Za-zµ]+|.", re.DOTALL)
_DELIMITERS = (("\\(", "\\)"), ("\\[", "\\]"), ("$", "$"))
_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµ")


class Tokens:
    """A text that is read from left to right, once; `token` is the piece that comes next, empty at the end."""

    def __init__(self, text: str, notation: Notation) -> None:
        if len(text) > MAX_CHARS:
            raise NotUnderstood(f"longer than {MAX_CHARS} characters")
        if notation.decimal in notation.thousands:
            raise NotUnderstood("one character cannot separate both thousands and decimals")
        self.text = _tidy(text, notation)
        self.at = 0
        self.token = ""
        self.previous = ""
        """What was taken last."""
        self._notation = notation
        self._number = _number_pattern(notation.decimal, notation.thousands)
        self.step()

    def step(self) -> str:
        """Take the next piece."""
        taken = self.previous = self.token
        self._move(self.at + len(taken))
        return taken

    def _move(self, at: int) -> None:
        blank = _BLANK.match(self.text, at)
        self.at = blank.end() if blank else at
        found = self._number.match(self.text, self.at) or _TOKEN.match(self.text, self.at)
        self.token = found[0] if found else ""

    def step_digit(self) -> str:
        """Take only the first character of the next piece."""
        taken = self.token[0]
        self._move(self.at + 1)
        return taken

    def step_over(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Take the next piece and what must follow it."""
        found = pattern.match(self.text, self.at + len(self.token))
        if found is None:
            raise self.refusal()
        self._move(found.end())
        return found

    def expect(self, token: str) -> None:
        """Take the next piece, which must be this one."""
        if self.token != token:
            raise self.refusal()
        self.step()

    def refusal(self, why: str = "") -> NotUnderstood:
        """What cannot be read: the next piece, unless there is a better reason."""
        if why:
            return NotUnderstood(why)
        if not self.token:
            return NotUnderstood("it ends too early")
        shown = self.token[:20] if self.token.isprintable() else ascii(self.token[:20])
        return NotUnderstood(f"{shown} is not understood at character {self.at + 1}")

    @property
    def is_number(self) -> bool:
        """Whether a number comes next."""
        token = self.token
        return token[:1] in _DIGITS or (len(token) > 1 and token[0] == self._notation.decimal)

    @property
    def is_word(self) -> bool:
        """Whether letters come next."""
        return self.token[:1] in _LETTERS

    def plain(self, number: str) -> str:
        """A number as everybody writes it: without thousands separators, with a dot before the decimals."""
        for mark in self._notation.thousands:
            number = number.replace(mark, "")
        return number.replace(self._notation.decimal, ".")


def _tidy(text: str, notation: Notation) -> str:
    """The same text in fewer ways of writing: one minus, one blank, commands for signs, no delimiters around it."""
    text = text.strip()
    for opening, closing in _DELIMITERS:
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            text = text[len(opening) : -len(closing)]
            break
    text = text.translate(_SAME)
    if notation.ignores_text:
        text = _IGNORED.sub(" ", text)
    return _BLANK_IN_NUMBER.sub(" ", text) if " " in notation.thousands else text


@lru_cache(maxsize=64)
def _number_pattern(decimal: str, thousands: tuple[str, ...]) -> re.Pattern[str]:
    point = re.escape(decimal)
    grouped = "".join(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+(?!\d)|" for mark in thousands)
    return re.compile(rf"(?:{grouped}\d+)(?:{point}\d*)?|{point}\d+", re.ASCII)
