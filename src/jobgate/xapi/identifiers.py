"""Identifiers of agents and activities, and the short ids that are made from them.

Equal agents have equal ids. An mbox and its SHA-1 are two agents, unless somebody joins them in a person.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

IdentifierKind = Literal["mbox", "mbox_sha1sum", "openid", "account"]


class Identifier(NamedTuple):
    """What an agent or an identified group is known by."""

    kind: IdentifierKind
    value: str
    """As it is written; of an account its name."""
    home_page: str | None = None

    @property
    def canonical(self) -> str:
        """Equal for equal agents: mail domains and digests are the same in capitals."""
        if self.kind == "account":
            home_page = self.home_page or ""
            return f"account::{len(home_page)}::{home_page}::{self.value}"
        value = self.value
        if self.kind == "mbox":
            local, at, domain = value.rpartition("@")
            value = f"{local}{at}{domain.lower()}"
        elif self.kind == "mbox_sha1sum":
            value = value.lower()
        return f"{self.kind}::{value}"

    def as_agent(self) -> dict[str, Any]:
        """The agent that has this identifier, and nothing else."""
        if self.kind == "account":
            return {"account": {"homePage": self.home_page, "name": self.value}}
        return {self.kind: self.value}


def identify(actor: Any) -> Identifier | None:
    """The identifier of an agent or a group; None for an anonymous group, and for what is no actor."""
    if type(actor) is not dict:
        return None
    account = actor.get("account")
    if type(account) is dict:
        name, home_page = account.get("name"), account.get("homePage")
        if type(name) is str and type(home_page) is str:
            return Identifier("account", name, home_page)
    value = actor.get("mbox")
    if type(value) is str:
        return Identifier("mbox", value)
    value = actor.get("mbox_sha1sum")
    if type(value) is str:
        return Identifier("mbox_sha1sum", value)
    value = actor.get("openid")
    if type(value) is str:
        return Identifier("openid", value)
    return None


@lru_cache(maxsize=8192)
def agent_id(identifier: Identifier) -> UUID:
    """The id under which an agent is kept."""
    return _make_id(identifier.canonical)


@lru_cache(maxsize=8192)
def iri_id(iri: str) -> UUID:
    """The id under which an activity, a verb or a type is kept."""
    return _make_id(iri)


def _make_id(text: str) -> UUID:
    return UUID(bytes=hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16])
