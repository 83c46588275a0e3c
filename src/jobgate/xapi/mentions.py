"""Mentions: whether somebody's identifiers stand in JSON, wherever, in whatever shape, authorities aside.

An mbox or its SHA-1 is a string of its own, as a value or as a name; capitals are as in `identifiers`. So is an openid,
but not where the standard has other IRIs: a homePage, an activity. An account is its two strings in one object or one
array. What only contains them, as a sentence does, is no mention: an address is part of longer ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jobgate import wire
from jobgate.xapi.identifiers import Identifier

_MAILTO = "mailto:"

_IRIS = frozenset({"fileUrl", "homePage", "id", "moreInfo", "relevantTypes", "type", "usageType"})
"""What the standard gives an IRI that is nobody's."""


class Mentions:
    """Looks for these identifiers."""

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        wanted = set(identifiers)
        self._accounts = [(each.value, each.home_page or "") for each in wanted if each.kind == "account"]
        self._openids = {each.value for each in wanted if each.kind == "openid"}
        self._texts = {_fold(each.value) for each in wanted if each.kind in ("mbox", "mbox_sha1sum")}
        self.patterns = sorted({pattern for each in wanted for pattern in _make_patterns(each)})
        """For `like`: JSON that jobgate wrote matches one of these if it mentions one of them, and sometimes else."""
        self.digest_patterns = sorted({f"%{each.value}%" for each in wanted if each.kind == "mbox_sha1sum"})
        """The same for `ilike`."""

    def in_statement(self, statement: dict[str, Any]) -> bool:
        """Whether a statement names one of them, but for its authority."""
        return self.inside({name: value for name, value in statement.items() if name != "authority"})

    def inside(self, value: Any) -> bool:
        """Whether one of them stands in a JSON value."""
        return self._stands_in(value, "")

    def _stands_in(self, value: Any, name: str) -> bool:
        kind = type(value)
        if kind is str:
            return _fold(value) in self._texts or (value in self._openids and name not in _IRIS)
        if kind is dict:
            return self._are_told_by([*value, *value.values()]) or any(
                _fold(key) in self._texts or self._stands_in(inner, key) for key, inner in value.items()
            )
        if kind is list:
            return self._are_told_by(value) or any(self._stands_in(inner, name) for inner in value)
        return False

    def _are_told_by(self, values: list[Any]) -> bool:
        """Whether one has an account of which both strings are among these."""
        return any(
            name in values and home_page in values and (name != home_page or values.count(name) > 1)
            for name, home_page in self._accounts
        )


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
