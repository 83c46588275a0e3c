"""Statements of 2.0.0 for receivers that know 1.0.3 only."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.xapi.downgrading import downgrade
from jobgate.xapi.statements import validate
from tests.stored_statements import make

AGENT = {"objectType": "contextAgent", "agent": {"mbox": "mailto:a@school.example"}}
GROUP = {"objectType": "contextGroup", "group": {"objectType": "Group", "mbox": "mailto:g@school.example"}}
CONTEXT = {"contextAgents": [AGENT], "contextGroups": [GROUP], "language": "en"}


def test_what_1_0_3_does_not_name_is_left_out_also_in_the_statement_within() -> None:
    inner = {name: make(1)[name] for name in ("actor", "verb", "object")} | {"context": CONTEXT}
    statement = make(1, version="2.0.0", context=CONTEXT, object={"objectType": "SubStatement", **inner})
    assert validate(statement, "2.0.0") == []

    older = downgrade(statement)

    assert validate(older, "1.0.3") == []
    assert older["version"] == "1.0.3"
    assert older["context"] == older["object"]["context"] == {"language": "en"}
    assert statement["context"] == CONTEXT


@pytest.mark.parametrize("version", [{}, {"version": "1.0.3"}, {"version": 2}])
def test_other_statements_come_back_as_they_are(version: dict[str, Any]) -> None:
    statement = make(1, context=CONTEXT) | version

    assert downgrade(statement) is statement
