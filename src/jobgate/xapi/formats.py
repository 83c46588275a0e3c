"""The other two forms that a statement is read in, besides the one that was recorded.

    reduce_to_ids      what identifies agents, activities, verbs and groups, and nothing else of them
    make_canonical     activities and verbs as a catalogue has them, in one language each

Both take any decoded JSON, pass over what has another shape, and change the statement that they are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobgate.xapi.identifiers import identify
from jobgate.xapi.positions import walk_activities, walk_actors

LanguageMap = dict[str, Any]

_COMPONENTS = ("choices", "scale", "source", "target", "steps")


def reduce_to_ids(statement: dict[str, Any]) -> None:
    """Leave what identifies somebody or something; of a group without an identifier, what identifies its members."""
    for _, actor in walk_actors(statement):
        identifier = identify(actor)
        _keep_only(actor, "objectType", "member" if identifier is None else identifier.kind)
    for _, _, activity in walk_activities(statement):
        _keep_only(activity, "objectType", "id")
    for verb in _verbs_of(statement):
        _keep_only(verb, "id")


def _keep_only(value: dict[str, Any], *names: str) -> None:
    for name in [name for name in value if name not in names]:
        del value[name]


def make_canonical(
    statement: dict[str, Any],
    definitions: Mapping[str, dict[str, Any]],
    displays: Mapping[str, LanguageMap],
    languages: Sequence[str],
) -> None:
    """Describe activities and verbs as a catalogue does, where it does, and leave one language of every map.

    `languages` are wanted in this order; where there is none of them, the first of the map is left.
    """
    for _, _, activity in walk_activities(statement):
        iri = activity.get("id")
        definition = definitions.get(iri) if type(iri) is str else None
        definition = definition or activity.get("definition")
        if type(definition) is dict:
            activity["definition"] = _localise_definition(definition, languages)
    for verb in _verbs_of(statement):
        iri = verb.get("id")
        display = displays.get(iri) if type(iri) is str else None
        if display:
            verb["display"] = display
        _localise(verb, "display", languages)
    for each in (statement, _inner(statement)):
        attachments = each.get("attachments")
        for attachment in attachments if type(attachments) is list else ():
            if type(attachment) is dict:
                _localise(attachment, "display", languages)
                _localise(attachment, "description", languages)


def _localise_definition(definition: dict[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    """A copy: other statements may have the same."""
    found = dict(definition)
    _localise(found, "name", languages)
    _localise(found, "description", languages)
    for name in _COMPONENTS:
        components = found.get(name)
        if type(components) is list:
            found[name] = [dict(each) if type(each) is dict else each for each in components]
            for component in found[name]:
                if type(component) is dict:
                    _localise(component, "description", languages)
    return found


def _localise(value: dict[str, Any], name: str, languages: Sequence[str]) -> None:
    texts = value.get(name)
    if type(texts) is dict and len(texts) > 1:
        tag = choose_language(texts, languages)
        value[name] = {tag: texts[tag]}


def choose_language(texts: LanguageMap, languages: Sequence[str]) -> str:
    """The name in a map that suits best: of a language that is wanted itself, then of a wider one, then of a narrower.

    `de-AT` finds `de-AT`, then `de`, then `de-CH`.
    """
    known = {tag.lower(): tag for tag in reversed(texts)}
    for wanted in map(str.lower, languages):
        parts = wanted.split("-")
        for length in range(len(parts), 0, -1):
            if (tag := "-".join(parts[:length])) in known:
                return known[tag]
        for tag in texts:
            if tag.lower().startswith(parts[0] + "-"):
                return tag
    return next(iter(texts))


def list_verb_iris(statement: dict[str, Any]) -> Iterator[str]:
    """The verbs of a statement and of the one within it."""
    for verb in _verbs_of(statement):
        if type(verb.get("id")) is str:
            yield verb["id"]


def _verbs_of(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in (statement, _inner(statement)):
        verb = each.get("verb")
        if type(verb) is dict:
            yield verb


def _inner(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement within, or an empty one."""
    about = statement.get("object")
    return about if type(about) is dict and about.get("objectType") == "SubStatement" else {}
