"""What msgspec finds wrong with a request, in the protocol's codes and words.

msgspec reports one fault, as a sentence and a path. The sentences are a closed list; one that is not known here is a
rule of the type itself (a `ValueError` in `__post_init__`) and is passed on.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import inspect

from jobgate.errors import INPUT_SHOWN_CHARS, ApiError, Code, shown

PLACE = re.compile(r"(?P<fault>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?", re.DOTALL)
MISSING = re.compile(r"Object missing required field `(.+)`")
KIND = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
LENGTH = re.compile(r"Expected `(\w+)` of length (>=|<=|) ?(\d+).*")
RANGE = re.compile(r"Expected `(?:int|float|decimal)` (.+)")
WORD = re.compile(r"Invalid (?:enum )?value (.*)", re.DOTALL)
FORM = re.compile(r"Invalid (.+)|Expected `str` matching regex .*")
STEP = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")

KINDS = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "str": "a string",
    "array": "an array",
    "object": "an object",
    "null": "null",
    "uuid": "a UUID",
    "datetime": "a time",
    "date": "a date",
}
TRUNCATED = "it ends too early, or holds half a surrogate pair"
TOO_BIG = ("Integer value out of range", "Number out of range")


def malformed(error: Exception) -> ApiError:
    """The text is no JSON; msgspec knows at which byte."""
    if isinstance(error, RecursionError):
        return ApiError(Code.invalid_json, "`request` is nested too deeply")
    if isinstance(error, UnicodeError):
        return ApiError(Code.invalid_json, "`request` is not UTF-8")
    text = str(error).removeprefix("JSON is malformed: ").replace("Input data was truncated", TRUNCATED)
    return ApiError(Code.invalid_json, f"`request` is not JSON: {_cut(text)}")


def not_an_object() -> ApiError:
    """The text is JSON, but no map of parameters."""
    return ApiError(Code.invalid_json, "`request` must be a JSON object")


def translate(error: msgspec.ValidationError, info: inspect.Type) -> ApiError:
    """The refusal for a request that does not fit the type `info`."""
    place = PLACE.fullmatch(str(error))
    fault, path = (place["fault"], place["path"] or "") if place else (str(error), "")
    name = path.removeprefix(".")

    def refusal(code: Code, rule: str, name: str = name) -> ApiError:
        return ApiError(code, f"`{_cut(name) or 'request'}` {rule}")

    if found := MISSING.fullmatch(fault):
        return refusal(Code.missing_parameter, "must have a non-null value", f"{path}.{found[1]}".removeprefix("."))
    if found := KIND.fullmatch(fault):
        if found[2] == "null":
            return refusal(Code.missing_parameter, "must have a non-null value")
        kinds = [kind for kind in found[1].split(" | ") if kind != "null"]
        wanted = " or ".join(KINDS.get(kind, kind) for kind in kinds)
        return refusal(Code.wrong_type, f"must be {wanted}, not {KINDS.get(found[2], found[2])}")
    if found := LENGTH.fullmatch(fault):
        return refusal(*_explain_length(*found.groups()))
    if found := RANGE.fullmatch(fault):
        return refusal(Code.wrong_type, f"must be a number {found[1]}")
    if fault in TOO_BIG:
        if not name or "[...]" in name:  # found before the names were read
            return ApiError(Code.wrong_type, "a number is too large")
        return refusal(Code.wrong_type, "must be a number within range")
    if found := WORD.fullmatch(fault):
        words = _words(info, path)
        rule = f"must be one of {', '.join(map(str, words))}, not" if words else "does not support"
        return refusal(Code.unsupported_value, f"{rule} {_cut(found[1])}")
    if found := FORM.fullmatch(fault):
        form = _form(info, path)
        rule = f"must be a valid {found[1]}" if found[1] else f"has an unknown form{form and f' ({form})'}"
        return refusal(Code.unsupported_value, rule)
    return refusal(Code.unsupported_value, _cut(fault))


def _explain_length(kind: str, relation: str, length: str) -> tuple[Code, str]:
    things = "characters" if kind == "str" else "bytes" if kind == "bytes" else "entries"
    if relation == ">=":
        return Code.invalid_length, f"must contain {length} or more {things}"
    if relation == "<=" and things == "entries":
        return Code.too_much, f"must contain at most {length} entries"
    bound = "at most" if relation == "<=" else "exactly"
    return Code.invalid_length, f"must contain {bound} {length} {things}"


def _words(info: inspect.Type, path: str) -> list[Any]:
    """The closed set that is expected at `path`."""
    words: list[Any] = []
    for leaf in _leaves(info, path):
        if isinstance(leaf, inspect.LiteralType):
            words += leaf.values
        elif isinstance(leaf, inspect.EnumType):
            words += [member.value for member in leaf.cls]
    return words


def _form(info: inspect.Type, path: str) -> str:
    """What is said of the form that a text must have at `path`, if anything is."""
    said = [leaf.extra_json_schema or {} for leaf in _leaves(info, path) if isinstance(leaf, inspect.Metadata)]
    return next((str(each["description"]) for each in said if "description" in each), "")


def _leaves(info: inspect.Type, path: str) -> list[inspect.Type]:
    """What may stand at `path`."""
    reached = [info]
    for step in STEP.finditer(path):
        reached = [below for at in reached for below in _step(at, step[1])]
    return [leaf for at in reached for leaf in (at.types if isinstance(at, inspect.UnionType) else (at,))]


def _step(info: inspect.Type, name: str | None) -> list[inspect.Type]:
    match info:
        case inspect.Metadata():
            return _step(info.type, name)
        case inspect.UnionType():
            return [below for member in info.types for below in _step(member, name)]
        case inspect.StructType():
            return [field.type for field in info.fields if field.encode_name == name]
        case inspect.CollectionType():
            return [info.item_type]
        case inspect.TupleType():
            return list(info.item_types)
        case inspect.DictType():
            return [info.value_type]
        case _:
            return []


def _cut(text: str) -> str:
    return text if len(text) <= INPUT_SHOWN_CHARS else shown(text)
