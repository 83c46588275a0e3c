"""Our own checks pass wholly against an LRS that keeps the standard, and find what one does that does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobgate.conformance.cases import BOTH, CASES
from jobgate.conformance.lrs import Broken
from jobgate.conformance.requirements import IDS, REQUIREMENTS, SECTIONS, find_scope, find_section
from jobgate.conformance.suite import list_checks
from jobgate.xapi.rules import Rule
from jobgate.xapi.statements import read_statement
from jobgate.xapi.violations import Version
from tests.conformance.asking import asking, list_broken
from tests.lrs import Lrs, serving
from tests.lrs.documents import Documents
from tests.lrs.http import Request, Response
from tests.lrs.refusals import Refusal
from tests.lrs.selecting import Filter
from tests.lrs.statements import FILTERS

DOCS = (Path(__file__).parents[2] / "docs" / "xapi_testsuite.md").read_text(encoding="utf-8")

VERSIONS = pytest.mark.parametrize("version", BOTH)


@VERSIONS
async def test_an_lrs_that_keeps_the_standard_passes_every_check(version: Version) -> None:
    async with serving() as lrs, asking(lrs, version) as asked:
        assert await list_broken(asked, list_checks(version)) == []


@VERSIONS
def test_every_check_names_requirements_and_a_section_that_there_are(version: Version) -> None:
    checks = list_checks(version)

    assert len(checks) > 1000
    assert {id for check in checks for id in check.ids} <= IDS
    assert {check.section for check in checks} <= SECTIONS
    assert all(check.title and not check.title.endswith(".") for check in checks)


@VERSIONS
def test_most_requirements_are_checked(version: Version) -> None:
    shown = {id for check in list_checks(version) for id in check.ids}

    assert len(REQUIREMENTS) == 336
    assert len(shown & set(REQUIREMENTS)) >= 290


def test_the_documentation_counts_right() -> None:
    shown = {id for check in list_checks("1.0.3") for id in check.ids} & set(REQUIREMENTS)
    counts = [f"{len(list_checks(version)):,}" for version in BOTH]

    told = (
        f"{counts[0]} checks under 1.0.3 and {counts[1]} under 2.0.0, which show {len(shown)} of the 336 requirements"
    )
    assert told in DOCS


@pytest.mark.parametrize("rule", [rule for rule in Rule if not rule.startswith("limit-")], ids=lambda rule: rule.name)
def test_every_rule_for_statements_is_asked_for(rule: Rule) -> None:
    version = CASES[rule].versions[-1]

    titles = [check.title for check in list_checks(version, rule.value)]

    assert any(title.startswith("accepted") for title in titles)
    if rule is not Rule.form:  # what an id that is empty breaks is shown by the cases of the rule of ids
        assert f"refused 1: {rule.requirement}" in titles


@pytest.mark.parametrize(
    ("section", "wanted", "unwanted"),
    [
        ("XAPI-00038", "XAPI-00038", "XAPI-00039"),
        ("XAPI-00087", "XAPI-00087-1", "XAPI-00088"),
        ("Data 2.4.1", "XAPI-00028", "XAPI-00103"),
        ("Data 2.4", "XAPI-00103", "XAPI-00118"),
        ("Data 4.0", "XAPI-00118", "XAPI-00103"),
        ("Data 4", "XAPI-00118", "XAPI-00103"),
        ("Data 2.4.2.2", "XAPI-00038", "XAPI-00028"),
        ("Communication 4.0", "XAPI-00334", "XAPI-00333"),
        ("Communication 2.3", "XAPI-00190", "XAPI-00273"),
        ("context-agents", "context-agents", "context-groups"),
    ],
)
def test_a_section_is_a_requirement_or_one_of_several_levels(section: str, wanted: str, unwanted: str) -> None:
    shown = {id for check in list_checks("2.0.0", section) for id in check.ids}

    assert find_scope(section) is not None
    assert wanted in shown
    assert unwanted not in shown


@pytest.mark.parametrize(
    "text",
    ["", "XAPI", "XAPI-00136", "XAPI-99999", "XAPI-1", "Data", "Data 9", "Data 2.", "data 2.4", "Data 2.4.1 ", ".*"],
)
def test_what_is_no_section_is_none(text: str) -> None:
    assert find_scope(text) is None


def test_requirements_stand_in_their_sections() -> None:
    places = {"XAPI-00001": "Data 2.2", "XAPI-00087-2": "Data 2.4.6", "XAPI-00153": "Communication 2.1"}

    assert {id: find_section(id) for id in places} == places


def accept_everything(lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements are not judged for their mailboxes."""

    def be_lenient(text: bytes, version: Version) -> Any:
        statement, violations = read_statement(text, version)
        return statement, [violation for violation in violations if violation.rule != Rule.mbox]

    monkeypatch.setattr("tests.lrs.statements.read_statement", be_lenient)


def ignore_since(lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    """since is taken, and nothing done about it."""
    select = Filter.select
    monkeypatch.setattr(Filter, "select", lambda self, keeping: select(replace(self, since=None), keeping))


def list_the_voided(lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is voided stays where it was."""
    monkeypatch.setattr(type(lrs.keeping), "is_voided", lambda *_: False)


def ignore_conditions(lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last writer wins."""
    monkeypatch.setattr(Documents, "_check_conditions", lambda *_: None)


def take_unknown_parameters(lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter that nobody knows is nobody's business."""
    monkeypatch.setattr("tests.lrs.statements.FILTERS", {*FILTERS, "foo"})


def keep_the_rest(lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch in which one is refused the others are kept."""
    post = lrs.statements.post

    def be_generous(request: Request, version: Version) -> Response:
        try:
            return post(request, version)
        except Refusal:
            first = request.body.lstrip()[1:].split(b"},{")[0] + b"}"
            lone = Request(request.method, request.path, request.query, request.headers, first)
            if request.body.startswith(b"[") and b'"no mailbox"' in request.body:
                post(lone, version)
            raise

    monkeypatch.setattr(lrs.statements, "post", be_generous)


Defect = Callable[[Lrs, pytest.MonkeyPatch], None]


@pytest.mark.parametrize(
    ("defect", "found", "section"),
    [
        (accept_everything, "XAPI-00038", "Data 2.4.2"),
        (ignore_since, "XAPI-00175", "Communication 2.1"),
        (list_the_voided, "XAPI-00018", "Data 2.3"),
        (ignore_conditions, "XAPI-00322", "Communication 3.1"),
        (take_unknown_parameters, "XAPI-00324", "Communication 3.2"),
        (keep_the_rest, "XAPI-00326", "Communication 3.2"),
    ],
)
async def test_a_defect_is_found_and_its_requirement_named(
    defect: Defect, found: str, section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as lrs, asking(lrs, "1.0.3") as asked:
        checks = list_checks("1.0.3", section)
        assert await list_broken(asked, checks) == []

        defect(lrs, monkeypatch)
        broken = await list_broken(asked, checks)

    assert any(re.search(rf"\b{found}\b", line) for line in broken), broken


async def test_what_an_endpoint_says_is_not_repeated() -> None:
    async with serving() as lrs, asking(lrs, "1.0.3") as asked:
        lrs.password = "another"
        with pytest.raises(Broken) as broken:
            (await asked.get(limit=1)).must_be(200)

    assert str(broken.value) == "GET statements answered 401, not 200"


async def test_a_statement_that_takes_its_time_is_waited_for() -> None:
    async with serving(lag_s=0.3) as lrs, asking(lrs, "1.0.3") as asked:
        checks = list_checks("1.0.3", "XAPI-00180")

        assert await list_broken(asked, checks) == []
