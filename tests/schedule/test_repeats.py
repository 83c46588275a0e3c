"""`repeat` and its parameters: what each needs, what it ignores, and when it is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from dateutil.rrule import DAILY, HOURLY, MINUTELY, MONTHLY, WEEKLY, YEARLY, rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from jobgate.errors import ApiError, Code
from jobgate.schedule import Rule, Schedule, parse, recall

NOW = datetime(2026, 3, 1, 14, 37, 12, tzinfo=UTC)

EVERYTHING = {
    "date": "2026-05-01T10:00:00+02:00",
    "time": "9:05",
    "minute": 15,
    "week_day": 7,
    "month_day": 29,
    "month": 2,
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def make_rule(**params: object) -> Rule:
    return parse(msgspec.convert(params, Schedule), None, NOW)


def refusal(**params: object) -> tuple[Code, str]:
    with pytest.raises(ApiError) as caught:
        make_rule(**params)
    return caught.value.code, caught.value.message


def upcoming(rule: Rule, after: str, count: int = 2) -> list[str]:
    return [f"{instant:%Y-%m-%dT%H:%MZ}" for instant in rule.upcoming(at(after), count)]


# -- what is needed and what is ignored ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("repeat", "kept"),
    [
        ("now", {}),
        ("on", {"date": "2026-05-01T08:00:00Z"}),
        ("everyMinute", {}),
        ("hourlyAt", {"minute": 15}),
        ("dailyAt", {"time": "09:05"}),
        ("weeklyOn", {"time": "09:05", "week_day": 7}),
        ("monthlyOn", {"time": "09:05", "month_day": 29}),
        ("yearlyOn", {"time": "09:05", "month_day": 29, "month": 2}),
    ],
)
def test_a_repeat_keeps_what_it_needs_and_drops_the_rest(repeat: str, kept: dict[str, object]) -> None:
    rule = make_rule(repeat=repeat, **EVERYTHING)

    assert msgspec.to_builtins(rule.schedule) == {"repeat": repeat, **kept}
    assert rule.zone == "UTC"


@pytest.mark.parametrize(
    ("repeat", "needed"),
    [
        ("on", "date"),
        ("hourlyAt", "minute"),
        ("dailyAt", "time"),
        ("weeklyOn", "time"),
        ("weeklyOn", "week_day"),
        ("monthlyOn", "time"),
        ("monthlyOn", "month_day"),
        ("yearlyOn", "time"),
        ("yearlyOn", "month_day"),
        ("yearlyOn", "month"),
    ],
)
@pytest.mark.parametrize("how", ["absent", "null"])
def test_what_a_repeat_needs_is_missed_by_name(repeat: str, needed: str, how: str) -> None:
    params = {**EVERYTHING, needed: None}
    if how == "absent":
        del params[needed]

    code, message = refusal(repeat=repeat, **params)

    assert code is Code.missing_parameter
    assert message.startswith(f"`{needed}` ")


@pytest.mark.parametrize(
    ("repeat", "name", "value", "code"),
    [
        ("on", "date", "tomorrow", Code.wrong_type),
        ("on", "date", "2026-02-30", Code.wrong_type),
        ("on", "date", "", Code.wrong_type),
        ("hourlyAt", "minute", 60, Code.wrong_type),
        ("hourlyAt", "minute", -1, Code.wrong_type),
        ("weeklyOn", "week_day", 0, Code.wrong_type),
        ("weeklyOn", "week_day", 8, Code.wrong_type),
        ("monthlyOn", "month_day", 0, Code.wrong_type),
        ("monthlyOn", "month_day", 32, Code.wrong_type),
        ("yearlyOn", "month", 13, Code.wrong_type),
        ("yearlyOn", "month", "FEB", Code.wrong_type),
        ("yearlyOn", "month", "", Code.wrong_type),
        ("dailyAt", "time", "24:00", Code.unsupported_value),
        ("dailyAt", "time", "12:60", Code.unsupported_value),
        ("dailyAt", "time", "12", Code.unsupported_value),
        ("dailyAt", "time", "12:00:00", Code.unsupported_value),
        ("dailyAt", "time", "\u0661\u0662:00", Code.unsupported_value),
        ("dailyAt", "time", "12:00\n", Code.unsupported_value),
        ("dailyAt", "time", "", Code.unsupported_value),
    ],
)
def test_a_senseless_parameter_is_refused_by_name(repeat: str, name: str, value: object, code: Code) -> None:
    found, message = refusal(repeat=repeat, **{**EVERYTHING, name: value})

    assert found is code
    assert message.startswith(f"`{name}` ")


def test_an_ignored_parameter_may_be_senseless() -> None:
    rule = make_rule(repeat="everyMinute", date="tomorrow", time="noon", minute=99, week_day=0, month_day=-5, month="x")

    assert rule.schedule == Schedule(repeat="everyMinute")


@pytest.mark.parametrize(("month", "day"), [(2, 30), (2, 31), (4, 31), (6, 31), (9, 31), (11, 31)])
def test_a_date_that_no_year_has_is_refused(month: int, day: int) -> None:
    code, message = refusal(repeat="yearlyOn", time="00:00", month=month, month_day=day)

    assert code is Code.unsupported_value
    assert message.startswith("`month_day` ")


@pytest.mark.parametrize("name", ["min", "hour", "dom", "dow", "start_date", "end_date"])
def test_cron_fields_do_not_go_with_repeat(name: str) -> None:
    code, message = refusal(repeat="everyMinute", **{name: 1})

    assert code is Code.unsupported_value
    assert message.startswith(f"`{name}` ")


def test_repeat_is_in_utc() -> None:
    with pytest.raises(ApiError, match="`zone` ") as caught:
        parse(Schedule(repeat="dailyAt", time="10:00"), "Europe/Berlin", NOW)

    assert caught.value.code is Code.unsupported_value
    assert parse(Schedule(repeat="dailyAt", time="10:00"), "UTC", NOW).zone == "UTC"


def test_time_now_is_the_utc_minute_of_saving() -> None:
    rule = parse(Schedule(repeat="dailyAt", time="now"), None, NOW.astimezone(ZoneInfo("Asia/Kathmandu")))

    assert rule.schedule == Schedule(repeat="dailyAt", time="14:37")
    assert rule.first_due(NOW) == at("2026-03-02T14:37Z")


# -- when it is due ------------------------------------------------------------------------------------------------


def test_now_is_due_once_when_it_is_saved() -> None:
    rule = make_rule(repeat="now")

    assert rule.first_due(NOW) == NOW
    assert rule.next_after(NOW) is None
    assert rule.upcoming(NOW, 5) == []


def test_on_is_due_once_at_its_date() -> None:
    rule = make_rule(repeat="on", date="2026-05-01T10:00:30+02:00")

    assert rule.first_due(NOW) == at("2026-05-01T08:00:30Z")
    assert rule.upcoming(NOW, 5) == [at("2026-05-01T08:00:30Z")]
    assert rule.next_after(at("2026-05-01T08:00:30Z")) is None


def test_on_a_date_that_has_passed_is_due_at_once() -> None:
    rule = make_rule(repeat="on", date="2020-01-01")

    assert rule.first_due(NOW) == at("2020-01-01T00:00Z")
    assert rule.next_after(NOW) is None


@pytest.mark.parametrize(
    ("params", "after", "expected"),
    [
        ({"repeat": "everyMinute"}, "2026-01-01T10:15:59Z", ["2026-01-01T10:16Z", "2026-01-01T10:17Z"]),
        ({"repeat": "hourlyAt", "minute": 15}, "2026-01-01T10:15Z", ["2026-01-01T11:15Z", "2026-01-01T12:15Z"]),
        ({"repeat": "hourlyAt", "minute": 0}, "2026-12-31T23:00Z", ["2027-01-01T00:00Z", "2027-01-01T01:00Z"]),
        ({"repeat": "dailyAt", "time": "0:00"}, "2026-02-28T00:00Z", ["2026-03-01T00:00Z", "2026-03-02T00:00Z"]),
        (
            {"repeat": "weeklyOn", "week_day": 7, "time": "00:00"},
            "2026-03-01T00:00Z",
            ["2026-03-08T00:00Z", "2026-03-15T00:00Z"],
        ),
        (
            {"repeat": "weeklyOn", "week_day": 1, "time": "00:00"},
            "2026-03-01T00:00Z",
            ["2026-03-02T00:00Z", "2026-03-09T00:00Z"],
        ),
        (
            {"repeat": "monthlyOn", "month_day": 31, "time": "10:00"},
            "2026-01-31T10:00Z",
            ["2026-03-31T10:00Z", "2026-05-31T10:00Z"],
        ),
        (
            {"repeat": "monthlyOn", "month_day": 29, "time": "00:00"},
            "2026-01-29T00:00Z",
            ["2026-03-29T00:00Z", "2026-04-29T00:00Z"],
        ),
        (
            {"repeat": "yearlyOn", "month": 2, "month_day": 29, "time": "00:00"},
            "2026-01-01T00:00Z",
            ["2028-02-29T00:00Z", "2032-02-29T00:00Z"],
        ),
        (
            {"repeat": "yearlyOn", "month": 2, "month_day": 29, "time": "00:00"},
            "2096-02-29T00:00Z",
            ["2104-02-29T00:00Z", "2108-02-29T00:00Z"],
        ),
    ],
)
def test_what_is_due_next(params: dict[str, object], after: str, expected: list[str]) -> None:
    assert upcoming(make_rule(**params), after) == expected


def test_between_is_after_the_one_and_not_after_the_other() -> None:
    rule = make_rule(repeat="hourlyAt", minute=0)

    assert rule.between(at("2026-01-01T10:00Z"), at("2026-01-01T12:00Z"), 10) == [
        at("2026-01-01T11:00Z"),
        at("2026-01-01T12:00Z"),
    ]
    assert rule.between(at("2026-01-01T10:00Z"), at("2026-01-01T12:00Z"), 1) == [at("2026-01-01T11:00Z")]
    assert rule.between(at("2026-01-01T10:00Z"), at("2026-01-01T10:59:59Z"), 10) == []


TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59))


@st.composite
def peers(draw: st.DrawFn) -> tuple[Schedule, dict[str, object]]:
    """A schedule, and the same in the words of another library."""
    hour, minute = draw(TIMES)
    time = f"{hour}:{minute:02}"
    daily = {"byhour": hour, "byminute": minute, "bysecond": 0}
    week_day, month_day, month = draw(st.integers(1, 7)), draw(st.integers(1, 31)), draw(st.integers(1, 12))
    longest = 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    month_date = min(month_day, longest)
    choices: list[tuple[Schedule, dict[str, object]]] = [
        (Schedule(repeat="everyMinute"), {"freq": MINUTELY, "bysecond": 0}),
        (Schedule(repeat="hourlyAt", minute=minute), {"freq": HOURLY, "byminute": minute, "bysecond": 0}),
        (Schedule(repeat="dailyAt", time=time), {"freq": DAILY, **daily}),
        (
            Schedule(repeat="weeklyOn", time=time, week_day=week_day),
            {"freq": WEEKLY, "byweekday": week_day - 1, **daily},
        ),
        (
            Schedule(repeat="monthlyOn", time=time, month_day=month_day),
            {"freq": MONTHLY, "bymonthday": month_day, **daily},
        ),
        (
            Schedule(repeat="yearlyOn", time=time, month_day=month_date, month=month),
            {"freq": YEARLY, "bymonth": month, "bymonthday": month_date, **daily},
        ),
    ]
    return draw(st.sampled_from(choices))


@given(peers(), st.datetimes(datetime(1990, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
@settings(max_examples=300, deadline=None)
def test_the_next_three_are_those_of_another_library(peer: tuple[Schedule, dict[str, object]], after: datetime) -> None:
    schedule, words = peer
    begin = after.replace(second=0, microsecond=0)

    found = parse(schedule, None, after).upcoming(after, 3)

    expected = rrule(dtstart=begin, until=begin + timedelta(days=366 * 30), **words)
    assert found == list(expected.xafter(after, count=3))


@given(peers(), st.datetimes(datetime(1990, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
@settings(max_examples=100, deadline=None)
def test_what_was_stored_makes_the_same_rule(peer: tuple[Schedule, dict[str, object]], now: datetime) -> None:
    rule = parse(peer[0], None, now)

    stored = msgspec.json.encode(rule.schedule)

    assert recall(msgspec.json.decode(stored, type=Schedule), rule.zone) == rule
