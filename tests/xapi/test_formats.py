"""Other forms of a statement: whatever shape it has, and in whatever language."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.conformance.samples import FULL
from jobgate.xapi.comparison import are_equal
from jobgate.xapi.formats import choose_language, list_verb_iris, make_canonical, reduce_to_ids
from jobgate.xapi.statements import validate

NAMES = st.sampled_from(
    ["actor", "object", "objectType", "verb", "id", "definition", "display", "name", "choices", "attachments", "member"]
)
SHAPES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.sampled_from(["SubStatement", "Activity", "Group"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=15,
)


@pytest.mark.parametrize(
    ("languages", "chosen"),
    [
        (["de"], "de"),
        (["de-AT", "fr"], "de"),
        (["FR-ca"], "fr-CA"),
        (["fr"], "fr-CA"),
        (["it", "en"], "en"),
        (["it"], "en"),
        ([], "en"),
    ],
)
def test_the_language_is_the_next_best(languages: list[str], chosen: str) -> None:
    assert choose_language({"en": 1, "de": 2, "fr-CA": 3}, languages) == chosen


@given(st.dictionaries(NAMES, SHAPES, max_size=5))
def test_no_shape_is_too_odd(statement: dict[str, Any]) -> None:
    list(list_verb_iris(statement))
    make_canonical(copy.deepcopy(statement), {"": {"name": {"a": 1, "b": 2}}}, {"": {"a": 1, "b": 2}}, ["b"])
    reduce_to_ids(statement)


def test_a_reduced_statement_is_valid_and_means_the_same_people_and_things() -> None:
    reduced = copy.deepcopy(FULL)
    reduce_to_ids(reduced)

    assert validate(reduced, "1.0.3") == []
    assert reduced["actor"] == {"objectType": "Agent", "mbox": FULL["actor"]["mbox"]}
    assert reduced["verb"] == {"id": FULL["verb"]["id"]}
    assert reduced["object"] == {"objectType": "Activity", "id": FULL["object"]["id"]}
    assert reduced["context"]["team"]["member"][0] == {"objectType": "Agent", "mbox": FULL["actor"]["mbox"]}
    assert reduced["result"] == FULL["result"]


def test_a_canonical_statement_is_the_same_statement() -> None:
    canonical = copy.deepcopy(FULL)
    definition = {"name": {"en-US": "Question 17", "de": "Frage 17"}, "moreInfo": "https://school.example/17"}
    make_canonical(
        canonical, {FULL["object"]["id"]: definition}, {FULL["verb"]["id"]: {"de": "hat beantwortet"}}, ["de"]
    )

    assert validate(canonical, "1.0.3") == []
    assert are_equal(canonical, FULL)
    assert canonical["object"]["definition"] == definition | {"name": {"de": "Frage 17"}}
    assert canonical["verb"]["display"] == {"de": "hat beantwortet"}
    assert definition["name"] == {"en-US": "Question 17", "de": "Frage 17"}  # what others share stays as it is
