"""Mentions: whether somebody's identifiers stand in JSON, wherever, in whatever shape, authorities aside.

An mbox, its SHA-1 or an openid is a string of its own, as a value or as a name; capitals are as in `identifiers`. An
account is its two strings in one object or one array. What only contains them, as a sentence does, is no mention: an
address is part of longer ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jobgate import wire
from jobgate.xapi.identifiers import Identifier

_MAILTO = "mailto:"


class Mentions:
    """Looks for these identifiers."""

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        wanted = set(identifiers)
        self._accounts = [(each.value, each.home_page or "") for each in wanted if each.kind == "account"]
        self._texts = {_fold(each.value) for each in wanted if each.kind != "account"}
        self.patterns = sorted({pattern for each in wanted for pattern in _make_patterns(each)})
        """For `like`: JSON that jobgate wrote matches one of these if it mentions one of them, and sometimes else."""
        self.digest_patterns = sorted({f"%{each.value}%" for each in wanted if each.kind == "mbox_sha1sum"})
        """The same for `ilike`."""

    def in_statement(self, statement: dict[str, Any]) -> bool:
        """Whether a statement names one of them, but for its authority."""
        return self.inside({name: value for name, value in statement.items() if name != "authority"})

    def inside(self, value: Any) -> bool:
        """Whether one of them stands in a JSON value."""
        return any(self._are_told_by(texts) for texts in _walk_texts(value))

    def _are_told_by(self, texts: list[str]) -> bool:
        if not self._texts.isdisjoint(map(_fold, texts)):
            return True
        return any(
            name in texts and home_page in texts and (name != home_page or texts.count(name) > 1)
            for name, home_page in self._accounts
        )


def _walk_texts(value: Any) -> Iterator[list[str]]:
    """The strings that stand in each object and in each array, names among them."""
    if type(value) is dict:
        inner = [*value, *value.values()]
    elif type(value) is list:
        inner = value
    else:
        inner = [value]
    yield [each for each in inner if type(each) is str]
    for each in inner:
        if type(each) is dict or type(each) is list:
            yield from _walk_texts(each)


def _fold(text: str) -> str:
    """An identifier as it is compared: a mail domain, a digest, and the scheme of an mbox in small letters."""
    if text[: len(_MAILTO)].lower() == _MAILTO:
        local, at, domain = text[len(_MAILTO) :].rpartition("@")
        return f"{_MAILTO}{local}{at}{domain.lower()}"
    return text.lower() if len(text) == 40 and text.isalnum() else text


def _make_patterns(identifier: Identifier) -> Iterator[str]:
    if identifier.kind == "account":
        name, home_page = _escape(identifier.value), _escape(identifier.home_page or "")
        yield f"%{name}%{home_page}%"
        yield f"%{home_page}%{name}%"
    elif identifier.kind == "openid":
        yield f"%{_escape(identifier.value)}%"
    elif identifier.kind == "mbox":
        local, at, _ = identifier.value[len(_MAILTO) :].rpartition("@")
        yield f"%:{_escape(local)[1:-1]}{at}%"


def _escape(text: str) -> str:
    """A text as JSON has it, in its quotes, as `like` takes it literally."""
    found = wire.encode(text).decode()
    for special in ("\\", "%", "_"):
        found = found.replace(special, f"\\{special}")
    return found
