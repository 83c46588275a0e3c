"""Mentions: somebody's identifiers, wherever they stand, and nobody else's."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate import wire
from jobgate.xapi.identifiers import Identifier, identify
from jobgate.xapi.mentions import Mentions
from tests.people import AGENTS, BARE, OTHERS, find_traces, place_everywhere, write_statements
from tests.xapi.test_hostility import Storable
from tests.xapi.test_pseudonyms import ODD


def look_for(*agents: dict[str, Any]) -> Mentions:
    """Looks for these."""
    return Mentions(identifier for agent in agents if (identifier := identify(agent)) is not None)


def may_match(mentions: Mentions, value: Any) -> bool:
    """What Postgres says of the patterns."""
    text = wire.encode(value).decode()
    exact = any(re.fullmatch(_as_regex(pattern), text, re.DOTALL) for pattern in mentions.patterns)
    return exact or any(pattern.strip("%").lower() in text.lower() for pattern in mentions.digest_patterns)


def _as_regex(pattern: str) -> str:
    parts = re.findall(r"\\.|%|_|[^\\%_]+", pattern, re.DOTALL)
    return "".join({"%": ".*", "_": "."}.get(part) or re.escape(part.removeprefix("\\")) for part in parts)


@pytest.mark.parametrize("who", AGENTS, ids=lambda who: next(iter(who)))
def test_somebody_is_found_in_every_place_and_nobody_else_is(who: dict[str, Any]) -> None:
    mentions = look_for(who)
    for place, change in place_everywhere(who | {"name": "Ada"}, OTHERS[0]).items():
        assert mentions.in_statement(BARE | change), place
        assert may_match(mentions, BARE | change), place
    for other in OTHERS:
        for place, change in place_everywhere(other, OTHERS[0]).items():
            assert not mentions.in_statement(BARE | change), place
    assert not mentions.in_statement(BARE | {"authority": who})


@given(seed=st.integers())
def test_what_is_found_is_what_a_search_of_everything_finds(seed: int) -> None:
    (statement,) = write_statements(random.Random(seed), 1, AGENTS)

    assert look_for(*AGENTS).in_statement(statement) == any(find_traces(statement, who) for who in AGENTS)


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_an_odd_place_hides_nobody(change: dict[str, Any]) -> None:
    assert look_for(AGENTS[0]).in_statement(BARE | change)


@pytest.mark.parametrize(
    "text",
    ["mailto:ada@SCHOOL.Example", "MAILTO:ada@school.example", "D7F1C2A3B4E5F60718293A4B5C6D7E8F90A1B2C3"],
)
def test_capitals_hide_nobody_where_they_mean_nothing(text: str) -> None:
    mentions = look_for(*AGENTS)

    for value in ({"extensions": {"https://x.example/by": [text]}}, {"extensions": {text: 1}}, text):
        assert mentions.inside(value)
        assert may_match(mentions, value)
    assert not mentions.inside("mailto:Ada@school.example")


@given(name=st.text(max_size=8), home_page=st.text(max_size=8), around=Storable)
def test_any_text_is_found_by_its_pattern(name: str, home_page: str, around: Any) -> None:
    mentions = Mentions([Identifier("account", name, home_page)])

    for value in ({"name": name, "homePage": home_page}, [home_page, around, name], [[{home_page: name}]]):
        assert mentions.inside(value)
        assert may_match(mentions, value)
    assert name == home_page or not mentions.inside([name, [home_page]])


def test_an_openid_is_no_other_address() -> None:
    mentions = look_for({"openid": "https://school.example"})

    for iri in (
        {"actor": AGENTS[3]},
        {"object": {"id": "https://school.example"}},
        {"a": {"https://school.example": 1}},
    ):
        assert may_match(mentions, iri)
        assert not mentions.in_statement(BARE | iri)
    assert mentions.in_statement(BARE | {"by": ["https://school.example"]})


def test_two_halves_of_an_account_are_not_the_account() -> None:
    mentions = look_for({"account": {"homePage": "https://x.example/", "name": "https://x.example/"}})

    assert not mentions.inside({"id": "https://x.example/"})
