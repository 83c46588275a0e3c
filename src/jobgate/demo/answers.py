"""What learners answer to the questions of the bank, scored once by the scorer that rescoring uses."""

from __future__ import annotations

import math
from random import Random
from typing import Any, NamedTuple

from jobgate.demo.bank import KnownQuestion
from jobgate.scoring.questions import read_question
from jobgate.scoring.subscores import round_score

LEFT_OUT = 0.04
"""How often a learner passes a question over."""


class Answer(NamedTuple):
    """A response, and what it earns."""

    response: dict[str, Any] | None
    score: float | None
    max_score: float
    points: float | None
    """What a teacher gives for it, where a person marks."""
    share: float
    """Of what can be reached: 1 is right, 0 is wrong."""


class Repertoire:
    """Everything that is answered to one question, by how good it is."""

    def __init__(self, known: KnownQuestion) -> None:
        self.known = known
        self.is_automarkable = all(each.points is None for each in known.answers)
        self._question = read_question(known.question)
        self.blank = self._judge(None, None)
        answers = [self._judge(_wrap(each.value), each.points) for each in known.answers]
        self.right = [answer for answer in answers if answer.share == 1]
        self.partly = [answer for answer in answers if 0 < answer.share < 1]
        self.wrong = [answer for answer in answers if answer.share == 0]

    def _judge(self, response: dict[str, Any] | None, points: float | None) -> Answer:
        scored = self._question.score(response)
        most = round_score(scored.max_score or 0)
        earned = scored.score if points is None else points
        share = max(0.0, min(1.0, (earned or 0) / most))
        return Answer(response, scored.score, most, points, share)

    def draw(self, chance: Random, likely: float) -> Answer:
        """What one learner answers who gets it right with this probability."""
        if chance.random() < LEFT_OUT:
            return self.blank
        if chance.random() < likely:
            return pick(chance, self.right)
        near = self.partly and chance.random() < 0.25 + likely / 2
        return pick(chance, self.partly if near or not self.wrong else self.wrong)


def pick(chance: Random, answers: list[Answer]) -> Answer:
    """One of them; written out, because the library's own may change with the version of Python."""
    return answers[math.floor(chance.random() * len(answers))]


def _wrap(value: Any) -> dict[str, Any]:
    kind = "array" if isinstance(value, list) else "string" if isinstance(value, str) else "object"
    return {"value": value, "type": kind, "apiVersion": "v2.200.0", "revision": 1}
