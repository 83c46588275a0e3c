"""Agents, activities, and what an endpoint says of itself."""

from __future__ import annotations

import re
from typing import Any

from jobgate.conformance.checks import Chapter
from jobgate.conformance.lrs import Lrs, make_id
from jobgate.conformance.made import make, make_activity, make_agent

CATALOGUE = check = Chapter("Communication 2.4")


@check("XAPI-00236", "XAPI-00237", "XAPI-00245", "XAPI-00246", "XAPI-00248")
async def a_person(lrs: Lrs) -> None:
    """An agent is answered as a Person, with arrays"""
    agent = make_agent(name="Ada")
    await lrs.keep(make(actor=agent))
    said = await lrs.ask("GET", "agents", {"agent": agent})
    found = said.object()
    said.require(found.get("objectType") == "Person", "the answer is no Person")
    said.require(found.get("mbox") == [agent["mbox"]], "`mbox` is not an array of the mailbox")


@check("XAPI-00238")
async def names_of_a_person(lrs: Lrs) -> None:
    """The names of a Person are an array of texts"""
    agent = make_agent(name="Ada")
    await lrs.keep(make(actor=agent))
    said = await lrs.ask("GET", "agents", {"agent": agent})
    names = said.object().get("name", [])
    said.require(isinstance(names, list) and all(isinstance(name, str) for name in names), "`name` is no such array")


@check("XAPI-00247", "XAPI-00239", "XAPI-00240", "XAPI-00241", "XAPI-00242", "XAPI-00244")
async def a_stranger(lrs: Lrs) -> None:
    """An agent that nobody knows is a Person with what it was asked by, of every kind"""
    name = make_id()
    kinds: tuple[dict[str, Any], ...] = (
        {"mbox": f"mailto:{name}@conformance.example"},
        {"mbox_sha1sum": (name + name).replace("-", "")[:40]},
        {"openid": f"https://conformance.example/openid/{name}"},
        {"account": {"homePage": "https://conformance.example", "name": name}},
    )
    for agent in kinds:
        said = await lrs.ask("GET", "agents", {"agent": agent})
        found = said.object()
        said.require(found.get("objectType") == "Person", "the answer is no Person")
        for kind, value in agent.items():
            said.require(found.get(kind) == [value], f"`{kind}` is not an array of what was asked")


@check("XAPI-00243")
async def agents_without_agent(lrs: Lrs) -> None:
    """agents needs agent"""
    (await lrs.ask("GET", "agents")).must_be(400)


@check("XAPI-00249", "XAPI-00012")
async def agents_of_no_agent(lrs: Lrs) -> None:
    """agents needs an agent that is one"""
    for agent in ("no JSON", {"name": "nobody"}, {"mbox": "no mailbox"}, [1]):
        (await lrs.ask("GET", "agents", {"agent": agent})).must_be(400)


@check("XAPI-00251", "XAPI-00252", "XAPI-00253")
async def an_activity(lrs: Lrs) -> None:
    """An activity is answered with its definition"""
    activity = make_activity(name={"en": "Exam"}, type="http://adlnet.gov/expapi/activities/assessment")
    await lrs.keep(make(object=activity))
    said = await lrs.ask("GET", "activities", {"activityId": activity["id"]})
    found = said.object()
    said.require(found.get("id") == activity["id"], "the activity has another id")
    said.require(found.get("definition") == activity["definition"], "the activity has another definition")


@check("XAPI-00254")
async def all_of_an_activity(lrs: Lrs) -> None:
    """An activity is answered with what all statements say of it"""
    activity = make_activity()
    for language, name in (("en", "Exam"), ("de", "Prüfung")):
        await lrs.keep(make(object=activity | {"definition": {"name": {language: name}}}))
    said = await lrs.ask("GET", "activities", {"activityId": activity["id"]})
    name = said.object().get("definition", {}).get("name")
    said.require(name == {"en": "Exam", "de": "Prüfung"}, "the activity has not what both statements said")


@check("XAPI-00250")
async def activities_without_id(lrs: Lrs) -> None:
    """activities needs activityId"""
    (await lrs.ask("GET", "activities")).must_be(400)


@check("XAPI-00012")
async def activities_of_no_iri(lrs: Lrs) -> None:
    """activities needs an activityId that is an IRI"""
    (await lrs.ask("GET", "activities", {"activityId": "no IRI"})).must_be(400)


@check("XAPI-00315", "XAPI-00318", "XAPI-00319", "XAPI-00320")
async def about(lrs: Lrs) -> None:
    """about tells versions, and extensions where there are any"""
    said = await lrs.ask("GET", "about")
    found = said.object()
    versions = found.get("version")
    said.require(isinstance(versions, list) and all(isinstance(each, str) for each in versions), "no array of versions")
    said.require(isinstance(found.get("extensions", {}), dict), "`extensions` is no object")


@check("XAPI-00316", "XAPI-00317")
async def versions_of_about(lrs: Lrs) -> None:
    """The versions that about tells are some that there are, this one among them"""
    said = await lrs.ask("GET", "about")
    versions = [str(each) for each in said.object().get("version", [])]
    there_are = re.compile(r"0\.9|0\.95|1\.0|1\.0\.[0-9]+|2\.0|2\.0\.[0-9]+").fullmatch
    said.require(all(there_are(each) for each in versions), "a version is none that there is")
    said.require(any(each.startswith(lrs.version[:3]) for each in versions), "this version is not among them")


@check("XAPI-00321")
async def about_without_a_version(lrs: Lrs) -> None:
    """about needs neither a version nor credentials"""
    for headers in ({"X-Experience-API-Version": None}, {"X-Experience-API-Version": None, "Authorization": None}):
        (await lrs.ask("GET", "about", headers=headers)).must_be(200)
