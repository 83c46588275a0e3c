"""Answers beside the solutions of a question: what is chosen, sorted or typed as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jobgate.scoring.awards import Keyed
from jobgate.scoring.cells import (
    EMPTY,
    MAX_ENTRIES,
    Answer,
    Cell,
    Fold,
    accept_choices,
    compare_cells,
    compare_pairs,
    read_cells,
)
from jobgate.scoring.comparison import Comparison
from jobgate.scoring.kinds import Kind
from jobgate.scoring.validation import Key, Mode, Unusable


class Solution(NamedTuple):
    """A solution as it is compared."""

    score: float
    cells: list[Cell]
    choices: list[list[Cell]] | None = None
    """What is as good as `cells`, place by place."""


@dataclass(frozen=True, slots=True)
class CellMarker:
    """Compares answers with the solutions of one question."""

    solutions: Sequence[Solution]
    fold: Fold
    has_places: bool
    by_element: bool
    by_pair: bool

    def compare(self, value: Any) -> list[Keyed]:
        """An answer beside every solution. Raises `Unusable`."""
        answer = Answer(read_cells(value, self.fold, has_places=self.has_places))
        return [Keyed(solution.score, self._compare(solution, answer)) for solution in self.solutions]

    def _compare(self, solution: Solution, answer: Answer) -> Comparison:
        if solution.choices is not None:
            answer = accept_choices(solution.cells, solution.choices, answer)
        if self.by_pair:
            return compare_pairs(solution.cells, answer)
        return compare_cells(solution.cells, answer, by_element=self.by_element)


def read_cell_marker(kind: Kind, question: Mapping[str, Any], mode: Mode, keys: Sequence[Key]) -> CellMarker:
    """The solutions of a question, ready to be compared with. Raises `Unusable`."""
    fold = _choose_fold(kind, question)
    solutions = _read_solutions(kind, keys, fold)
    if kind.may_mix and _says(question, "match_all_possible_responses"):
        solutions = [_mix(solutions)]
    return CellMarker(
        solutions,
        fold,
        has_places=kind.has_places,
        by_element=kind.by_element or mode.by_element or _has_rows_of_choices(question, solutions),
        by_pair=mode.by_pair,
    )


def _read_solutions(kind: Kind, keys: Sequence[Key], fold: Fold) -> list[Solution]:
    """The solutions that have anything: editors leave empty alternatives behind."""
    solutions: list[Solution] = []
    num_entries = 0
    for key in keys:
        for solution in _read_key(kind, key, fold):
            num_entries += sum(map(len, solution.cells))
            if num_entries > MAX_ENTRIES:
                raise Unusable(f"the solutions have more than {MAX_ENTRIES} entries")
            if any(None in cell for cell in solution.cells):
                raise Unusable("a solution holds what is no answer")
            if any(solution.cells):
                solutions.append(solution)
    if not solutions:
        raise Unusable("`valid_response` has no `value`")
    return solutions


def _read_key(kind: Kind, key: Key, fold: Fold) -> list[Solution]:
    if key.matching_rule not in (None, "exactly"):
        raise Unusable("`matching_rule` is not supported")
    if not key.lists_choices:
        return [Solution(key.score, read_cells(key.value, fold, has_places=kind.has_places))]
    places = read_cells(key.value, fold, has_places=True)
    if not kind.has_places and kind.by_element:
        return [Solution(key.score, [{entry: None for cell in places for entry in cell}])]
    choices = [[dict.fromkeys([entry]) for entry in cell] for cell in places]
    if not kind.has_places:
        return [Solution(key.score, [choice]) for cell in choices for choice in cell]
    return [Solution(key.score, [cell[0] if cell else EMPTY for cell in choices], choices)]


def _mix(solutions: list[Solution]) -> Solution:
    """One solution that takes each place from any of them; it earns what the best of them does."""
    num_places = max(len(solution.cells) for solution in solutions)
    choices: list[list[Cell]] = [[] for _ in range(num_places)]
    for solution in solutions:
        for place, cell in enumerate(solution.cells):
            if cell:
                choices[place].append(cell)
    score = max(solution.score for solution in solutions)
    return Solution(score, [cells[0] if cells else EMPTY for cells in choices], choices)


def _has_rows_of_choices(question: Mapping[str, Any], solutions: Sequence[Solution]) -> bool:
    """Whether this is a matrix where a row may have several choices."""
    if question.get("type") != "choicematrix":
        return False
    return question.get("multiple_responses") is True or any(len(cell) > 1 for each in solutions for cell in each.cells)


def _choose_fold(kind: Kind, question: Mapping[str, Any]) -> Fold:
    if not kind.is_typed:
        return str
    is_exact = _says(question, "case_sensitive")
    keeps_blanks = not _says(question, "ignore_leading_and_trailing_spaces", default=True)
    if keeps_blanks:
        return str if is_exact else str.casefold
    return str.strip if is_exact else _fold


def _fold(text: str) -> str:
    return text.strip().casefold()


def _says(question: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """An option of the question, which editors keep beside or inside its validation."""
    validation = question.get("validation")
    for place in (question, validation):
        if isinstance(place, Mapping) and isinstance(place.get(name), bool):
            return place[name] is True
    return default
