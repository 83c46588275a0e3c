"""Request types that have every kind of field, and two ways to read into them."""

from __future__ import annotations

import json
import uuid
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from jobgate.errors import ApiError
from jobgate.wire import (
    decode_request,
)


class Colour(Enum):
    RED = "Red"
    BLUE = "Blue"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    session_id: Annotated[str, Meta(min_length=1, max_length=50)]
    user_id: str
    status: Literal["Completed", "Incomplete"] = "Completed"
    metadata: dict[str, Any] = {}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One field of every kind that a request may have."""

    entries: Annotated[list[Entry], Meta(min_length=1, max_length=3)] | None = None
    references: Annotated[list[str], Meta(max_length=4)] | None = None
    numbers: list[int] = []
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    big: int = 0
    ratio: float = 0.0
    is_all: bool = False
    name: str | UnsetType = UNSET
    since: int | str | None = None
    open: Any = None
    raw: msgspec.Raw | UnsetType = UNSET
    groups: dict[str, list[int]] = {}
    agent: Entry | str | None = None
    colour: Colour | None = None
    pair: tuple[int, str] | None = None
    id: uuid.UUID | None = None
    children: list[Wish] = []


class Need(msgspec.Struct, frozen=True, kw_only=True):
    statuses: Annotated[list[Entry], Meta(min_length=1)]
    kind: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        if self.kind == 2 and len(self.statuses) == 2:
            raise ValueError("two are too few")


class Either(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that may be one thing or another."""

    limit: int | list[int] | None = None
    names: Entry | list[str] | None = None
    ratio: int | float | None = None
    mode: Literal["all", "none"] | list[int] = "none"
    shape: Literal[1, 2] = 1
    pieces: tuple[int, ...] = ()
    pair: tuple[int, str] | None = None
    owners: dict[int, Any] | str = ""


def wish(**fields: object) -> Wish:
    return decode_request(json.dumps(fields).encode(), Wish)[0]


def refusal(raw: object, type: type[Any] = Wish) -> ApiError:
    with pytest.raises(ApiError) as caught:
        decode_request(raw if isinstance(raw, bytes) else json.dumps(raw).encode(), type)
    return caught.value
