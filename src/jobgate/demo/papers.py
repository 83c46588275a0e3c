"""How a learner works through an activity: which items they meet, what they answer, and how long it takes them."""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from jobgate.demo.answers import Answer, Repertoire
from jobgate.demo.bank import Activity, KnownItem

_DIFFICULTY = {"easy": -1.2, "medium": 0.0, "hard": 1.2}
_SMALLER = 0.8
"""How much less an adaptive paper moves with each answer."""


class Met(NamedTuple):
    """An item that a learner met."""

    item: KnownItem
    answers: list[tuple[Repertoire, Answer]]
    seconds: int


class Worked(NamedTuple):
    """What became of a paper."""

    met: list[Met]
    level: float | None
    """Where an adaptive paper ended: the difficulty that it would ask next."""


class _Slot:
    """An item, and all that is answered to its questions."""

    def __init__(self, item: KnownItem) -> None:
        (level,) = (tag.name for tag in item.tags if tag.type == "level")
        self.item = item
        self.repertoires = [Repertoire(question) for question in item.questions]
        self.difficulty = item.irt.b if item.irt else _DIFFICULTY[level]
        self._discrimination = item.irt.a if item.irt else 1.0
        self._guessing = item.irt.c if item.irt else 0.0

    def answer(self, chance: Random, ability: float) -> Met:
        """Let a learner try."""
        odds = math.exp(self._discrimination * (ability - self.difficulty))
        likely = self._guessing + (1 - self._guessing) * odds / (1 + odds)
        answers = [(repertoire, repertoire.draw(chance, likely)) for repertoire in self.repertoires]
        return Met(self.item, answers, math.ceil(self.item.seconds * (1.6 - likely) * (0.5 + chance.random())))

    def leave(self) -> Met:
        """Let a learner go before they came here."""
        return Met(self.item, [(repertoire, repertoire.blank) for repertoire in self.repertoires], 0)


class Paper:
    """An activity, and all that is answered to it."""

    def __init__(self, activity: Activity) -> None:
        self.activity = activity
        self._slots = [_Slot(item) for item in activity.items]

    def work(self, chance: Random, ability: float, share: float) -> Worked:
        """Let a learner work through a share of it."""
        if self.activity.administered is not None:
            return self._adapt(chance, ability, math.ceil(share * self.activity.administered))
        done = math.ceil(share * len(self._slots))
        answered = [slot.answer(chance, ability) for slot in self._slots[:done]]
        return Worked(answered + [slot.leave() for slot in self._slots[done:]], None)

    def _adapt(self, chance: Random, ability: float, count: int) -> Worked:
        """Ask the item nearest to a level that rises with right answers and falls with others, ever less."""
        left = list(self._slots)
        met = []
        level, step = 0.0, 1.0
        for _ in range(count):
            slot = min(left, key=lambda slot: abs(slot.difficulty - level))
            left.remove(slot)
            met.append(slot.answer(chance, ability))
            level += step if all(answer.share == 1 for _, answer in met[-1].answers) else -step
            step *= _SMALLER
        return Worked(met, level)
