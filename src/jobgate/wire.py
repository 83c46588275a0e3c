"""JSON in and out: requests into their types, answers into envelopes. No other module encodes or decodes JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from functools import cache
from itertools import islice
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any, Generic, TypeVar, overload

import msgspec
from msgspec import UNSET, UnsetType, inspect

from jobgate import complaints
from jobgate.bounds import check_loose, check_text, count_structure, make_collector
from jobgate.errors import INPUT_SHOWN_CHARS, ApiError
from jobgate.leniency import make_mend
from jobgate.turns import uncollected

T = TypeVar("T")

LARGE_TEXT_BYTES = 256 * 1024
MAX_LENIENT_STRUCTURE = 200_000
"""Larger requests must fit their type exactly: reading them twice would hold up everybody else."""

MAX_IGNORED_SHOWN = 32

Undecodable = msgspec.DecodeError
"""Raised by `decode` for text that does not fit the type."""

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_decode_open = msgspec.json.Decoder().decode
_decode_names = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def encode(value: Any) -> bytes:
    """`value` as JSON in UTF-8. NaN and infinity, which JSON does not have, are a `ValueError`."""
    encoded = _encode(value)
    # msgspec writes null for them, so what has no null has none of them and need not be searched.
    if b"null" in encoded:
        _refuse_nan(value)
    return encoded


def encode_canonically(value: Any) -> bytes:
    """`value` as JSON, in which equal values have equal bytes whatever the order of names: to compare, not to keep."""
    return _encode_sorted(value)


@overload
def decode(text: bytes | str, type: type[T]) -> T: ...
@overload
def decode(text: bytes | str, type: Any) -> Any: ...
def decode(text: bytes | str, type: Any) -> Any:
    """Text that jobgate wrote itself, as `type`; strict. Raises `Undecodable`."""
    return _decoder(type).decode(text)


@cache
def _decoder(type: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type)


def decode_request(raw: bytes | None, type: type[T]) -> tuple[T, tuple[str, ...]]:
    """The posted `request` as `type`, and the top-level names that `type` does not know (never `meta`).

    What fits the type exactly is decoded once. What does not is read again as the official SDKs mean it, by the rules
    of `leniency`. Raises the protocol's 200xx for anything else.
    """
    raw = b"{}" if raw is None else raw
    check_text(raw, zeros=judges_inside(type))
    try:
        with uncollected() if len(raw) > LARGE_TEXT_BYTES else nullcontext():
            reader: _Reader[T] = _reader(type)  # type: ignore[arg-type]  # types are hashable
            return reader.read(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise complaints.malformed(error) from None


def judges_inside(type: Any) -> bool:
    """Whether the handler judges what stands in fields that keep their JSON, one by one: the border lets it through."""
    return getattr(type, "judges_inside", False) is True


class _Reader(Generic[T]):
    """A request type, and everything about it that is worked out once."""

    def __init__(self, type: type[T]) -> None:
        info = inspect.type_info(type)
        assert isinstance(info, inspect.StructType)
        self._type = type
        self._info = info
        self._decode = msgspec.json.Decoder(type).decode
        self._mend = make_mend(info)
        self._judges_inside = judges_inside(type)
        self._collect = None if self._judges_inside else make_collector(info)
        self._known = {"meta", *(field.encode_name for field in info.fields)}

    def read(self, raw: bytes) -> tuple[T, tuple[str, ...]]:
        if len(raw) > LARGE_TEXT_BYTES and not self._judges_inside:
            return self._read_large(raw)
        try:
            value = self._decode(raw)
        except msgspec.ValidationError:
            return self._mended(raw, self._read_open(raw))
        if self._collect is not None:
            loose: list[Any] = []
            self._collect(value, loose)
            check_loose(loose)
        return value, self._name_unknown(_decode_names(raw))

    def _read_large(self, raw: bytes) -> tuple[T, tuple[str, ...]]:
        # Checking everything, in C, costs less than looking in Python for what the type leaves open, whatever the type.
        found = self._read_open(raw)
        check_loose([found])
        try:
            return self._fill(found), self._name_unknown(found)
        except msgspec.ValidationError as error:
            if count_structure(raw) > MAX_LENIENT_STRUCTURE:
                raise complaints.translate(error, self._info) from None
        return self._mended(raw, found)

    def _read_open(self, raw: bytes) -> dict[str, Any]:
        try:
            found = _decode_open(raw)
        except msgspec.ValidationError as error:
            raise complaints.translate(error, self._info) from None
        if found == []:
            return {}
        if not isinstance(found, dict):
            raise complaints.not_an_object()
        return found

    def _mended(self, raw: bytes, found: dict[str, Any]) -> tuple[T, tuple[str, ...]]:
        ignored = self._name_unknown(found)
        mended = self._mend(found)
        if b"u0000" in raw:
            # JSON spelled in a string was only text when the request was checked.
            check_text(_encode(mended))
        check_loose([mended])
        try:
            return self._fill(mended), ignored
        except msgspec.ValidationError as error:
            raise complaints.translate(error, self._info) from None

    def _fill(self, found: dict[str, Any]) -> T:
        try:
            return msgspec.convert(found, self._type)
        except msgspec.ValidationError as error:
            if "`raw`" not in str(error):
                raise
            # A field that keeps its JSON can only be filled from JSON.
            return self._decode(_encode(found))

    def _name_unknown(self, names: dict[str, Any]) -> tuple[str, ...]:
        if names.keys() <= self._known:
            return ()
        unknown = (name[:INPUT_SHOWN_CHARS] for name in names if name not in self._known)
        return tuple(islice(unknown, MAX_IGNORED_SHOWN))


@cache
def _reader(type: Any) -> _Reader[Any]:
    return _Reader(type)


class _Meta(msgspec.Struct, kw_only=True):
    """What is UNSET is left out: clients test for the key, not for its value."""

    status: bool = True
    timestamp: int
    records: int | UnsetType = UNSET
    next: str | UnsetType = UNSET
    versions: Any | UnsetType = UNSET
    replayed: bool | UnsetType = UNSET
    ignored: Sequence[str] | UnsetType = UNSET


class _Success(msgspec.Struct):
    meta: _Meta
    data: Any


def success(
    data: Any,
    *,
    now_s: int,
    records: int | None = None,
    next: str | None = None,  # noqa: A002 - the protocol's word
    versions: Any = None,
    replayed: bool = False,
    ignored: Sequence[str] = (),
) -> bytes:
    """The envelope of an answer, in ASCII. `data` must be an array or an object: one client reads nothing else."""
    meta = _Meta(
        timestamp=now_s,
        records=UNSET if records is None else records,
        next=UNSET if next is None else next,
        versions=UNSET if versions is None else versions,
        replayed=replayed or UNSET,
        ignored=ignored or UNSET,
    )
    return _escape(encode(_Success(meta, data)))


def failure(error: ApiError, *, now_s: int, request_id: str) -> bytes:
    """The envelope of a refusal, in ASCII: code, message, what to do about it, and the id to ask the operator about."""
    meta = {
        **error.data,
        "status": False,
        "code": error.code.number,
        "message": error.message,
        "advice": error.code.advice,
        "request_uuid": request_id,
        "timestamp": now_s,
    }
    return _escape(encode({"meta": meta}))


def _escape(encoded: bytes) -> bytes:
    r"""The same JSON in ASCII, because one official client decodes answers with the character set of its platform.

    The standard library escapes a whole text as if it were one string: besides `\uXXXX` that doubles every backslash
    and puts one before every quote, and both are taken back. All of it runs in C, whatever the text is made of.
    """
    if encoded.isascii():
        return encoded
    quoted = encode_basestring_ascii(encoded.decode())[1:-1]
    return quoted.replace(r"\\", "\\").replace(r"\"", '"').encode()


PLAIN = frozenset({str, int, bool, type(None), msgspec.Raw, UnsetType})


COLLECTIONS = (list, tuple, set, frozenset)


def _refuse_nan(value: Any) -> None:
    items: Iterable[Any]
    if isinstance(value, msgspec.Struct):
        items = msgspec.structs.astuple(value)
    elif isinstance(value, dict):
        items = value.values()
    elif isinstance(value, COLLECTIONS):
        items = value
    elif isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value} cannot be written as JSON")
    else:
        return
    for item in items:
        if type(item) not in PLAIN:
            _refuse_nan(item)
