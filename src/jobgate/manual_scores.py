"""Scores that people give to stored responses: what an entry does to the responses of its session.

    score                counts instead of the automatic one, until the session is set anew
    max_score            likewise; left out, the maximum stays as it is, and null gives the automatic one back
    score: null          takes back both

An entry takes effect as a whole or not at all. What a newer job has written stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from msgspec import UNSET, Struct, UnsetType

from jobgate.db import Record
from jobgate.errors import shown
from jobgate.scoring.subscores import TOLERANCE, Mark
from jobgate.session_scores import Tally, differ


class ManualScore(Struct, frozen=True, kw_only=True):
    """What a person gives for one response."""

    response_id: str
    score: float | None
    max_score: float | UnsetType | None = UNSET


class Impossible(Exception):
    """An entry that cannot take effect; the text says why."""


class ManualMark(NamedTuple):
    """The manual scores of a response as they are to be stored."""

    session_no: int
    position: int
    score: float | None
    max_score: float | None
    job_id: int
    moved: bool
    """They are others than before."""


@dataclass(slots=True)
class _Response:
    """A stored response, as the entries leave it one after the other."""

    row: Record
    score: float | None
    max_score: float | None
    job_id: int
    """The job that last wrote its manual scores."""

    @property
    def has_moved(self) -> bool:
        return differ(self.score, self.row["manual_score"]) or differ(self.max_score, self.row["max_manual_score"])


class ManualScores:
    """The responses of one session, from rows of `find_marks`."""

    def __init__(self, number: int, rows: Sequence[Record]) -> None:
        self.number = number
        self._responses = {
            row["response_id"]: _Response(row, row["manual_score"], row["max_manual_score"], row["manual_by"])
            for row in rows
        }

    def give(self, scores: Sequence[ManualScore], job_id: int) -> bool:
        """Give these scores; False: newer jobs have written all of these responses. Raises `Impossible`."""
        given = {each.response_id: self._judge(each) for each in scores}
        due = [id for id in given if self._responses[id].job_id <= job_id]
        for id in due:
            response = self._responses[id]
            response.score, response.max_score = given[id]
            response.job_id = job_id
        return bool(due) or not given

    def _judge(self, given: ManualScore) -> tuple[float | None, float | None]:
        """The manual score and maximum that the response would have."""
        response = self._responses.get(given.response_id)
        if response is None:
            raise Impossible(f"the session has no response {shown(given.response_id)}")
        if given.score is None:
            return None, None
        max_score = response.max_score if given.max_score is UNSET else given.max_score
        most = response.row["max_score"] if max_score is None else max_score
        if given.score < 0 or (max_score is not None and max_score < 0):
            raise Impossible(f"the scores of {shown(given.response_id)} must not be negative")
        if most is not None and given.score > most + TOLERANCE:
            raise Impossible(f"the score of {shown(given.response_id)} must not be more than its maximum of {most:g}")
        return given.score, max_score

    def tally(self) -> Tally:
        """What the session comes to with them."""
        tally = Tally(self.number, changed=any(each.has_moved for each in self._responses.values()))
        for id, each in self._responses.items():
            row = each.row
            score = row["score"] if each.score is None else each.score
            max_score = row["max_score"] if each.max_score is None else each.max_score
            tally.marks.append(Mark(id, row["item_reference"], row["attempted"], score, max_score))
            if row["score_error"] is not None:
                tally.errors[id] = row["score_error"]
        return tally

    def written(self) -> list[ManualMark]:
        """What is to be stored."""
        return [
            ManualMark(self.number, each.row["position"], each.score, each.max_score, each.job_id, each.has_moved)
            for each in self._responses.values()
            if each.job_id != each.row["manual_by"]
        ]
