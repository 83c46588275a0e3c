"""Results: statements, and where the next page is."""

from __future__ import annotations

from jobgate.conformance.checks import Chapter
from jobgate.conformance.lrs import Lrs, require_same
from jobgate.conformance.made import make, make_verb

PAGES = check = Chapter("Data 2.5")


@check("XAPI-00113", "XAPI-00110", "XAPI-00154")
async def a_result(lrs: Lrs) -> None:
    """A result has an array of statements"""
    await lrs.keep(make())
    said = await lrs.get()
    said.require(said.statements(), "there are no statements although one was kept")
    said.require(isinstance(said.object().get("more", ""), str), "`more` is no string")


@check("XAPI-00109")
async def the_last_page(lrs: Lrs) -> None:
    """At the end there is no `more`, or an empty one"""
    verb = make_verb()
    await lrs.keep(make(verb=verb))
    said = await lrs.get(verb=verb["id"])
    said.require(said.object().get("more", "") == "", "`more` is there although there is no more")


@check("XAPI-00108", "XAPI-00111", "XAPI-00114", "XAPI-00113")
async def page_after_page(lrs: Lrs) -> None:
    """`more` leads to what the page did not have, up to the end, under the same filters and in the same order"""
    verb = make_verb()
    ids = await lrs.keep(*(make(verb=verb) for _ in range(5)), make())
    for ascending in (True, False):
        said = await lrs.get(verb=verb["id"], limit=2, ascending=ascending)
        said.require(said.object().get("more"), "there is no `more` although there are more statements")
        found = await lrs.read_all(verb=verb["id"], limit=2, ascending=ascending)
        require_same(found, ids[:-1], "`more`")


@check("XAPI-00108")
async def more_is_a_path(lrs: Lrs) -> None:
    """`more` is a path on the server, or a whole URL"""
    verb = make_verb()
    await lrs.keep(*(make(verb=verb) for _ in range(2)))
    said = await lrs.get(verb=verb["id"], limit=1)
    more = str(said.object().get("more", ""))
    said.require(more.startswith(("/", "http://", "https://")), "`more` is neither")
    (await lrs.follow(more)).must_be(200)
