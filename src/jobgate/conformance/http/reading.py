"""Statements out: one by its id, in the format that is asked for, and what every answer says."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from jobgate.conformance.checks import Chapter, Run
from jobgate.conformance.lrs import JSON, THROUGH, Lrs, make_id, read_time
from jobgate.conformance.made import make, make_activity, make_agent, make_voiding

READING = check = Chapter("Communication 2.1")

OTHERS: dict[str, Any] = {
    "agent": {"mbox": "mailto:a@conformance.example"},
    "verb": "http://adlnet.gov/expapi/verbs/attempted",
    "activity": "https://conformance.example/activities/1",
    "registration": "3f2b7c1e-6a5d-4e8f-9b0a-1c2d3e4f5a6b",
    "related_activities": True,
    "related_agents": True,
    "since": "2012-06-01T00:00:00Z",
    "until": "2099-06-01T00:00:00Z",
    "limit": 1,
    "ascending": True,
}
"""What an id does not go with."""

INVALID: dict[str, tuple[Any, ...]] = {
    "statementId": ("1", "x"),
    "voidedStatementId": ("1",),
    "agent": ("x", "{", {"name": "nobody"}, {"mbox": "x"}),
    "verb": ("x",),
    "activity": ("x",),
    "registration": ("1",),
    "since": ("x", "2026-13-01T00:00:00Z"),
    "until": ("x",),
    "limit": (-1, "x"),
    "format": ("x",),
}


@check("XAPI-00156", "XAPI-00158", "XAPI-00159")
async def one_by_its_id(lrs: Lrs) -> None:
    """A statement is found by statementId"""
    (id,) = await lrs.keep(make())
    said = await lrs.get(statementId=id)
    said.require(said.object().get("id") == id, "the statement has another id")


@check()
async def id_in_capitals(lrs: Lrs) -> None:
    """An id means the same in capitals"""
    (id,) = await lrs.keep(make())
    (await lrs.get(statementId=id.upper())).must_be(200)


@check()
async def unknown_id(lrs: Lrs) -> None:
    """An id that nothing has is answered with 404"""
    (await lrs.get(statementId=make_id())).must_be(404)
    (await lrs.get(voidedStatementId=make_id())).must_be(404)


@check("XAPI-00151", "XAPI-00150")
async def both_ids(lrs: Lrs) -> None:
    """statementId and voidedStatementId exclude each other"""
    (await lrs.get(statementId=make_id(), voidedStatementId=make_id())).must_be(400)


def _alone(name: str, other: str) -> Run:
    async def run(lrs: Lrs) -> None:
        (await lrs.get(**{name: make_id(), other: OTHERS[other]})).must_be(400)

    return run


for _other in OTHERS:
    check.add(_alone("statementId", _other), "XAPI-00151", title=f"statementId does not go with {_other}")
    check.add(_alone("voidedStatementId", _other), "XAPI-00150", title=f"voidedStatementId does not go with {_other}")


@check("XAPI-00151")
async def what_an_id_goes_with(lrs: Lrs) -> None:
    """statementId goes with format and attachments"""
    (id,) = await lrs.keep(make())
    (await lrs.get(statementId=id, format="ids")).must_be(200)
    (await lrs.get(statementId=id, attachments=False)).must_be(200)


@check("XAPI-00150")
async def what_a_voided_id_goes_with(lrs: Lrs) -> None:
    """voidedStatementId goes with format and attachments"""
    (id,) = await lrs.keep(make())
    await lrs.keep(make_voiding(id))
    (await lrs.get(voidedStatementId=id, format="ids")).must_be(200)
    (await lrs.get(voidedStatementId=id, attachments=False)).must_be(200)


def _invalid(name: str, value: Any) -> Run:
    async def run(lrs: Lrs) -> None:
        (await lrs.get(**{name: value})).must_be(400)

    return run


for _name, _values in INVALID.items():
    for _place, _value in enumerate(_values):
        check.add(_invalid(_name, _value), "XAPI-00012", title=f"{_name} must be one, as in statements ({_place + 1})")


@check("XAPI-00165", "XAPI-00161")
async def content_type_is_told(lrs: Lrs) -> None:
    """Statements are application/json"""
    (id,) = await lrs.keep(make())
    for params in ({"statementId": id}, {"limit": 1}, {"limit": 1, "attachments": False}):
        said = (await lrs.get(**params)).must_be(200)
        said.require(said.header("Content-Type").startswith(JSON), "the answer is not application/json")


@check("XAPI-00153", "XAPI-00160", "XAPI-00152")
async def consistent_through_is_told(lrs: Lrs) -> None:
    """Every answer says through when it is consistent, whatever its status"""
    (id,) = await lrs.keep(make())
    for params in ({"statementId": id}, {"limit": 1}, {"verb": "x"}, {"statementId": make_id()}):
        read_time((await lrs.get(**params)).header(THROUGH))
    said = await lrs.get(limit=1)
    newest = said.statements()[:1]
    said.require(newest, "there is no statement although one was kept")
    is_after = read_time(said.header(THROUGH)) >= read_time(newest[0].get("stored"))
    said.require(is_after, "the answer has a statement that was stored after what it is consistent through")


@check(only="2.0.0")
async def last_modified_is_stored(lrs: Lrs) -> None:
    """Last-Modified of a statement is when it was stored"""
    (id,) = await lrs.keep(make())
    said = (await lrs.get(statementId=id)).must_be(200)
    try:
        told = parsedate_to_datetime(said.header("Last-Modified")).replace(tzinfo=UTC)
    except ValueError:
        said.require(False, "Last-Modified is no HTTP date")
        return
    stored = read_time(said.object().get("stored"))
    said.require(abs((told - stored).total_seconds()) < 1, "Last-Modified is not stored")


@check("XAPI-00168", "XAPI-00170")
async def format_exact(lrs: Lrs) -> None:
    """format=exact, and none, give a statement as it came"""
    statement = _make_wordy()
    await lrs.keep(statement)
    for params in ({}, {"format": "exact"}):
        said = await lrs.get(statementId=statement["id"], **params)
        for name in ("actor", "verb", "object"):
            said.require(said.object().get(name) == statement[name], f"`{name}` is not as it came")


@check("XAPI-00171")
async def format_ids(lrs: Lrs) -> None:
    """format=ids gives agents, verbs and activities by what they are known by"""
    statement = _make_wordy()
    await lrs.keep(statement)
    said = await lrs.get(statementId=statement["id"], format="ids")
    found = said.object()
    said.require("name" not in found.get("actor", {}), "the actor has a name")
    said.require(found.get("actor", {}).get("mbox") == statement["actor"]["mbox"], "the actor has no identifier")
    said.require(found.get("object", {}).get("id") == statement["object"]["id"], "the activity has no id")
    said.require("definition" not in found.get("object", {}), "the activity has a definition")


@check("XAPI-00169", "XAPI-00172")
async def format_canonical(lrs: Lrs) -> None:
    """format=canonical gives language maps in the one language that is asked for"""
    statement = _make_wordy()
    await lrs.keep(statement)
    for language, texts in (("de", {"de": "Prüfung"}), ("en", {"en": "Exam"})):
        params = {"statementId": statement["id"], "format": "canonical"}
        said = await lrs.ask("GET", "statements", params, headers={"Accept-Language": language})
        name = said.object().get("object", {}).get("definition", {}).get("name")
        said.require(isinstance(name, dict) and len(name) == 1, "a language map has not one language")
        said.require(name == texts, "a language map is not in the language that was asked for")


def _make_wordy() -> dict[str, Any]:
    return make(actor=make_agent(name="Ada"), object=make_activity(name={"en": "Exam", "de": "Prüfung"}))
