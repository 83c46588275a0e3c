"""Entries of the item bank, set and read through the signed surface, for tests."""

from __future__ import annotations

from typing import Any

from jobgate.testing import House


def mcq(right: str = "1", **changes: Any) -> dict[str, Any]:
    """The JSON of a question with one right option."""
    options = [{"value": value, "label": f"option {value}"} for value in ("0", "1", "2")]
    validation = {"scoring_type": "exactMatch", "valid_response": {"score": 2, "value": [right]}}
    return {"type": "mcq", "stimulus": "Which one?", "options": options, "validation": validation} | changes


def question(reference: str, right: str = "1") -> dict[str, Any]:
    """A question to set."""
    return {"reference": reference, "type": "mcq", "data": mcq(right)}


async def set_entries(house: House, kind: str, *entries: dict[str, Any], **options: Any) -> list[Any]:
    """Set entries of `questions`, `items` or `activities`; how each ended."""
    data = (await house.call(f"itembank/{kind}", "set", {kind: list(entries)}, **options)).data
    assert isinstance(data, list)
    return data


async def walk(house: House, kind: str, **request: Any) -> list[Any]:
    """The data of all pages."""
    pages = []
    while True:
        reply = await house.call(f"itembank/{kind}", "get", request)
        pages.append(reply.data)
        if "next" not in reply.meta:
            return pages
        request["next"] = reply.meta["next"]


async def read(house: House, kind: str, **request: Any) -> list[Any]:
    """The entries of all pages."""
    return [entry for page in await walk(house, kind, **request) for entry in page]
