"""Pseudonyms: whoever a statement names becomes an account that only a holder of the secret can make again.

Everybody but the authority is replaced, wherever the standard lets agents stand, 1.0.3 and 2.0.0. Of an agent nothing
but `objectType`, the pseudonym and the members of a group is left. Statements need not be valid: what looks like an
agent is taken for one wherever it is, and what stands in the place of an agent and is none is taken out. Left as they
are: values of extensions, `result.response`, definitions and displays, and text under names that the standard does not
know.

A signature holds what was signed, and would not hold any more: attachments that are signatures go.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from jobgate.xapi.attachments import SIGNATURE
from jobgate.xapi.identifiers import Identifier, identify

HOME_PAGE = "http://pseudo.traxlrs.com"
"""Of the account that a pseudonym is."""

_is_digest = re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?").fullmatch
"""The name of that account, and of those that others make with MD5."""

_AGENTS = frozenset({"actor", "agent", "authority", "group", "instructor", "member", "team"})
"""Names under which agents stand; the authority only within a statement that is an object, where it has no business."""

_MARKS = frozenset({"account", "mbox", "mbox_sha1sum", "member", "openid"})
"""What has one of these is an agent."""

_FREE = frozenset({"definition", "description", "display", "extensions", "response"})
"""What the standard leaves to those who write statements: what looks like an agent here is none, or nobody knows."""


def pseudonymise(statement: dict[str, Any], secret: bytes) -> dict[str, Any]:
    """The statement with everybody but its authority replaced; one to which that was done before comes back equal."""
    return {name: value if name == "authority" else _cover(name, value, secret) for name, value in statement.items()}


def pseudonymise_agent(agent: Any, secret: bytes) -> dict[str, Any]:
    """An agent, or a group with its members, under pseudonyms; of what is no agent nothing is left."""
    if type(agent) is not dict:
        return {}
    kind = agent.get("objectType")
    found: dict[str, Any] = {"objectType": kind} if kind == "Agent" or kind == "Group" else {}
    identifier = identify(agent)
    if identifier is not None:
        found |= make_pseudonym(identifier, secret).as_agent()
    if "member" in agent:
        found["member"] = _cover("member", agent["member"], secret)
    return found


def make_pseudonym(identifier: Identifier, secret: bytes) -> Identifier:
    """The one pseudonym that an identifier has. An mbox and its SHA-1 share theirs; a pseudonym is its own."""
    if is_pseudonym(identifier):
        return identifier
    name = hmac.digest(secret, hash_mbox(identifier).canonical.encode("utf-8", "surrogatepass"), "sha256").hex()
    return Identifier("account", name, HOME_PAGE)


def is_pseudonym(identifier: Identifier) -> bool:
    """Whether nobody stands behind an identifier but by its secret, whosever that is."""
    return identifier.home_page == HOME_PAGE and _is_digest(identifier.value) is not None


def hash_mbox(identifier: Identifier) -> Identifier:
    """An mbox as its SHA-1; any other identifier as it is."""
    if identifier.kind != "mbox":
        return identifier
    mbox = identifier.canonical.removeprefix("mbox::").encode("utf-8", "surrogatepass")
    return Identifier("mbox_sha1sum", hashlib.sha1(mbox, usedforsecurity=False).hexdigest())


def _cover(name: str, value: Any, secret: bytes) -> Any:
    kind = type(value)
    if kind is list:
        items = [each for each in value if not _is_signature(each)] if name == "attachments" else value
        return [_cover(name, each, secret) for each in items]
    if kind is dict:
        if name in _AGENTS or not _MARKS.isdisjoint(value) or value.get("objectType") in ("Agent", "Group"):
            return pseudonymise_agent(value, secret)
        return {inner: each if inner in _FREE else _cover(inner, each, secret) for inner, each in value.items()}
    return None if name in _AGENTS else value


def _is_signature(attachment: Any) -> bool:
    return type(attachment) is dict and attachment.get("usageType") == SIGNATURE
