"""Voided statements: where they are not found any more, and where they are."""

from __future__ import annotations

from jobgate.conformance.checks import Chapter
from jobgate.conformance.lrs import Lrs, require_same
from jobgate.conformance.made import make, make_reference, make_voiding

VOIDING = check = Chapter("Data 2.3")


@check("XAPI-00018", "XAPI-00163", "XAPI-00019")
async def by_its_id(lrs: Lrs) -> None:
    """A voided statement is not found by statementId"""
    (id,) = await lrs.keep(make())
    await lrs.keep(make_voiding(id))
    (await lrs.get(statementId=id)).must_be(404)


@check("XAPI-00155", "XAPI-00157")
async def by_its_voided_id(lrs: Lrs) -> None:
    """A voided statement is found by voidedStatementId, and no other is"""
    (id, other) = await lrs.keep(make(), make())
    await lrs.keep(make_voiding(id))
    said = await lrs.get(voidedStatementId=id)
    said.require(said.object().get("id") == id, "the statement has another id")
    (await lrs.get(voidedStatementId=other)).must_be(404)


@check("XAPI-00162", "XAPI-00163")
async def in_lists(lrs: Lrs) -> None:
    """Lists leave out a voided statement, and have those that are about it"""
    statement = make()
    about = make(object=make_reference(statement["id"]))
    await lrs.keep(statement, about)
    voiding = make_voiding(statement["id"])
    await lrs.keep(voiding)
    found = await lrs.read_all(verb=statement["verb"]["id"])
    require_same(found, [about["id"], voiding["id"]], "verb")


@check("XAPI-00016")
async def voiding_the_voiding(lrs: Lrs) -> None:
    """A voiding statement cannot be voided: that is refused, or has no effect"""
    (id,) = await lrs.keep(make())
    (voiding,) = await lrs.keep(make_voiding(id))
    (await lrs.post(make_voiding(voiding))).must_be(200, 400)
    (await lrs.get(statementId=voiding)).must_be(200, why="a voiding statement was voided")
    (await lrs.get(statementId=id)).must_be(404, why="a voided statement came back")


@check()
async def what_is_not_there(lrs: Lrs) -> None:
    """Voiding a statement that is not there is accepted, and voids it when it arrives"""
    statement = make()
    await lrs.keep(make_voiding(statement["id"]))
    (await lrs.post(statement)).must_be(200)
    (await lrs.get(statementId=statement["id"])).must_be(404)


@check()
async def voided_twice(lrs: Lrs) -> None:
    """Voiding twice changes nothing"""
    (id,) = await lrs.keep(make())
    await lrs.keep(make_voiding(id))
    await lrs.keep(make_voiding(id))
    (await lrs.get(voidedStatementId=id)).must_be(200)


@check()
async def within_a_sub_statement(lrs: Lrs) -> None:
    """A sub-statement voids nothing"""
    (id,) = await lrs.keep(make())
    voiding = make_voiding(id)
    sub = {name: voiding[name] for name in ("actor", "verb", "object")} | {"objectType": "SubStatement"}
    await lrs.keep(make(object=sub))
    (await lrs.get(statementId=id)).must_be(200, why="a sub-statement voided something")
