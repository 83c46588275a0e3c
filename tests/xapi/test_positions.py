"""Where agents and activities stand, and what they are known by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.xapi.identifiers import Identifier, agent_id, identify, iri_id
from jobgate.xapi.positions import Place, walk_activities, walk_actors


def agent(name: str) -> dict[str, Any]:
    """An agent."""
    return {"account": {"homePage": "https://school.example", "name": name}}


def group(name: str, *members: str) -> dict[str, Any]:
    """A group."""
    return agent(name) | {"objectType": "Group", "member": [agent(member) for member in members]}


def activity(name: str) -> dict[str, Any]:
    """An activity."""
    return {"id": f"https://school.example/{name}"}


INNER = {
    "objectType": "SubStatement",
    "actor": group("inner", "inner member"),
    "object": activity("inner"),
    "context": {"instructor": agent("inner instructor"), "contextActivities": {"other": activity("inner other")}},
}
STATEMENT = {
    "actor": group("actor", "member 1", "member 2"),
    "object": INNER,
    "context": {
        "instructor": agent("instructor"),
        "team": group("team", "player"),
        "contextAgents": [{"agent": agent("agent")}],
        "contextGroups": [{"group": group("group", "participant")}],
        "contextActivities": {"parent": [activity("parent")], "category": activity("category")},
    },
    "authority": {"objectType": "Group", "member": [agent("consumer"), agent("user")]},
}


def test_everybody_is_found_with_their_place() -> None:
    found = {each.value: place for place, actor in walk_actors(STATEMENT) if (each := identify(actor)) is not None}

    assert found == {
        **dict.fromkeys(("actor", "member 1", "member 2"), Place.subject),
        **dict.fromkeys(("inner", "inner member", "inner instructor", "instructor", "team", "player"), Place.related),
        **dict.fromkeys(("agent", "group", "participant"), Place.related),
        **dict.fromkeys(("consumer", "user"), Place.authority),
    }


def test_every_activity_is_found_with_its_relation() -> None:
    found = [(place, relation, each["id"].rpartition("/")[2]) for place, relation, each in walk_activities(STATEMENT)]

    assert found == [
        (Place.related, None, "inner"),
        (Place.related, "other", "inner other"),
        (Place.related, "parent", "parent"),
        (Place.related, "category", "category"),
    ]


@pytest.mark.parametrize(
    ("about", "agents", "activities"),
    [
        (agent("x") | {"objectType": "Agent"}, 1, 0),
        (group("x", "y"), 2, 0),
        (activity("x"), 0, 1),
        (activity("x") | {"objectType": "Activity"}, 0, 1),
        ({"objectType": "StatementRef", "id": "x"}, 0, 0),
        ({"objectType": "SubStatement", "object": {"objectType": "SubStatement", "object": activity("x")}}, 0, 0),
    ],
)
def test_an_object_is_what_it_says(about: dict[str, Any], agents: int, activities: int) -> None:
    assert len(list(walk_actors({"object": about}))) == agents
    assert len(list(walk_activities({"object": about}))) == activities


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["actor", "object", "objectType", "context", "team", "member", "contextAgents", "agent", "id"]
            ),
            inner | st.sampled_from(["SubStatement", "Agent", "Activity"]),
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(SHAPES)
def test_no_shape_is_too_odd(statement: Any) -> None:
    for _, actor in walk_actors(statement):
        assert type(actor) is dict
        identify(actor)
    for _, _, found in walk_activities(statement):
        assert type(found) is dict


@pytest.mark.parametrize(
    ("actor", "kind"),
    [
        ({"mbox": "mailto:a@x.example"}, "mbox"),
        ({"mbox_sha1sum": "0" * 40}, "mbox_sha1sum"),
        ({"openid": "https://a.example"}, "openid"),
        (agent("a"), "account"),
        ({"account": {"name": "a"}}, None),
        ({"mbox": 7}, None),
        ({"name": "a"}, None),
        ("mailto:a@x.example", None),
    ],
)
def test_an_identifier_is_one_of_four(actor: Any, kind: str | None) -> None:
    found = identify(actor)

    assert (None if found is None else found.kind) == kind
    assert found is None or identify(found.as_agent()) == found


def test_equal_identifiers_have_equal_ids_and_others_have_others() -> None:
    same = [Identifier("mbox", "mailto:a@x.example"), Identifier("mbox", "mailto:a@X.Example")]
    others = [
        *(Identifier("mbox", "mailto:A@x.example"), Identifier("openid", "mailto:a@x.example")),
        *(Identifier("account", "b", "a"), Identifier("account", "a", "b"), Identifier("account", ":b", "a")),
        *(Identifier("account", "b", "a:"), Identifier("account", "1::b", "a"), Identifier("mbox_sha1sum", "0" * 40)),
    ]

    assert agent_id(same[0]) == agent_id(same[1])
    assert len({agent_id(each) for each in (*same, *others)}) == len(others) + 1
    assert str(iri_id("https://x.example")) == "29d53467-4bab-7943-64f9-fe5c8c960585"  # as in databases
