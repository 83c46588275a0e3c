"""What holds for every resource: versions, credentials, parameters, HEAD."""

from __future__ import annotations

from typing import Any

from jobgate.conformance.checks import Chapter
from jobgate.conformance.http.resources import RESOURCES
from jobgate.conformance.lrs import VERSION, Lrs, make_id
from jobgate.conformance.made import make, make_activity, make_agent

PROTOCOL = check = Chapter("Communication 3.3")


def list_reads() -> dict[str, dict[str, Any]]:
    """A GET of every resource that needs a version, as it should be."""
    reads: dict[str, dict[str, Any]] = {
        "statements": {"limit": 1},
        "agents": {"agent": make_agent()},
        "activities": {"activityId": make_activity()["id"]},
    }
    return reads | {resource.path: resource.make_owner() for resource in RESOURCES}


@check("XAPI-00321", "XAPI-00331")
async def without_a_version(lrs: Lrs) -> None:
    """A request without a version is refused, by every resource but about"""
    for path, params in list_reads().items():
        (await lrs.ask("GET", path, params, headers={VERSION: None})).must_be(400)
    (await lrs.post(make(), X_Experience_API_Version=None)).must_be(400)


@check("XAPI-00331")
async def other_versions(lrs: Lrs) -> None:
    """A request under a version that there is not is refused"""
    for version in ("0.8", "0.9.9", "1.1.0", "3.0.0", "x"):
        (await lrs.ask("GET", "statements", {"limit": 1}, headers={VERSION: version})).must_be(400)


@check("XAPI-00331", only="1.0.3")
async def versions_of_1(lrs: Lrs) -> None:
    """1.0 and every 1.0.x are taken"""
    for version in ("1.0", "1.0.0", "1.0.3", "1.0.9"):
        (await lrs.ask("GET", "statements", {"limit": 1}, headers={VERSION: version})).must_be(200)


@check("XAPI-00331", only="2.0.0")
async def versions_of_2(lrs: Lrs) -> None:
    """2.0 and 2.0.0 are taken"""
    for version in ("2.0", "2.0.0"):
        (await lrs.ask("GET", "statements", {"limit": 1}, headers={VERSION: version})).must_be(200)


@check("XAPI-00333")
async def answers_tell_a_version(lrs: Lrs) -> None:
    """Every answer tells its version"""
    for path, params in list_reads().items():
        said = await lrs.ask("GET", path, params)
        said.require(said.header(VERSION)[:2] == lrs.version[:2], "the answer tells another version")


@check("XAPI-00334")
async def wrong_credentials(lrs: Lrs) -> None:
    """Without credentials, and with wrong ones, the answer is 401"""
    for path, params in list_reads().items():
        for credentials in (None, "Basic bm9ib2R5Om5vdGhpbmc="):
            (await lrs.ask("GET", path, params, headers={"Authorization": credentials})).must_be(401)
    statement = make()
    (await lrs.post(statement, Authorization=None)).must_be(401)
    (await lrs.get(statementId=statement["id"])).must_be(404, why="a statement without credentials was kept")


@check("XAPI-00335")
async def right_credentials(lrs: Lrs) -> None:
    """Basic credentials are taken, by every resource"""
    for path, params in list_reads().items():
        (await lrs.ask("GET", path, params)).must_be(200)


@check("XAPI-00324")
async def unknown_parameters(lrs: Lrs) -> None:
    """A parameter that the standard does not name is refused"""
    for path, params in list_reads().items():
        (await lrs.ask("GET", path, params | {"foo": "bar"})).must_be(400)
    (await lrs.ask("GET", "statements", {"statementId": make_id(), "foo": "bar"})).must_be(400)
    statement = make()
    (await lrs.put(statement, statementId=statement["id"], foo="bar")).must_be(400)


@check("XAPI-00325")
async def parameters_in_another_case(lrs: Lrs) -> None:
    """The case of a parameter's name counts"""
    statement = make()
    (await lrs.put(statement, StatementId=statement["id"])).must_be(400)
    for name, value in {
        "StatementId": make_id(),
        "VoidedStatementId": make_id(),
        "Agent": make_agent(),
        "Verb": "http://adlnet.gov/expapi/verbs/attempted",
        "Activity": make_activity()["id"],
        "Registration": make_id(),
        "Related_Activities": True,
        "Related_Agents": True,
        "Since": "2012-06-01T00:00:00Z",
        "Until": "2012-06-01T00:00:00Z",
        "Limit": 1,
        "Ascending": True,
        "Format": "ids",
        "Attachments": False,
    }.items():
        (await lrs.get(**{name: value})).must_be(400)


@check("XAPI-00125", "XAPI-00126")
async def heads(lrs: Lrs) -> None:
    """HEAD is answered like GET, without a body, by every resource"""
    (id,) = await lrs.keep(make())
    for path, params in [*list_reads().items(), ("about", {}), ("statements", {"statementId": id})]:
        got = await lrs.ask("GET", path, params)
        said = (await lrs.ask("HEAD", path, params)).must_be(got.status)
        said.require(said.body == b"", "the answer has a body")
        kinds = [each.headers.get("content-type", "").partition(";")[0] for each in (got, said)]
        said.require(kinds[0] == kinds[1], "the answer has another Content-Type than that to GET")


@check("XAPI-00125")
async def heads_that_are_refused(lrs: Lrs) -> None:
    """HEAD is refused like GET"""
    for params in ({"statementId": make_id()}, {"statementId": "x"}, {"verb": "x"}):
        got = await lrs.get(**params)
        (await lrs.ask("HEAD", "statements", params)).must_be(got.status)
