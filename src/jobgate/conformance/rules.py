"""The rules for statements, as checks: statements that an endpoint must accept or refuse, by the cases of each rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jobgate import wire
from jobgate.conformance.cases import APART, BOTH, CASES, edit
from jobgate.conformance.checks import Check, Run
from jobgate.conformance.lrs import Lrs, make_id
from jobgate.conformance.requirements import find_section
from jobgate.conformance.samples import FULL, ID
from jobgate.xapi.rules import Rule

TOGETHER: dict[Rule, tuple[str, ...]] = {
    Rule.id: ("XAPI-00030", "XAPI-00007"),
    Rule.id_type: ("XAPI-00029",),
    Rule.voiding: ("XAPI-00020", "XAPI-00019"),
    Rule.extensions: ("XAPI-00057", "XAPI-00078", "XAPI-00119"),
    Rule.score_range: ("XAPI-00080",),
    Rule.reference_id: ("XAPI-00073",),
    Rule.authority_members: ("XAPI-00100",),
    Rule.language_map: ("XAPI-00013",),
}
"""Requirements that the cases of a rule show as well."""

_OUR_ID = re.compile(re.escape(ID), re.IGNORECASE)


def list_rules() -> Iterator[Check]:
    """A check for each case that the standard decides; limits of our own are nobody else's."""
    for rule, cases in CASES.items():
        if rule.value.startswith("limit-"):
            continue
        ids = (rule.value, *TOGETHER.get(rule, ()))
        section = find_section(rule.value)
        for accepts, edits in ((True, cases.accepted), (False, cases.refused)):
            for place, change in enumerate(edits):
                title = f"{'accepted' if accepts else 'refused'} {place + 1}: {rule.requirement}"
                yield Check(section, ids, title, _post(edit(FULL, change), accepts=accepts), cases.versions)
    for version in BOTH:
        (other,) = set(BOTH) - {version}
        for apart in APART[version]:
            if apart.is_open:
                continue
            ids, section = (apart.rule.value,), find_section(apart.rule.value)
            statement = edit(FULL, apart.change)
            for accepts, where in ((True, version), (False, other)):
                title = f"{'accepted' if accepts else 'refused'} under {where}: {apart.rule.requirement}"
                yield Check(section, ids, title, _post(statement, accepts=accepts), (where,))


def _post(statement: Any, *, accepts: bool) -> Run:
    async def run(lrs: Lrs) -> None:
        body = wire.encode([_give_id(statement)])
        said = await lrs.ask("POST", "statements", body=body)
        said.must_be(200 if accepts else 400)

    return run


def _give_id(statement: Any) -> Any:
    """The statement under an id that nobody has, written as it was; an id that is a case stays."""
    id = statement.get("id") if isinstance(statement, dict) else None
    if not isinstance(id, str) or _OUR_ID.fullmatch(id) is None:
        return statement
    return statement | {"id": make_id().upper() if id.isupper() else make_id()}
