"""Clocks that go forward, back, or past a whole day: cron rules in zones, against facts and a minute walker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobgate.schedule import Rule, Schedule, recall
from tests.schedule.cron_lines import lines
from tests.schedule.minute_walker import CronLine, CronText, walk

ONE_INSTANT = timedelta(microseconds=1)

CHANGES = [
    ("Europe/Berlin", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00Z"),
    ("America/New_York", "2026-03-08T07:00Z"),
    ("America/New_York", "2026-11-01T06:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),  # 30 minutes
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("Antarctica/Troll", "2026-03-29T01:00Z"),  # two hours
    ("Antarctica/Troll", "2026-10-25T01:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00Z"),  # midnight does not exist
    ("America/Sao_Paulo", "2018-02-18T02:00Z"),
    ("America/Havana", "2026-03-08T05:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30Z"),  # 15 minutes, for good
    ("Asia/Pyongyang", "2015-08-14T15:00Z"),
    ("Asia/Pyongyang", "2018-05-04T15:00Z"),
    ("America/Caracas", "2007-12-09T07:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),  # a whole day does not exist
    ("Pacific/Kwajalein", "1993-08-21T12:00Z"),
    ("America/Juneau", "1983-10-30T10:00Z"),
    ("Africa/Casablanca", "2024-03-10T02:00Z"),
    ("Europe/Dublin", "2026-10-25T01:00Z"),  # winter is the saving time there
    ("Asia/Kathmandu", "2026-03-29T01:00Z"),  # nothing happens
    ("UTC", "2026-03-29T01:00Z"),
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def make_rule(line: str, zone: str) -> Rule:
    minute, hour, dom, month, dow = line.split()
    return recall(Schedule(min=minute, hour=hour, dom=dom, month=month, dow=dow), zone)


def make_rule_of(line: CronLine, zone: str) -> Rule:
    return make_rule(line.text, zone)


def due(line: str, zone: str, start: str, end: str) -> list[str]:
    """The instants from `start` up to, and with, `end`."""
    found = make_rule(line, zone).between(at(start) - ONE_INSTANT, at(end), 1000)
    return [f"{instant:%d %H:%M}" for instant in found]


def test_a_time_that_does_not_exist_comes_once_at_the_first_instant_after_the_gap() -> None:
    assert due("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00Z", "2026-03-30T12:00Z") == [
        "28 01:30",
        "29 01:00",
        "30 00:30",
    ]


def test_several_times_of_one_gap_come_once_together() -> None:
    assert due("0,20,40 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00Z", "2026-03-29T12:00Z") == [
        "29 01:00",
        "29 01:20",
        "29 01:40",
    ]


def test_every_quarter_of_an_hour_that_is_left_out_comes_once() -> None:
    assert due("*/15 2 * * *", "Europe/Berlin", "2026-03-29T00:00Z", "2026-03-29T12:00Z") == ["29 01:00"]


@pytest.mark.parametrize("line", ["30 * * * *", "30 */1 * * *"])
def test_a_rule_of_every_hour_makes_nothing_up_after_a_gap(line: str) -> None:
    assert due(line, "Europe/Berlin", "2026-03-29T00:00Z", "2026-03-29T02:00Z") == ["29 00:30", "29 01:30"]


def test_a_fixed_time_that_comes_twice_is_due_at_the_first() -> None:
    assert due("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-26T12:00Z") == ["25 00:30", "26 01:30"]


def test_asked_between_the_two_a_fixed_time_waits_for_the_next_day() -> None:
    rule = make_rule("30 2 * * *", "Europe/Berlin")

    assert rule.next_after(at("2026-10-25T01:10Z")) == at("2026-10-26T01:30Z")


@pytest.mark.parametrize("line", ["*/30 2 * * *", "0,30 */2 * * *"])
def test_a_rule_with_a_star_in_minute_or_hour_follows_real_time_when_clocks_go_back(line: str) -> None:
    assert due(line, "Europe/Berlin", "2026-10-25T00:00Z", "2026-10-25T01:59Z") == [
        "25 00:00",
        "25 00:30",
        "25 01:00",
        "25 01:30",
    ]


def test_every_minute_is_every_minute_of_real_time() -> None:
    rule = make_rule("* * * * *", "Australia/Lord_Howe")

    found = rule.between(at("2026-04-04T00:00Z"), at("2026-04-05T00:00Z"), 10_000)

    assert len(found) == 24 * 60


def test_a_gap_of_half_an_hour_moves_what_lies_in_it_and_nothing_else() -> None:
    assert due("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", "2026-10-04T12:00Z") == ["03 15:30"]
    assert due("30 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", "2026-10-04T12:00Z") == ["03 15:30"]
    assert due("40 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", "2026-10-04T12:00Z") == ["03 15:40"]


def test_midnight_that_does_not_exist_is_one_o_clock() -> None:
    assert due("0 0 * * *", "America/Sao_Paulo", "2018-11-03T00:00Z", "2018-11-05T12:00Z") == [
        "03 03:00",
        "04 03:00",
        "05 02:00",
    ]


def test_a_day_that_does_not_exist_comes_at_its_end() -> None:
    """Samoa had no 30 December 2011: what was due then came at the midnight that began the 31st."""
    assert due("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00Z", "2012-02-01T00:00Z") == ["30 10:00"]
    assert due("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "2012-01-01T00:00Z") == [
        "29 22:00",
        "30 10:00",
        "30 22:00",
        "31 22:00",
    ]


def test_a_rule_follows_its_zone_through_the_year() -> None:
    assert due("0 8 1 * *", "Europe/Berlin", "2026-01-01T00:00Z", "2026-07-02T00:00Z") == [
        "01 07:00",
        "01 07:00",
        "01 07:00",
        "01 06:00",
        "01 06:00",
        "01 06:00",
        "01 06:00",
    ]


@given(
    lines(last_hour=4),
    st.sampled_from(CHANGES),
    st.integers(-26 * 3600, 29 * 3600),
)
@example(CronLine(*(CronText("*", frozenset(range(60))) for _ in range(5))), CHANGES[1], 1)
@settings(max_examples=150, deadline=None)
def test_around_a_change_the_next_instant_is_that_of_the_minute_walker(
    line: CronLine, change: tuple[str, str], seconds: int
) -> None:
    zone, changed_at = change
    changed = at(changed_at)
    start, end = changed - timedelta(hours=26), changed + timedelta(hours=30)
    instant = changed + timedelta(seconds=seconds)

    found = make_rule_of(line, zone).between(instant, end - ONE_INSTANT, 10_000)

    assert found == [due_at for due_at in walk(line, ZoneInfo(zone), start, end) if due_at > instant]


@given(lines(), st.sampled_from(CHANGES), st.lists(st.integers(-100_000, 100_000), min_size=2, max_size=8))
@settings(max_examples=200, deadline=None)
def test_the_next_instant_depends_on_nothing_but_what_lies_after(
    line: CronLine, change: tuple[str, str], seconds: list[int]
) -> None:
    """Asked at any instant before the next one the answer is the same; asked later, it is later."""
    zone, changed_at = change
    rule = make_rule_of(line, zone)
    instants = sorted(at(changed_at) + timedelta(seconds=offset) for offset in seconds)

    answers = [(instant, rule.next_after(instant)) for instant in instants]

    for (earlier, due_at), (later, due_later) in pairwise(answers):
        assert due_at is not None
        assert due_later is not None
        assert due_at > earlier
        assert due_at.second == due_at.microsecond == 0
        assert due_later == due_at if later < due_at else due_later > due_at


def test_a_year_of_ticks_equals_the_minute_walker() -> None:
    line = CronLine(
        min=CronText("*/20", frozenset({0, 20, 40})),
        hour=CronText("1-3", frozenset({1, 2, 3})),
        dom=CronText("*", frozenset(range(1, 32))),
        month=CronText("*", frozenset(range(1, 13))),
        dow=CronText("*", frozenset(range(7))),
    )
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    found = make_rule_of(line, "Europe/Berlin").between(start - ONE_INSTANT, end - ONE_INSTANT, 10_000)

    assert found == list(walk(line, ZoneInfo("Europe/Berlin"), start, end))
    assert len(found) == 365 * 9 - 3 + 3
