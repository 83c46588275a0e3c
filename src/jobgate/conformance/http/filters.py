"""What filters find among statements, and what they leave out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jobgate.conformance.checks import Chapter
from jobgate.conformance.lrs import Lrs, make_id, require_same
from jobgate.conformance.made import make, make_activity, make_agent, make_reference, make_verb

FILTERS = check = Chapter("Communication 2.1")


@check("XAPI-00180", "XAPI-00164")
async def by_verb(lrs: Lrs) -> None:
    """verb finds the statements with this verb, and no others"""
    verb = make_verb()
    ids = await lrs.keep(make(verb=verb), make(verb=verb), make())
    require_same(await lrs.read_all(verb=verb["id"]), ids[:2], "verb")


@check("XAPI-00178", "XAPI-00164")
async def by_registration(lrs: Lrs) -> None:
    """registration finds the statements with this registration, and no others"""
    context = {"registration": make_id()}
    ids = await lrs.keep(
        make(context=context), make(context={"registration": make_id()}), make(), make(context=context)
    )
    require_same(await lrs.read_all(**context), [ids[0], ids[3]], "registration")


@check("XAPI-00181", "XAPI-00164")
async def by_agent(lrs: Lrs) -> None:
    """agent finds the statements whose actor or object this is, however it is identified, and no others"""
    for agent in _make_agents():
        about = agent | {"objectType": "Agent"}
        ids = await lrs.keep(make(actor=agent | {"name": "Ada"}), make(object=about), make())
        require_same(await lrs.read_all(agent=agent), ids[:2], "agent")


@check("XAPI-00181", "XAPI-00176")
async def agent_elsewhere(lrs: Lrs) -> None:
    """agent leaves out statements that name it elsewhere"""
    agent = make_agent()
    await lrs.keep(make(context={"instructor": agent}))
    require_same(await lrs.read_all(agent=agent), [], "agent")
    require_same(await lrs.read_all(agent=agent, related_agents=False), [], "agent with related_agents=false")


@check("XAPI-00176", "XAPI-00164")
async def by_related_agents(lrs: Lrs) -> None:
    """related_agents finds the statements that name the agent anywhere"""
    agent = make_agent()
    group = {"objectType": "Group", "member": [agent]}
    sub = {"objectType": "SubStatement", "actor": agent, "verb": make_verb(), "object": make_activity()}
    ids = await lrs.keep(
        make(actor=agent),
        make(context={"instructor": agent}),
        make(context={"team": group}),
        make(object=sub),
        make(object=sub | {"actor": make_agent(), "context": {"instructor": agent}}),
        make(),
    )
    require_same(await lrs.read_all(agent=agent, related_agents=True), ids[:-1], "related_agents")


@check("XAPI-00176", only="2.0.0")
async def by_context_agents(lrs: Lrs) -> None:
    """related_agents looks at contextAgents and contextGroups too"""
    agent = make_agent()
    group = {"objectType": "Group", "account": {"homePage": "https://conformance.example", "name": make_id()}}
    ids = await lrs.keep(
        make(context={"contextAgents": [{"objectType": "contextAgent", "agent": agent}]}),
        make(context={"contextGroups": [{"objectType": "contextGroup", "group": group}]}),
    )
    require_same(await lrs.read_all(agent=agent, related_agents=True), ids[:1], "related_agents")
    require_same(await lrs.read_all(agent=group, related_agents=True), ids[1:], "related_agents")


@check("XAPI-00179", "XAPI-00164")
async def by_activity(lrs: Lrs) -> None:
    """activity finds the statements about it, and leaves out those that name it elsewhere"""
    activity = make_activity()
    ids = await lrs.keep(make(object=activity), make(), make(context={"contextActivities": {"parent": [activity]}}))
    require_same(await lrs.read_all(activity=activity["id"]), ids[:1], "activity")


@check("XAPI-00177", "XAPI-00164")
async def by_related_activities(lrs: Lrs) -> None:
    """related_activities finds the statements that name the activity anywhere"""
    activity = make_activity()
    within = {name: {"contextActivities": {name: [activity]}} for name in ("parent", "grouping", "category", "other")}
    sub = {"objectType": "SubStatement", "actor": make_agent(), "verb": make_verb(), "object": activity}
    ids = await lrs.keep(
        make(object=activity),
        *(make(context=context) for context in within.values()),
        make(object=sub),
        make(object=sub | {"object": make_activity(), "context": within["parent"]}),
        make(),
    )
    require_same(await lrs.read_all(activity=activity["id"], related_activities=True), ids[:-1], "related_activities")


@check("XAPI-00175", "XAPI-00174", "XAPI-00164")
async def by_stored(lrs: Lrs) -> None:
    """since finds what was stored after it, until what was stored at it or before"""
    verb = make_verb()
    statements = [make(verb=verb) for _ in range(3)]
    moments = [_write(moment) for moment in await lrs.keep_apart(*statements)]
    ids = [each["id"] for each in statements]
    find = lrs.read_all
    require_same(await find(verb=verb["id"], since=moments[0]), ids[1:], "since")
    require_same(await find(verb=verb["id"], until=moments[1]), ids[:2], "until")
    require_same(await find(verb=verb["id"], since=moments[0], until=moments[1]), ids[1:2], "since with until")
    require_same(await find(verb=verb["id"], since=moments[2]), [], "since")


@check("XAPI-00166")
async def in_order(lrs: Lrs) -> None:
    """The newest come first; with ascending=true the oldest do"""
    verb = make_verb()
    statements = [make(verb=verb) for _ in range(3)]
    await lrs.keep_apart(*statements)
    ids = [each["id"] for each in statements]
    said = await lrs.get(verb=verb["id"])
    said.require(said.ids() == ids[::-1], "the newest statement does not come first")
    said = await lrs.get(verb=verb["id"], ascending=False)
    said.require(said.ids() == ids[::-1], "the newest statement does not come first with ascending=false")
    said = await lrs.get(verb=verb["id"], ascending=True)
    said.require(said.ids() == ids, "the oldest statement does not come first with ascending=true")


@check("XAPI-00173")
async def limited(lrs: Lrs) -> None:
    """limit bounds a page; 0 is the endpoint's own limit"""
    verb = make_verb()
    ids = await lrs.keep(*(make(verb=verb) for _ in range(3)))
    for limit, wanted in ((1, 1), (2, 2), (0, 3)):
        said = await lrs.get(verb=verb["id"], limit=limit)
        said.require(len(said.ids()) == wanted, f"a page with limit={limit} has not {wanted} of {len(ids)} statements")


@check("XAPI-00164")
async def all_together(lrs: Lrs) -> None:
    """Several filters find what fits all of them"""
    verb, agent, activity = make_verb(), make_agent(), make_activity()
    ids = await lrs.keep(
        make(verb=verb, actor=agent, object=activity), make(verb=verb, actor=agent), make(actor=agent, object=activity)
    )
    found = await lrs.read_all(verb=verb["id"], agent=agent, activity=activity["id"])
    require_same(found, ids[:1], "verb, agent and activity")


@check()
async def by_target(lrs: Lrs) -> None:
    """A filter finds the statements too that are about one that fits"""
    statement = make()
    about = make(object=make_reference(statement["id"]))
    ids = await lrs.keep(statement, about, make(object=make_reference(about["id"])))
    require_same(await lrs.read_all(verb=statement["verb"]["id"]), ids, "verb")


@check("XAPI-00149", "XAPI-00112", "XAPI-00154")
async def nothing_fits(lrs: Lrs) -> None:
    """What nothing fits is answered with 200 and no statements"""
    said = await lrs.get(registration=make_id())
    said.require(said.statements() == [], "there are statements although nothing fits")


def _make_agents() -> list[dict[str, Any]]:
    """One of every kind."""
    name = make_id()
    return [
        {"mbox": f"mailto:{name}@conformance.example"},
        {"mbox_sha1sum": (name + name).replace("-", "")[:40]},
        {"openid": f"https://conformance.example/openid/{name}"},
        {"account": {"homePage": "https://conformance.example", "name": name}},
    ]


def _write(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
