"""The sessions of the demo school: any number of them, as the lines that `jobgate load` reads. Pure.

A class sits one activity after the other over a year, and begins again when it has sat them all. Each session depends
on the seed and its number alone, so the first thousand of a million are the thousand of a smaller school.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple

from jobgate import wire
from jobgate.demo.answers import Answer, Repertoire
from jobgate.demo.bank import read_activities
from jobgate.demo.learners import CLASS_SIZE, Learner, find_learner
from jobgate.demo.papers import Met, Paper
from jobgate.sessions.entries import SessionEntry, SessionItem, SessionResponse, Status

SITTINGS = 7
"""How often a class sits, unless asked otherwise: every activity once, and the first one again."""

_YEAR_DAYS = 365
_GROWTH = 0.08
"""What a learner gains in ability from one sitting to the next."""
_FORGOTTEN = 0.15
"""How many of the responses that wait for a teacher are never marked."""


class School:
    """A school that a seed makes, with a year of lessons before `until`.

    Sessions of two seeds have different ids; the names of learners differ by their prefix alone.
    """

    def __init__(self, seed: str, until: date, sittings: int = SITTINGS, *, prefix: str = "student") -> None:
        self.seed = seed
        self.prefix = prefix
        self.until = datetime.combine(until, time())
        self.sittings = sittings
        self._papers = [Paper(activity) for activity in read_activities()]

    def learner(self, number: int) -> Learner:
        """The learner with this number, from 0 on."""
        return find_learner(self.seed, number, self.prefix)

    def learners(self, sessions: int) -> Iterator[Learner]:
        """Those who sat the first `sessions` sessions."""
        classes, rest = divmod(sessions, CLASS_SIZE * self.sittings)
        for number in range(classes * CLASS_SIZE + min(rest, CLASS_SIZE)):
            yield self.learner(number)

    def lines(self, sessions: int) -> Iterator[bytes]:
        """The first `sessions` sessions, one JSON object each."""
        for number in range(sessions):
            yield wire.encode(self.session(number))

    def session(self, number: int) -> SessionEntry:
        """The session with this number, from 0 on."""
        group, place = divmod(number, CLASS_SIZE * self.sittings)
        nth, seat = divmod(place, CLASS_SIZE)
        chance = Random(f"{self.seed}/session/{number}")
        learner = self.learner(group * CLASS_SIZE + seat)
        paper = self._papers[nth % len(self._papers)]
        id = uuid.UUID(int=chance.getrandbits(128), version=4)
        began_at = self._lesson(group, nth) + timedelta(seconds=math.floor(180 * chance.random()))
        status = _draw_status(chance)
        share = 1.0 if status == "Completed" else chance.random()
        worked = paper.work(chance, learner.ability + _GROWTH * nth, share)
        ended_at = began_at + timedelta(seconds=sum(met.seconds for met in worked.met))
        desk = _Desk(str(id), chance, status, ended_at, self.until)
        return SessionEntry(
            session_id=desk.session_id,
            user_id=learner.user_id,
            activity_id=paper.activity.reference,
            status=status,
            session_duration=sum(met.seconds for met in worked.met),
            dt_started=_show(began_at),
            dt_saved=_show(ended_at),
            dt_completed=_show(ended_at) if status == "Completed" else None,
            metadata=_describe(learner, paper.activity.subject, began_at),
            items=[desk.list_item(met) for met in worked.met],
            custom_state=None if worked.level is None else {"level": round(worked.level, 3)},
            responses=[desk.respond(met, *answered) for met in worked.met for answered in met.answers],
        )

    def _lesson(self, group: int, nth: int) -> datetime:
        """When a class sits for the `nth` time: on a weekday, before noon or little later."""
        chance = Random(f"{self.seed}/lesson/{group}/{nth}")
        back = _YEAR_DAYS * (1 - (nth + chance.random()) / self.sittings)
        day = self.until - timedelta(days=1 + math.floor(back))
        weekday = day - timedelta(days=max(0, day.weekday() - 4))
        return weekday + timedelta(minutes=8 * 60 + 15 * math.floor(20 * chance.random()))


class _Desk(NamedTuple):
    """Where one session is written up."""

    session_id: str
    chance: Random
    status: Status
    ended_at: datetime
    until: datetime

    def list_item(self, met: Met) -> SessionItem:
        """An item as the learner met it; its tags and its rule are those of the item bank."""
        return SessionItem(
            reference=met.item.reference,
            response_ids=[self._name(repertoire) for repertoire, _ in met.answers],
            time=met.seconds,
            user_flagged=self.chance.random() < 0.03,
        )

    def respond(self, met: Met, repertoire: Repertoire, answer: Answer) -> SessionResponse:
        """A response with its score, and what the teacher gave if a person marks it."""
        marked_at = self._await_teacher() if answer.points is not None and self.status == "Completed" else None
        scored_at = marked_at or (self.ended_at + timedelta(seconds=2) if answer.score is not None else None)
        return SessionResponse(
            response_id=self._name(repertoire),
            question_type=repertoire.known.type,
            question_reference=repertoire.known.reference,
            item_reference=met.item.reference,
            automarkable=repertoire.is_automarkable,
            attempted=answer.response is not None,
            score=answer.score,
            max_score=answer.max_score,
            manual_score=answer.points if marked_at else None,
            max_manual_score=answer.max_score if marked_at else None,
            dt_score_updated=_show(scored_at) if scored_at else None,
            response=answer.response,
        )

    def _await_teacher(self) -> datetime | None:
        """When the teacher marked a response; None: not before the end, or never."""
        marked_at = self.ended_at + timedelta(hours=8 + math.floor(200 * self.chance.random()))
        return None if marked_at > self.until or self.chance.random() < _FORGOTTEN else marked_at

    def _name(self, repertoire: Repertoire) -> str:
        return f"{self.session_id}_{repertoire.known.reference}"


def _draw_status(chance: Random) -> Status:
    luck = chance.random()
    return "Completed" if luck < 0.9 else "Incomplete" if luck < 0.96 else "Discarded"


def _describe(learner: Learner, subject: str, began_at: datetime) -> dict[str, Any]:
    season = "spring" if began_at.month < 5 else "summer" if began_at.month < 8 else "autumn"
    tags = [{"type": "subject", "name": subject}, {"type": "term", "name": f"{season} {began_at.year}"}]
    return {
        "class": learner.class_name,
        "school": learner.school,
        "teacher": learner.teacher,
        "session_tags": tags,
    }


def _show(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
