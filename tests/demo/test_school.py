"""A school is its seed: the same one to the byte, whenever and however much of it is made."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date, datetime
from statistics import correlation, fmean

import pytest

from jobgate.demo import SESSIONS, STATUS_CHANGE, School
from jobgate.sessions.entries import SessionEntry

UNTIL = date(2026, 7, 1)
SCHOOL = School("1", UNTIL)
YEAR = [SCHOOL.session(number) for number in range(SESSIONS)]


def digest(school: School, sessions: int) -> str:
    hashed = hashlib.sha256()
    for line in school.lines(sessions):
        hashed.update(line + b"\n")
    return hashed.hexdigest()


def test_a_seed_gives_the_same_school_to_the_byte() -> None:
    assert digest(School("1", UNTIL), SESSIONS) == "1762c04c38ba1ee4f5ed9707f8bd50269a8d0290f4bda330deef428c8863cf87"


def test_another_seed_gives_another_school() -> None:
    assert digest(School("2", UNTIL), 10) != digest(SCHOOL, 10)


def test_the_beginning_of_a_large_school_is_a_small_one() -> None:
    lines = SCHOOL.lines(1_000_000)

    assert [next(lines) for _ in range(10)] == list(School("1", UNTIL).lines(10))


def test_the_day_it_ends_on_changes_nothing_but_times() -> None:
    def forget_times(session: SessionEntry) -> tuple[object, ...]:
        answers = [(each.response_id, each.score, each.response) for each in session.responses]
        return session.session_id, session.user_id, session.status, session.session_duration, answers

    later = School("1", date(2027, 3, 5))

    assert [forget_times(later.session(number)) for number in range(50)] == list(map(forget_times, YEAR[:50]))


def test_sessions_have_ids_of_their_own_in_schools_of_any_size_and_seed() -> None:
    schools = [School(seed, UNTIL) for seed in "123456789"]
    ids = {school.session(number).session_id for school in schools for number in range(100)}

    assert len(ids) == 900


def test_lessons_are_on_weekdays_of_the_year_before_the_end() -> None:
    starts = [datetime.fromisoformat(str(session.dt_started)) for session in YEAR]

    assert {start.weekday() for start in starts} <= set(range(5))
    assert date(2025, 6, 27) <= min(starts).date()
    assert max(starts).date() < UNTIL
    assert len({(start.year, start.month) for start in starts}) > 9


def test_most_sessions_are_completed_and_some_are_not() -> None:
    statuses = Counter(session.status for session in YEAR)

    assert set(statuses) == {"Completed", "Incomplete", "Discarded"}
    assert statuses["Completed"] > 0.8 * SESSIONS
    assert all((session.dt_completed is None) == (session.status != "Completed") for session in YEAR)


def test_teachers_have_marked_most_essays_but_not_all() -> None:
    essays = [
        response
        for session in YEAR
        if session.status == "Completed"
        for response in session.responses
        if not response.automarkable and response.attempted
    ]
    marked = [response for response in essays if response.manual_score is not None]

    assert 0.6 < len(marked) / len(essays) < 0.95
    assert all(response.score is None for response in essays)
    assert all((response.dt_score_updated is None) == (response.manual_score is None) for response in essays)


def test_abler_learners_get_more_right() -> None:
    abilities = []
    shares = []
    for number, session in enumerate(YEAR):
        if session.status == "Completed" and session.activity_id == "reading-the-crow":
            learner = SCHOOL.learner(number // (24 * 7) * 24 + number % 24)
            scored = [each for each in session.responses if each.score is not None and each.max_score]
            assert learner.user_id == session.user_id
            abilities.append(learner.ability)
            shares.append(fmean((each.score or 0) / (each.max_score or 1) for each in scored))

    assert correlation(abilities, shares) > 0.5


def test_an_adaptive_session_asks_every_learner_what_suits_them() -> None:
    taken = [
        session for session in YEAR if session.activity_id == "mental-arithmetic" and session.status == "Completed"
    ]

    assert {len(session.items) for session in taken} == {8}
    assert len({tuple(item.reference for item in session.items) for session in taken}) > 10
    assert all(session.custom_state for session in taken)


def test_a_class_sits_every_activity_and_begins_again() -> None:
    (ada, *others) = [session.activity_id for session in YEAR if session.user_id == "student-ada"]

    assert len(others) == 6
    assert len({ada, *others}) == 6
    assert others[-1] == ada


def test_learners_are_in_classes_of_years_of_schools() -> None:
    paths = [SCHOOL.learner(number).group_path for number in (0, 23, 24, 24 * 11, 24 * 12)]

    assert paths == [
        ["school-1", "year-7", "7a"],
        ["school-1", "year-7", "7a"],
        ["school-1", "year-7", "7b"],
        ["school-1", "year-10", "10c"],
        ["school-2", "year-7", "7a"],
    ]


def test_no_two_learners_have_one_name() -> None:
    assert len({SCHOOL.learner(number).user_id for number in range(1000)}) == 1000


@pytest.mark.parametrize(("sessions", "learners"), [(1, 1), (24, 24), (100, 24), (168, 24), (169, 25), (504, 72)])
def test_the_learners_of_a_school_are_those_who_sat(sessions: int, learners: int) -> None:
    named = [learner.user_id for learner in SCHOOL.learners(sessions)]

    assert set(named) == {session.user_id for session in YEAR[:sessions]}
    assert len(named) == learners


def test_what_can_be_completed_was_left_open() -> None:
    (session,) = (session for session in YEAR if session.session_id == STATUS_CHANGE["session_id"])

    assert (session.user_id, session.status) == (STATUS_CHANGE["user_id"], "Incomplete")
