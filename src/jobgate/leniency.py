"""What the official SDKs send although the documentation says otherwise, put right by the type that is expected.

* PHP encodes every empty map as `[]`.
* Java callers who pass a map of strings send numbers and booleans as text, lists as JSON text or comma-joined, and
  objects as JSON text.
* `null` for an optional parameter means that it was not given.
* Words of a closed set come in any case, whole numbers with a zero fraction, booleans as 1 and 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
from msgspec import inspect

Mend = Callable[[Any], Any]
"""Takes what JSON gave and returns what was meant, or the same if that is not clear; dicts are changed in place."""

INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,3})?")
FLAGS = {"true": True, "false": False, "1": True, "0": False, 1: True, 0: False}

OBJECTS = (inspect.StructType, inspect.DictType)

_decode = msgspec.json.Decoder().decode


def make_mend(info: inspect.StructType) -> Mend:
    """How to put what was sent for a struct right."""
    return _struct_mend(info, {})


def _make(info: inspect.Type, made: dict[type, Mend]) -> Mend | None:
    match info:
        case inspect.StructType():
            return made.get(info.cls) or _struct_mend(info, made)
        case inspect.DictType():
            return _dict_mend(_make(info.value_type, made))
        case inspect.CollectionType():
            return _list_mend(info, made)
        case inspect.IntType():
            return _mend_integer
        case inspect.FloatType():
            return _mend_number
        case inspect.BoolType():
            return _mend_flag
        case inspect.LiteralType():
            return _word_mend(info.values)
        case inspect.EnumType():
            return _word_mend(tuple(_values(info.cls)))
        case inspect.UnionType():
            return _union_mend([member for member in info.types if not isinstance(member, inspect.NoneType)], made)
        case _:
            return None


def _struct_mend(info: inspect.StructType, made: dict[type, Mend]) -> Mend:
    fields = list[tuple[str, Mend | None, bool]]()

    def mend_struct(value: Any) -> Any:
        value = _read_object(value)
        if type(value) is dict:
            for name, mend, is_optional in fields:
                if name in value:
                    item = value[name]
                    if item is not None:
                        value[name] = item if mend is None else mend(item)
                    elif is_optional:
                        del value[name]
        return value

    made[info.cls] = mend_struct  # before its fields are looked at: one of them may be of this very type
    for field in info.fields:
        mend = _make(field.type, made)
        is_optional = not field.required and not _accepts_null(field.type)
        if mend is not None or is_optional:
            fields.append((field.encode_name, mend, is_optional))
    return mend_struct


def _dict_mend(mend: Mend | None) -> Mend:
    def mend_dict(value: Any) -> Any:
        value = _read_object(value)
        if mend is not None and type(value) is dict:
            return {key: mend(item) for key, item in value.items()}
        return value

    return mend_dict


def _list_mend(info: inspect.CollectionType, made: dict[type, Mend]) -> Mend:
    mend, max_length = _make(info.item_type, made), info.max_length
    holds_containers = isinstance(info.item_type, (inspect.CollectionType, *OBJECTS))

    def mend_list(value: Any) -> Any:
        if type(value) is str:
            value = _read_list(value, may_split=not holds_containers)
        # A list that will be refused for its length is not worth the walk.
        if mend is None or type(value) is not list or (max_length is not None and len(value) > max_length):
            return value
        return [mend(item) for item in value]

    return mend_list


def _mend_integer(value: Any) -> Any:
    if type(value) is str and INTEGER.fullmatch(value):
        return int(value)
    return int(value) if type(value) is float and value.is_integer() else value


def _mend_number(value: Any) -> Any:
    return float(value) if type(value) is str and NUMBER.fullmatch(value) else value


def _mend_flag(value: Any) -> Any:
    return FLAGS.get(value, value) if type(value) is str or type(value) is int else value


def _word_mend(words: tuple[Any, ...]) -> Mend:
    known = {str(word).casefold(): word for word in words}

    def mend_word(value: Any) -> Any:
        return known.get(value.casefold(), value) if type(value) is str and value not in words else value

    return mend_word


def _union_mend(members: list[inspect.Type], made: dict[type, Mend]) -> Mend | None:
    if len(members) == 1:
        return _make(members[0], made)
    lists = [member for member in members if isinstance(member, inspect.CollectionType)]
    objects = [member for member in members if isinstance(member, OBJECTS)]
    scalars = [member for member in members if not isinstance(member, (inspect.CollectionType, *OBJECTS))]
    mend_list = _make(lists[0], made) if lists else None
    mend_object = _make(objects[0], made) if len(objects) == 1 else None
    mends = [mend for mend in (_make(scalar, made) for scalar in scalars) if mend is not None]
    takes_text = len(mends) < len(scalars)

    def mend_union(value: Any) -> Any:
        kind = type(value)
        if kind is str and takes_text:
            return value
        opening = value.lstrip()[:1] if kind is str else ""
        if kind is list or opening == "[":
            mend = mend_list or mend_object
        elif kind is dict or opening == "{":
            mend = mend_object
        else:
            for mend_scalar in mends:
                mended = mend_scalar(value)
                if mended is not value:
                    return mended
            mend = mend_list if kind is str else None
        return value if mend is None else mend(value)

    return mend_union


def _accepts_null(info: inspect.Type) -> bool:
    if isinstance(info, inspect.UnionType):
        return any(_accepts_null(member) for member in info.types)
    return isinstance(info, inspect.NoneType | inspect.AnyType | inspect.RawType)


def _read_object(value: Any) -> Any:
    """`[]` as `{}`, and text as the object that it spells."""
    if type(value) is str and value.lstrip()[:1] in ("{", "["):
        value = _read_text(value)
    return {} if value == [] else value


def _read_list(text: str, *, may_split: bool) -> Any:
    """A list from the JSON that `text` spells, or from its comma-joined pieces; one piece is a list of one."""
    if text.lstrip()[:1] == "[":
        value = _read_text(text)
        if type(value) is list:
            return value
    if not may_split:
        return text
    return [piece.strip() for piece in text.split(",")] if text.strip() else []


def _read_text(text: str) -> Any:
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _values(kind: type[Enum]) -> list[Any]:
    return [member.value for member in kind]
