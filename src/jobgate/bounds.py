"""Limits on what a request may hold where its type sets none: the text as a whole, open fields, plain integers.

A type is read once and becomes a collector of its *loose* values, those that nothing bounds; most requests have few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from math import isfinite
from typing import Any

import msgspec
from msgspec import inspect

from jobgate.errors import ApiError, Code, shown

MAX_STRUCTURE = 500_000
MAX_NESTING = 64
MAX_STRING_CHARS = 1024 * 1024
MAX_KEY_CHARS = 256
MAX_INTEGER = 2**53

Collect = Callable[[Any, list[Any]], None]
"""Appends the loose values inside a value to a list. Looks at the kind of a value first: it may be asked in vain."""


def count_structure(raw: bytes) -> int:
    """How many values and names a JSON text has, roughly: more only if its strings have commas and brackets."""
    return len(raw) - len(raw.translate(None, b",:[{"))


def check_text(raw: bytes, *, zeros: bool = False) -> None:
    """Refuse, before decoding, what would be costly to decode, and the zero character, which Postgres cannot keep.

    `zeros`: whoever asks looks for that character himself.
    """
    if len(raw) > MAX_STRUCTURE and count_structure(raw) > MAX_STRUCTURE:
        raise ApiError(Code.invalid_json, f"`request` must not have more than {MAX_STRUCTURE} values and names")
    if zeros:
        return
    # An escaped backslash before `u0000` is harmless, so those go first.
    if b"\\u0000" in raw and b"\\u0000" in raw.replace(b"\\\\", b""):
        raise ApiError(Code.invalid_json, r"`request` must not hold the character \u0000")


def check_loose(values: list[Any]) -> None:
    """Refuse JSON values that hold something too deep, too long or too large.

    Level by level, so that half a million values cost some calls into C each and not some lines of Python: 40 ms.
    """
    for level in range(MAX_NESTING + 1):
        kinds = set(map(type, values))
        if int in kinds:
            numbers = _only(int, kinds, values)
            if max(numbers) > MAX_INTEGER or min(numbers) < -MAX_INTEGER:
                number = next(number for number in numbers if not -MAX_INTEGER <= number <= MAX_INTEGER)
                raise ApiError(Code.wrong_type, f"{shown(number)} is not an integer between -2^53 and 2^53")
        if float in kinds and not all(map(isfinite, _only(float, kinds, values))):
            raise ApiError(Code.wrong_type, "a number is too large")
        if str in kinds and max(map(len, _only(str, kinds, values))) > MAX_STRING_CHARS:
            raise ApiError(Code.invalid_json, f"a string must not have more than {MAX_STRING_CHARS} characters")
        if list not in kinds and dict not in kinds:
            return
        if level == MAX_NESTING:
            raise ApiError(Code.invalid_json, f"`request` must not be nested deeper than {MAX_NESTING} levels")
        maps = _only(dict, kinds, values)
        if max(map(len, chain.from_iterable(maps)), default=0) > MAX_KEY_CHARS:
            raise ApiError(Code.invalid_json, f"a name must not have more than {MAX_KEY_CHARS} characters")
        inner: Iterable[Any] = chain.from_iterable(map(dict.values, maps))
        values = list(chain(inner, chain.from_iterable(_only(list, kinds, values))))


def _only(kind: type, kinds: set[type], values: list[Any]) -> list[Any]:
    if kind not in kinds:
        return []
    return values if len(kinds) == 1 else [value for value in values if type(value) is kind]


def make_collector(info: inspect.Type) -> Collect | None:
    """How to find the loose values of a type, or None if it has none.

    Strings are left out: a text that is long enough for one that is too long is checked as a whole.
    """
    return _make(info, {})


def _make(info: inspect.Type, made: dict[type, Collect]) -> Collect | None:
    match info:
        case inspect.AnyType():
            return _collect
        case inspect.RawType():
            return _collect_raw
        case inspect.IntType():
            is_bounded = (info.ge is not None or info.gt is not None) and (info.le is not None or info.lt is not None)
            return None if is_bounded else _collect
        case inspect.StructType():
            return made.get(info.cls) or _in_struct(info, made)
        case inspect.DictType():
            return _in_dict(_make(info.value_type, made), has_text_keys=isinstance(info.key_type, TEXT_KEYS))
        case inspect.CollectionType():
            return _in_list(_make(info.item_type, made))
        case inspect.TupleType():
            return _in_list(_merge([_make(item, made) for item in info.item_types]))
        case inspect.UnionType():
            return _merge([_make(member, made) for member in info.types])
        case _:
            return None


def _merge(collectors: list[Collect | None]) -> Collect | None:
    present = tuple(dict.fromkeys(collect for collect in collectors if collect is not None))
    if len(present) < 2:
        return present[0] if present else None

    def collect_all(value: Any, loose: list[Any]) -> None:
        for collect in present:
            collect(value, loose)

    return collect_all


def _in_struct(info: inspect.StructType, made: dict[type, Collect]) -> Collect | None:
    kind, fields = info.cls, list[tuple[str, Collect]]()

    def collect_fields(value: Any, loose: list[Any]) -> None:
        if isinstance(value, kind):
            for name, collect in fields:
                collect(getattr(value, name), loose)

    made[kind] = collect_fields  # before its fields are looked at: one of them may be of this very type
    for field in info.fields:
        collect = _make(field.type, made)
        if collect is not None:
            fields.append((field.name, collect))
    return collect_fields if fields else None


def _in_list(collect: Collect | None) -> Collect | None:
    if collect is None:
        return None

    def collect_items(value: Any, loose: list[Any]) -> None:
        if isinstance(value, list | tuple | set | frozenset):
            if collect is _collect:
                loose.extend(value)
                return
            for item in value:
                collect(item, loose)

    return collect_items


def _in_dict(collect: Collect | None, *, has_text_keys: bool) -> Collect:
    is_open = has_text_keys and collect is _collect

    def collect_entries(value: Any, loose: list[Any]) -> None:
        if isinstance(value, dict):
            loose.append(value if is_open else {key: None for key in value if isinstance(key, str)})
            if collect is not None and not is_open:
                for item in value.values():
                    collect(item, loose)

    return collect_entries


TEXT_KEYS = (inspect.StrType, inspect.AnyType)


def _collect(value: Any, loose: list[Any]) -> None:
    loose.append(value)


def _collect_raw(value: Any, loose: list[Any]) -> None:
    if isinstance(value, msgspec.Raw):
        loose.append(msgspec.json.decode(value))
