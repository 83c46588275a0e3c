"""Agents that callers name: both forms are taken, and what names nobody is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobgate.errors import ApiError
from jobgate.stores.naming import read_named_agent

MBOX = {"mbox": "mailto:edith@school.example"}


@pytest.mark.parametrize("given", [MBOX, json.dumps(MBOX), MBOX | {"objectType": "Group", "name": "The ediths"}])
def test_an_agent_is_an_object_or_its_text(given: Any) -> None:
    agent, identifier = read_named_agent(given)

    assert agent["mbox"] == identifier.value == MBOX["mbox"]


@pytest.mark.parametrize(
    "given",
    [
        *("", "edith", "[]", "null", json.dumps(json.dumps(MBOX)), "[" * 100_000),
        *({}, {"name": "Edith"}, MBOX | {"openid": "https://edith.example"}, {"mbox": "edith@school.example"}),
        {"objectType": "Group", "member": [MBOX]},
        {"account": {"homePage": "https://school.example", "name": "a\0b"}},
    ],
)
def test_what_names_nobody_is_refused(given: Any) -> None:
    with pytest.raises(ApiError, match="`agent` must be an agent with exactly one identifier: "):
        read_named_agent(given)
