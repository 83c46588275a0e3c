"""Answers that are chosen, sorted or typed as text: how their values are read, and compared with a solution. Pure.

A value is a list of cells, one for each place where an answer goes; a cell holds the entries that are there. So a gap
of a cloze question is a cell with one entry, a cell of a classification has many, and all options of a multiple choice
question lie in one. Entries are compared as text: option "1", index 1 and 1.0 are the same.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest
from typing import Any

from jobgate.scoring.comparison import Comparison
from jobgate.scoring.validation import Unusable

MAX_ENTRIES = 5000
"""How many entries are compared: more are no answer that a person gave."""

MAX_NUMBER = 2**53
"""Larger ones are no index, and are not exact where they are floating."""

Entry = str | None
"""None: something that equals nothing, such as an object."""

Cell = dict[Entry, None]
"""The entries of a cell: order is kept, and does not matter when cells are compared."""

Fold = Callable[[str], str]
"""How typed text is made comparable."""

EMPTY: Cell = {}


def has_value(value: Any) -> bool:
    """Whether there is an answer: not null, not an empty text, not a list of nothing else, however deep."""
    level = [value]
    while level:
        lists = []
        for each in level:
            if isinstance(each, list):
                if each:
                    lists.append(each)
            elif each is not None and each != "":
                return True
        level = list(chain.from_iterable(lists))
    return False


def read_cells(value: Any, fold: Fold, *, has_places: bool) -> list[Cell]:
    """The cells of a value; one for each place if it `has_places`. Raises `Unusable` if there are too many."""
    places = value if has_places and isinstance(value, list) else [value]
    if len(places) > MAX_ENTRIES or sum(len(place) for place in places if isinstance(place, list)) > MAX_ENTRIES:
        raise Unusable(f"there are more than {MAX_ENTRIES} entries")
    return [_read_cell(place, fold) for place in places]


@dataclass(frozen=True)
class Answer:
    """The cells of an answer, and what every comparison asks of them."""

    cells: list[Cell]

    @cached_property
    def num_filled(self) -> int:
        """How many cells hold something."""
        return sum(map(bool, self.cells))

    @cached_property
    def ranks(self) -> dict[Entry, int]:
        """Where each entry stands first."""
        return {entry: place for place in reversed(range(len(self.cells))) for entry in self.cells[place]}


def compare_cells(key: list[Cell], answer: Answer, *, by_element: bool) -> Comparison:
    """Compare cell by cell, or entry by entry. Where the solution has nothing, an answer is wrong."""
    areas: list[bool | None] = []
    cells = answer.cells[: len(key)]
    num_wrong = answer.num_filled - sum(map(bool, cells))
    for wanted, given in zip_longest(key, cells, fillvalue=EMPTY):
        if by_element:
            num_surplus = len(given) - sum(entry in given for entry in wanted)
            num_wrong += num_surplus
            areas += _judge_entries(wanted, given, num_surplus)
        elif wanted and not given:
            areas.append(None)
        else:
            is_right = given == wanted
            num_wrong += not is_right
            areas += [is_right] if wanted else []
    return Comparison(tuple(areas), num_wrong, areas.count(True))


def compare_pairs(key: list[Cell], answer: Answer) -> Comparison:
    """Compare place by place, but let the share of pairs earn that stand in the right relative order."""
    comparison = compare_cells(key, answer, by_element=False)
    entries = [entry for cell in key for entry in cell]
    num_pairs = len(entries) * (len(entries) - 1) // 2
    if not num_pairs:
        return comparison
    seen: list[int] = []
    num_ordered = 0
    for place in (answer.ranks[entry] for entry in entries if entry in answer.ranks):
        num_ordered += bisect_left(seen, place)
        insort(seen, place)
    return comparison._replace(num_earned=len(comparison.areas) * (num_ordered / num_pairs))


def accept_choices(key: list[Cell], choices: list[list[Cell]], answer: Answer) -> Answer:
    """The answer, with what the solution wants in every place that holds one of the `choices` of that place."""
    accepted = [
        wanted if given in choices[place] else given
        for place, (wanted, given) in enumerate(zip(key, answer.cells, strict=False))
    ]
    return Answer(accepted + answer.cells[len(accepted) :])


def _judge_entries(wanted: Cell, given: Cell, num_surplus: int) -> list[bool | None]:
    """Entry by entry; a wrong one stands where one is missing, as when one option is taken for another."""
    verdicts: list[bool | None] = []
    for entry in wanted:
        is_right = entry in given
        is_mistaken = not is_right and num_surplus > 0
        num_surplus -= is_mistaken
        verdicts.append(is_right or (False if is_mistaken else None))
    return verdicts


def _read_cell(value: Any, fold: Fold) -> Cell:
    if isinstance(value, list):
        return {entry: None for each in value if (entry := _read_entry(each, fold)) != ""}
    entry = _read_entry(value, fold)
    return EMPTY if entry == "" else {entry: None}


def _read_entry(value: Any, fold: Fold) -> Entry:
    if isinstance(value, str):
        return fold(value)
    if value is None or value == []:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_NUMBER < value < MAX_NUMBER:
        return None
    return str(int(value)) if value == int(value) else str(value)
