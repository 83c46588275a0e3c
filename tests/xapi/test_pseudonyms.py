"""Pseudonyms: everybody but the authority, in every place, and nothing else."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.conformance.cases import CASES, edit
from jobgate.conformance.samples import ACCOUNT, ATTACHMENT, FULL, GROUP, SUB_STATEMENT, USUAL
from jobgate.xapi.attachments import SIGNATURE, SIGNATURE_TYPE
from jobgate.xapi.identifiers import identify
from jobgate.xapi.positions import walk_actors
from jobgate.xapi.pseudonyms import HOME_PAGE, is_pseudonym, pseudonymise, pseudonymise_agent
from jobgate.xapi.statements import validate
from tests.people import AGENTS, BARE, OTHERS, find_traces, group_of, place_everywhere, write_statements
from tests.xapi.test_hostility import FULLEST, PLACES, Json

SECRET = b"a secret of 32 bytes, or nearly"


def cover(statement: Any) -> dict[str, Any]:
    """The statement under pseudonyms of this module's secret."""
    return pseudonymise(statement, SECRET)


@pytest.mark.parametrize("who", AGENTS, ids=lambda who: next(iter(who)))
def test_an_agent_is_replaced_wherever_it_stands(who: dict[str, Any]) -> None:
    pseudonym = pseudonymise_agent(who, SECRET)
    assert set(pseudonym) == {"account"}
    assert pseudonym["account"]["homePage"] == HOME_PAGE
    places = place_everywhere(who | {"name": "Ada"}, OTHERS[0])
    assert len(places) == 28
    for place, change in places.items():
        statement = BARE | change | {"version": "2.0.0"}
        assert validate(statement, "2.0.0") == []
        assert find_traces(statement, who) > 0

        covered = cover(statement)

        assert validate(covered, "2.0.0") == [], place
        assert find_traces(covered, who) == 0, place
        assert find_traces(covered, pseudonym) == find_traces(statement, who), place
        actors = [actor for _, actor in walk_actors(covered)]
        assert len(actors) == len(list(walk_actors(statement)))
        assert all("name" not in actor for actor in actors)


def test_everybody_has_one_pseudonym_and_no_two_share_it() -> None:
    mbox, sha1 = {"mbox": "mailto:ada@school.example"}, {"mbox_sha1sum": "24d17674de9ee9705940708722e8d5dca329dc1f"}
    everybody = [pseudonymise_agent(who, SECRET)["account"]["name"] for who in [*AGENTS, *OTHERS]]

    assert len(set(everybody)) == len(AGENTS) + len(OTHERS)
    assert pseudonymise_agent({"mbox": "mailto:ada@SCHOOL.example"}, SECRET) == pseudonymise_agent(mbox, SECRET)
    assert pseudonymise_agent(sha1 | {"name": "A"}, SECRET) == pseudonymise_agent(mbox, SECRET)
    assert pseudonymise_agent(mbox, b"another secret") != pseudonymise_agent(mbox, SECRET)


def test_the_pseudonym_of_an_mbox_is_pinned() -> None:
    account = pseudonymise_agent({"mbox": "mailto:ada@school.example"}, SECRET)["account"]

    assert account == {
        "homePage": "http://pseudo.traxlrs.com",
        "name": "1d01cd5884f0b116e616fa23d720d05fa5ec4a4f0ce86e1ee6a0a6a81db80a77",
    }


def test_groups_stay_groups_and_authorities_themselves() -> None:
    covered = cover(FULL | {"authority": group_of(*AGENTS[:2])})

    assert covered["authority"] == group_of(*AGENTS[:2])
    team = covered["context"]["team"]
    assert list(team) == ["objectType", "member"]
    assert [set(member) for member in team["member"]] == [{"objectType", "account"}, {"account"}]
    assert covered["actor"]["objectType"] == "Agent"


@given(seed=st.integers())
def test_covering_twice_changes_nothing(seed: int) -> None:
    (statement,) = write_statements(random.Random(seed), 1, AGENTS)

    covered = cover(statement)

    assert cover(covered) == covered
    assert pseudonymise(covered, b"another secret") == covered
    assert all(is_pseudonym(who) for place, actor in walk_actors(covered) if (who := identify(actor)) is not None)


def test_who_only_claims_to_be_a_pseudonym_is_replaced() -> None:
    claimed = {"account": {"homePage": HOME_PAGE, "name": "ada@school.example"}}

    assert pseudonymise_agent(claimed, SECRET)["account"]["name"] != "ada@school.example"


def test_what_is_valid_stays_valid_and_is_else_as_it_was() -> None:
    for cases in CASES.values():
        for change in [*cases.accepted, *cases.open_accepted]:
            for version in cases.versions:
                statement = edit(FULL, change)
                covered = cover(statement)
                assert validate(covered, version) == []
                for name in ("verb", "result", "timestamp", "authority"):
                    assert covered.get(name) == statement.get(name)


def test_a_signature_goes_and_other_attachments_stay() -> None:
    signature = ATTACHMENT | {"usageType": SIGNATURE, "contentType": SIGNATURE_TYPE}

    covered = cover(FULL | {"attachments": [signature, ATTACHMENT]})

    assert covered["attachments"] == [ATTACHMENT]


ADA = AGENTS[0]
ODD: dict[str, dict[str, Any]] = {
    "an array of actors": {"actor": [ADA, [ADA]]},
    "a text for an actor": {"actor": ADA["mbox"]},
    "a member that is an object": {"actor": {"objectType": "Group", "member": ADA}},
    "a member that is a text": {"actor": {"objectType": "Group", "member": [ADA["mbox"]]}},
    "a member of a member": {"actor": group_of(group_of(ADA))},
    "two identifiers": {"actor": ADA | {"openid": "https://ada.example/"}},
    "an identifier that is none": {"actor": {"mbox": [ADA["mbox"]]}},
    "an account that is none": {"actor": {"account": ADA["mbox"]}},
    "an agent within an agent": {"actor": {"agent": ADA}},
    "another name for the kind": {"object": ADA | {"objectType": "agent"}},
    "an object that does not say what it is": {"object": ADA},
    "a statement within a statement within": {
        "object": {**SUB_STATEMENT, "object": {"objectType": "SubStatement", "actor": ADA, "authority": ADA}}
    },
    "context agents that are an object": {"context": {"contextAgents": {"agent": ADA}}},
    "context agents that are agents": {"context": {"contextAgents": [ADA]}},
    "an agent under a name of its own": {"supervisor": {"of": [ADA]}},
    "an agent in the result": {"result": {"judge": ADA}},
    "an agent in the verb": {"verb": {"id": "http://x.example/v", "by": ADA}},
    "an agent among activities": {"context": {"contextActivities": {"parent": [ADA]}}},
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_an_odd_place_hides_nobody(change: dict[str, Any]) -> None:
    statement = USUAL | {"actor": ACCOUNT, "authority": GROUP} | change

    covered = cover(statement)

    assert find_traces(statement, ADA) > 0
    assert find_traces(covered, ADA) == 0
    assert cover(covered) == covered


@given(place=st.sampled_from([place for place in PLACES if place]), value=Json)
def test_no_json_raises(place: str, value: Any) -> None:
    try:
        statement = edit(FULLEST, {place: value})
    except (KeyError, IndexError):
        statement = edit(FULL, {place: value})

    covered = cover(statement)

    assert cover(covered) == covered
