"""Statements in: PUT and POST, what an endpoint adds to them, and what it must not lose."""

from __future__ import annotations

from typing import Any

from jobgate import wire
from jobgate.conformance.checks import Chapter
from jobgate.conformance.lrs import Lrs, make_id, read_time
from jobgate.conformance.made import HOME, make, make_activity, make_agent, make_verb

WRITING = check = Chapter("Communication 2.1")


@check("XAPI-00143", "XAPI-00144", "XAPI-00139")
async def put_with_an_id(lrs: Lrs) -> None:
    """A PUT with statementId is answered with 204"""
    statement = make()
    (await lrs.put(statement, statementId=statement["id"])).must_be(204)
    await lrs.settle(statement["id"])


@check("XAPI-00145")
async def put_without_an_id(lrs: Lrs) -> None:
    """A PUT without statementId is refused"""
    (await lrs.put(make())).must_be(400)


@check("XAPI-00146", "XAPI-00147", "XAPI-00139")
async def post_one(lrs: Lrs) -> None:
    """A POST of a statement is answered with 200 and an array of its id"""
    statement = make()
    said = await lrs.post(statement)
    said.require(said.json() == [statement["id"]], "the answer is not an array of the id")


@check("XAPI-00146", "XAPI-00147")
async def post_several(lrs: Lrs) -> None:
    """A POST of several is answered with their ids, in their order"""
    statements = [make() for _ in range(5)]
    said = await lrs.post(statements)
    said.require(said.json() == [each["id"] for each in statements], "the answer is not an array of the ids in order")


@check("XAPI-00026")
async def post_without_id(lrs: Lrs) -> None:
    """A statement without an id gets one"""
    statement = make()
    del statement["id"]
    (id,) = await lrs.keep(statement)
    said = await lrs.get(statementId=id)
    said.require(said.object().get("id") == id, "the statement does not have the id that was answered")


@check("XAPI-00142")
async def other_under_an_id(lrs: Lrs) -> None:
    """Another statement under an id that is taken changes nothing"""
    statement = make()
    await lrs.keep(statement)
    before = (await lrs.get(statementId=statement["id"])).object()
    other = make(id=statement["id"])
    (await lrs.put(other, statementId=statement["id"])).must_be(204, 409)
    (await lrs.post(other)).must_be(200, 409)
    said = await lrs.get(statementId=statement["id"])
    said.require(said.object() == before, "the statement was changed")


@check()
async def same_under_an_id(lrs: Lrs) -> None:
    """The same statement again is a success, and changes nothing"""
    statement = make()
    await lrs.keep(statement)
    before = (await lrs.get(statementId=statement["id"])).object()
    (await lrs.put(statement, statementId=statement["id"])).must_be(204)
    (await lrs.post(statement)).must_be(200)
    said = await lrs.get(statementId=statement["id"])
    said.require(said.object() == before, "the statement was changed")


@check(only="2.0.0")
async def same_id_twice(lrs: Lrs) -> None:
    """Two statements with one id in one request are refused"""
    statement = make()
    (await lrs.post([statement, make(id=statement["id"])])).must_be(400)


@check("XAPI-00326", "XAPI-00182")
async def one_bad_statement(lrs: Lrs) -> None:
    """Of a batch in which one is refused none is kept"""
    good = make()
    (await lrs.post([good, make(actor={"mbox": "no mailbox"}), make()])).must_be(400)
    (await lrs.get(statementId=good["id"])).must_be(404, why="a statement of a refused batch was kept")


@check("XAPI-00014", "XAPI-00021")
async def no_json(lrs: Lrs) -> None:
    """What is no JSON is refused"""
    for body in (b"{", b"statement", wire.encode(make())[:-1]):
        (await lrs.ask("POST", "statements", body=body)).must_be(400)


@check("XAPI-00021")
async def name_twice(lrs: Lrs) -> None:
    """A statement in which a name stands twice is refused"""
    body = wire.encode(make()).replace(b'{"id":', b'{"verb":{"id":"urn:x"},"id":', 1)
    (await lrs.ask("POST", "statements", body=body)).must_be(400)


@check("XAPI-00097", "XAPI-00023")
async def stored_is_the_receivers(lrs: Lrs) -> None:
    """Stored is what the endpoint says, not what the statement said"""
    statement = make(stored="2001-02-03T04:05:06Z")
    await lrs.keep(statement)
    said = await lrs.get(statementId=statement["id"])
    stored = read_time(said.object().get("stored"))
    said.require(stored.year > 2001, "stored was taken over from the statement")


@check("XAPI-00022")
async def timestamp_is_added(lrs: Lrs) -> None:
    """A statement without a timestamp gets one"""
    (id,) = await lrs.keep(make())
    read_time((await lrs.get(statementId=id)).object().get("timestamp"))


@check("XAPI-00099")
async def authority_is_added(lrs: Lrs) -> None:
    """A statement without an authority gets one"""
    (id,) = await lrs.keep(make())
    said = await lrs.get(statementId=id)
    said.require(isinstance(said.object().get("authority"), dict), "the statement has no authority")


@check("XAPI-00332")
async def version_stays(lrs: Lrs) -> None:
    """A statement keeps the version that it came with"""
    version = "2.0.0" if lrs.is_2 else "1.0.3"
    (id,) = await lrs.keep(make(version=version))
    said = await lrs.get(statementId=id)
    said.require(said.object().get("version") == version, "the version was changed")


@check()
async def version_is_added(lrs: Lrs) -> None:
    """A statement without a version gets one"""
    (id,) = await lrs.keep(make())
    said = await lrs.get(statementId=id)
    said.require(isinstance(said.object().get("version"), str), "the statement has no version")


@check("XAPI-00122")
async def milliseconds_stay(lrs: Lrs) -> None:
    """Timestamps keep their milliseconds at least"""
    told = "2026-03-04T05:06:07.123456789Z"
    (id,) = await lrs.keep(make(timestamp=told))
    said = await lrs.get(statementId=id)
    moment = read_time(said.object().get("timestamp"))
    said.require(abs((moment - read_time(told)).total_seconds()) < 0.001, "the timestamp lost its milliseconds")


@check()
async def zones_keep_the_instant(lrs: Lrs) -> None:
    """A timestamp in another zone stays the same instant"""
    told = "2026-03-04T05:06:07.5+05:30"
    (id,) = await lrs.keep(make(timestamp=told))
    said = await lrs.get(statementId=id)
    said.require(read_time(said.object().get("timestamp")) == read_time(told), "the timestamp is another instant")


@check("XAPI-00002")
async def numbers_keep_their_precision(lrs: Lrs) -> None:
    """Numbers keep the precision of 32 bits"""
    for number in (0.1234567, -12345.67, 1.234567e20, 7):
        (id,) = await lrs.keep(make(result={"score": {"raw": number}}))
        said = await lrs.get(statementId=id)
        found = said.object().get("result", {}).get("score", {}).get("raw")
        is_near = isinstance(found, int | float) and abs(found - number) <= abs(number) * 2**-23
        said.require(is_near, "a number lost its precision")


@check("XAPI-00015")
async def texts_stay(lrs: Lrs) -> None:
    """Texts keep every character, in UTF-8"""
    text = "Grüße, 你好, \U0001f600, “quoted” \\ / \t"
    (id,) = await lrs.keep(make(result={"response": text}))
    said = await lrs.get(statementId=id)
    said.require(said.object().get("result", {}).get("response") == text, "a text was changed")


@check("XAPI-00119", "XAPI-00120")
async def extensions_stay(lrs: Lrs) -> None:
    """Extensions keep whatever they hold, null and empty values too"""
    values: list[Any] = [None, "", {}, [], 0, False, {"a": [None, {"b": ""}]}]
    extensions = {f"{HOME}/{number}": value for number, value in enumerate(values)}
    statement = make(context={"extensions": extensions})
    (await lrs.put(statement, statementId=statement["id"])).must_be(204)
    await lrs.settle(statement["id"])
    said = await lrs.get(statementId=statement["id"])
    said.require(said.object().get("context", {}).get("extensions") == extensions, "extensions were changed")


@check("XAPI-00096", "XAPI-00095")
async def context_activities_become_arrays(lrs: Lrs) -> None:
    """Context activities are given as arrays, however they came"""
    relations = ("parent", "grouping", "category", "other")
    (id,) = await lrs.keep(make(context={"contextActivities": {name: make_activity() for name in relations}}))
    said = await lrs.get(statementId=id)
    found = said.object().get("context", {}).get("contextActivities", {})
    are_arrays = all(isinstance(found.get(name), list) and len(found[name]) == 1 for name in relations)
    said.require(are_arrays, "a context activity is not in an array")


@check()
async def everything_stays(lrs: Lrs) -> None:
    """A statement with all its parts comes back as it was"""
    statement = make(
        actor={"objectType": "Group", "name": "Team", "member": [make_agent(name="Ada")]},
        object={"objectType": "SubStatement", "actor": make_agent(), "verb": make_verb(), "object": make_activity()},
        result={"success": True, "completion": False, "duration": "PT1M", "score": {"scaled": 0.5}},
        context={"registration": make_id(), "language": "en-GB", "instructor": make_agent()},
        timestamp="2026-03-04T05:06:07Z",
    )
    await lrs.keep(statement)
    said = await lrs.get(statementId=statement["id"], format="exact")
    found = said.object()
    for name in ("id", "actor", "verb", "object", "result", "context"):
        said.require(found.get(name) == statement[name], f"`{name}` was changed")


@check("XAPI-00127")
async def other_content_types(lrs: Lrs) -> None:
    """A body that is neither JSON nor multipart/mixed is refused"""
    statement = make()
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
        (await lrs.post(statement, Content_Type=kind)).must_be(400)


@check("XAPI-00323", "XAPI-00182")
async def refused_is_not_kept(lrs: Lrs) -> None:
    """A statement that is refused is not kept"""
    statement = make(verb={"display": {"en": "no id"}})
    (await lrs.put(statement, statementId=statement["id"])).must_be(400)
    (await lrs.get(statementId=statement["id"])).must_be(404)
