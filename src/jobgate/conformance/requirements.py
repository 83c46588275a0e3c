"""The requirements of ADL's book for 1.0.3, and the sections that they belong to. 2.0.0 keeps their ids."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Collection

_BEGIN: tuple[tuple[int, str], ...] = (
    (1, "Data 2.2"),
    (16, "Data 2.3"),
    (21, "Data 2.4"),
    (22, "Data 2.4.7"),
    (23, "Data 2.4.8"),
    (24, "Data 2.4.9"),
    (25, "Data 2.4.11"),
    (26, "Data 2.4.1"),
    (31, "Data 2.4.2"),
    (44, "Data 2.4.3"),
    (46, "Data 2.4.4"),
    (74, "Data 2.4.5"),
    (84, "Data 2.4.6"),
    (97, "Data 2.4.8"),
    (98, "Data 2.4.9"),
    (101, "Data 2.4.10"),
    (102, "Data 2.4.11"),
    (108, "Data 2.5"),
    (115, "Data 2.6"),
    (118, "Data 4.1"),
    (121, "Data 4.2"),
    (122, "Data 4.5"),
    (124, "Data 4.6"),
    (125, "Communication 1.1"),
    (127, "Communication 1.5"),
    (139, "Communication 2.1"),
    (182, "Communication 2.2"),
    (187, "Communication 2.3"),
    (236, "Communication 2.4"),
    (250, "Communication 2.5"),
    (255, "Communication 2.6"),
    (285, "Communication 2.7"),
    (315, "Communication 2.8"),
    (322, "Communication 3.1"),
    (323, "Communication 3.2"),
    (330, "Communication 3.3"),
    (334, "Communication 4.0"),
    (336, "Communication 1.3"),
)
"""The first number of each stretch of the book."""

_NUMBERS = [first for first, _ in _BEGIN]

REQUIREMENTS: tuple[str, ...] = tuple(
    id
    for number in range(1, 337)
    if number != 136  # there is none
    for id in ([f"XAPI-{number:05}"] if number != 87 else ["XAPI-00087-1", "XAPI-00087-2"])
)
"""Every id; the book gives 87 to two, which the conformance suite tells apart."""

ADDED: dict[str, str] = dict.fromkeys(("context-agents", "context-groups", "relevant-types"), "Data 2.4.6")
"""What 2.0.0 adds has no ids: these are jobgate's, and the sections that they would belong to."""

IDS = frozenset({*REQUIREMENTS, *ADDED})

SECTIONS: frozenset[str] = frozenset(section for _, section in _BEGIN)

TWIN = "XAPI-00087"
"""The id that the book gives twice."""

_SECTION = re.compile(r"(?:Data|Communication) [0-9]+(?:\.[0-9]+)*", re.ASCII)


def find_section(id: str) -> str:
    """The section that a requirement belongs to."""
    if id in ADDED:
        return ADDED[id]
    return _BEGIN[bisect(_NUMBERS, int(id[5:10])) - 1][1]


def is_within(section: str, wanted: str) -> bool:
    """Whether a section is the one that is wanted, or a part of it: `Data 2.4.1` is in `Data 2.4` and in `Data 2.0`."""
    section, wanted = section.removesuffix(".0"), wanted.removesuffix(".0")
    return section == wanted or section.startswith(wanted + ".")


def find_scope(text: str) -> str | None:
    """The id or the section that is meant: for one that is smaller than any, the next larger. None: nothing is."""
    if text in IDS or text == TWIN:
        return text
    while _SECTION.fullmatch(text):
        if any(is_within(section, text) for section in SECTIONS):
            return text
        text = text.rpartition(".")[0]
    return None


def is_meant(section: str, ids: Collection[str], scope: str) -> bool:
    """Whether what belongs to a section and shows these requirements belongs to a scope."""
    if scope == TWIN:
        return any(id.startswith(TWIN) for id in ids)
    if scope in IDS:
        return scope in ids
    return any(is_within(each, scope) for each in (section, *map(find_section, ids)))
