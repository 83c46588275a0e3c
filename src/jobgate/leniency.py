"""What the official SDKs send although the documentation says otherwise, put right by the type that is expected.

* PHP encodes every empty map as `[]`.
* Java callers who pass a map of strings send lists as JSON text or comma-joined, and objects as JSON text. (Their
  numbers and booleans in strings are msgspec's to convert: decode with `strict=False` afterwards.)
* `null` for an optional parameter means that it was not given.
* Words of a closed set come in any case.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
from msgspec import inspect

Mend = Callable[[Any], Any]
"""Takes what JSON gave and returns what was meant, or the same if that is not clear; dicts are changed in place."""

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
    holds_containers = isinstance(info.item_type, inspect.StructType | inspect.DictType | inspect.CollectionType)

    def mend_list(value: Any) -> Any:
        if type(value) is str:
            value = _read_list(value, may_split=not holds_containers)
        # A list that will be refused for its length is not worth the walk.
        if mend is None or type(value) is not list or (max_length is not None and len(value) > max_length):
            return value
        return [mend(item) for item in value]

    return mend_list


def _word_mend(words: tuple[Any, ...]) -> Mend | None:
    known = {word.casefold(): word for word in words if isinstance(word, str)}
    if not known:
        return None

    def mend_word(value: Any) -> Any:
        return known.get(value.casefold(), value) if type(value) is str and value not in words else value

    return mend_word


def _union_mend(members: list[inspect.Type], made: dict[type, Mend]) -> Mend | None:
    if len(members) == 1:
        return _make(members[0], made)
    lists = [member for member in members if isinstance(member, inspect.CollectionType)]
    objects = [member for member in members if isinstance(member, inspect.StructType | inspect.DictType)]
    others = [member for member in members if member not in lists and member not in objects]
    mend_list = _make(lists[0], made) if lists else None
    mend_object = _make(objects[0], made) if len(objects) == 1 else None
    mend_word = _make(others[0], made) if len(others) == 1 else None
    takes_text = any(not isinstance(other, NUMBERS) for other in others)

    def mend_union(value: Any) -> Any:
        kind, mend = type(value), mend_word
        if kind is list and (lists or value):
            mend = mend_list
        elif kind is list or kind is dict:
            mend = mend_object
        elif kind is str and not takes_text:
            mend = mend_object if mend_list is None or value.lstrip()[:1] == "{" else mend_list
        return value if mend is None else mend(value)

    return mend_union


NUMBERS = (inspect.IntType, inspect.FloatType, inspect.BoolType)


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
