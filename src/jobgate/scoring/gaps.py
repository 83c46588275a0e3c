"""Gaps for mathematics: which checks an answer must pass, and what their verdicts make of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jobgate.scoring.awards import Keyed
from jobgate.scoring.cells import read_cells
from jobgate.scoring.comparison import Comparison
from jobgate.scoring.kinds import Kind
from jobgate.scoring.maths.checks import MathCheck, UnusableSpecification, Verdict, Verdicts, decide, make_check
from jobgate.scoring.validation import Key, Unusable

MAX_SPECIFICATIONS = 100
"""How many specifications the solutions of a question may have: one may take a millisecond."""

UNASKED = Verdict(None, "symbolic marking was not asked")


class GapSolution(NamedTuple):
    """A solution: for each gap the checks that an answer must pass, still without the answer."""

    score: float
    gaps: list[list[MathCheck]]
    """One without checks wants no answer."""


@dataclass(frozen=True, slots=True)
class GapMarker:
    """Compares answers with the solutions of one question."""

    solutions: Sequence[GapSolution]
    has_places: bool

    def compare(self, value: Any, verdicts: Verdicts) -> list[Keyed]:
        """An answer beside every solution. Raises `Unusable`."""
        answers = self._read(value)
        return [Keyed(solution.score, _compare(solution.gaps, answers, verdicts)) for solution in self.solutions]

    def list_checks(self, value: Any) -> list[MathCheck]:
        """The checks of an answer that need an evaluator, each once. Raises `Unusable`."""
        answers = self._read(value)
        checks = (
            check
            for solution in self.solutions
            for gap, answer in zip(solution.gaps, answers, strict=False)
            for check in _fill(gap, answer)
        )
        return [check for check in dict.fromkeys(checks) if decide(check) is None]

    def _read(self, value: Any) -> list[str | None]:
        """What stands in each gap: a text, empty for nothing; None: something else."""
        cells = read_cells(value, _empty_blanks, has_places=self.has_places)
        return [next(iter(cell)) if len(cell) == 1 else None if cell else "" for cell in cells]


def read_gap_marker(kind: Kind, keys: Sequence[Key]) -> GapMarker:
    """The solutions of a question, ready to be compared with. Raises `Unusable`."""
    solutions: list[GapSolution] = []
    num_checks = 0
    for key in keys:
        places = _list_specifications(kind, key.value)
        num_checks += sum(map(len, places))
        if num_checks > MAX_SPECIFICATIONS:
            raise Unusable(f"the solutions have more than {MAX_SPECIFICATIONS} specifications")
        if any(places):
            solutions.append(GapSolution(key.score, [[_make_check(each) for each in place] for place in places]))
    if not solutions:
        raise Unusable("`valid_response` has no `value`")
    return GapMarker(solutions, has_places=kind.has_places)


def _compare(gaps: list[list[MathCheck]], answers: list[str | None], verdicts: Verdicts) -> Comparison:
    areas: list[bool | None] = []
    num_wrong = sum(answer != "" for answer in answers[len(gaps) :])
    num_open, doubt = 0, None
    given = answers[: len(gaps)] + [""] * (len(gaps) - len(answers))
    for gap, answer in zip(gaps, given, strict=True):
        judged = [verdicts.get(check) or decide(check) or UNASKED for check in _fill(gap, answer)]
        unknown = next((verdict for verdict in judged if verdict.holds is None), None)
        if answer == "":
            areas += [None] if gap else []
        elif not gap or answer is None or any(verdict.holds is False for verdict in judged):
            num_wrong += 1
            areas += [False] if gap else []
        elif unknown is not None:
            areas.append(None)
            num_open += 1
            doubt = doubt or unknown.reason or UNASKED.reason
        else:
            areas.append(True)
    return Comparison(tuple(areas), num_wrong, areas.count(True), num_open, doubt)


def _empty_blanks(text: str) -> str:
    return "" if text.isspace() else text


def _fill(gap: Iterable[MathCheck], answer: str | None) -> list[MathCheck]:
    """The checks of a gap, put to what stands there; none if that is no text."""
    return [check._replace(answer=answer) for check in gap] if answer else []


def _list_specifications(kind: Kind, value: Any) -> list[list[Any]]:
    """The specifications of each gap; a gap that has one may have it without a list around."""
    if not isinstance(value, list):
        return [] if value is None else [[value]]
    if not kind.has_places and not any(isinstance(each, list) for each in value):
        return [value]
    return [each if isinstance(each, list) else [each] for each in value]


def _make_check(specification: Any) -> MathCheck:
    try:
        return make_check(specification, "")
    except UnusableSpecification as error:
        raise Unusable(f"a specification cannot be read: {str(error)[:200]}") from None
