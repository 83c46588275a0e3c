"""A session ready to be stored: what the parameters of its job hold, and the columns that they become."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import fsum
from typing import NamedTuple

from msgspec import Raw, Struct

from jobgate.sessions.entries import Status

DECIMALS = 4
"""Scores are exact to this many decimals, as those of questions are."""

_NO_LIST = Raw(b"[]")
_NO_OBJECT = Raw(b"{}")


class DraftResponse(Struct, frozen=True, kw_only=True):
    """A completed `SessionResponse`."""

    response_id: str
    question_type: str = ""
    question_reference: str = ""
    item_reference: str = ""
    automarkable: bool = True
    attempted: bool
    score: float | None = None
    max_score: float | None = None
    manual_score: float | None = None
    max_manual_score: float | None = None
    dt_score_updated: datetime | None = None
    response: Raw = Raw()
    question: Raw = Raw()

    def columns(self, session_no: int, position: int) -> tuple[object, ...]:
        """The row in `response`, in the order of `insert_responses`."""
        return (
            session_no,
            position,
            self.response_id,
            self.question_type,
            self.question_reference,
            self.item_reference,
            self.automarkable,
            self.attempted,
            self.score,
            self.max_score,
            self.manual_score,
            self.max_manual_score,
            self.dt_score_updated,
            bytes(self.response) or None,
            bytes(self.question) or None,
        )


class Totals(NamedTuple):
    """A session's numbers."""

    num_questions: int
    num_attempted: int
    score: float | None
    max_score: float | None


class Draft(Struct, frozen=True, kw_only=True):
    """A completed `SessionEntry`. JSON that is only kept stays bytes."""

    user_id: str
    activity_id: str
    session_id: str
    status: Status = "Completed"
    num_questions: int = 0
    num_attempted: int = 0
    score: float | None = None
    max_score: float | None = None
    session_duration: int = 0
    dt_saved: datetime | None = None
    dt_started: datetime | None = None
    dt_completed: datetime | None = None
    metadata: Raw = _NO_OBJECT
    items: Raw = _NO_LIST
    responses: Sequence[DraftResponse] = ()
    subscores: Raw = _NO_LIST

    def columns(self, set_by: int) -> tuple[object, ...]:
        """The row in `session`, in the order of `store_sessions`."""
        return (
            self.session_id,
            self.user_id,
            self.activity_id,
            self.status,
            *self.totals(),
            self.session_duration,
            self.dt_saved,
            self.dt_started,
            self.dt_completed,
            bytes(self.metadata),
            bytes(self.items),
            bytes(self.subscores),
            set_by,
        )

    def totals(self) -> Totals:
        """Sums over the responses, or what the entry said where it has none. What a person gave counts first."""
        responses = self.responses
        if not responses:
            return Totals(self.num_questions, self.num_attempted, self.score, self.max_score)
        scores = [each.score if each.manual_score is None else each.manual_score for each in responses]
        most = [each.max_score if each.max_manual_score is None else each.max_manual_score for each in responses]
        return Totals(
            len(responses),
            sum(each.attempted for each in responses),
            round(fsum(score or 0.0 for score in scores), DECIMALS),
            round(fsum(score or 0.0 for score in most), DECIMALS),
        )
