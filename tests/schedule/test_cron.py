"""Cron fields: what may be written, what it means, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import process_time
from timeit import repeat

import msgspec
import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from jobgate.errors import ApiError, Code
from jobgate.schedule import Rule, Schedule, parse, recall
from tests.schedule.cron_lines import any_lines, lines
from tests.schedule.minute_walker import CronLine

NOW = datetime(2026, 3, 1, 14, 37, 12, tzinfo=UTC)  # a Sunday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def make_rule(zone: str | None = None, /, **params: object) -> Rule:
    return parse(msgspec.convert(params, Schedule), zone, NOW)


def fields_of(line: CronLine) -> dict[str, str]:
    return {
        "min": line.min.text,
        "hour": line.hour.text,
        "dom": line.dom.text,
        "month": line.month.text,
        "dow": line.dow.text,
    }


def refusal(zone: str | None = None, /, **params: object) -> tuple[Code, str]:
    with pytest.raises(ApiError) as caught:
        make_rule(zone, **params)
    return caught.value.code, caught.value.message


def upcoming(count: int = 3, **params: object) -> list[str]:
    return [f"{instant:%a %Y-%m-%d %H:%M}" for instant in make_rule(**params).upcoming(NOW, count)]


# -- what fields mean ----------------------------------------------------------------------------------------------


def test_a_field_that_is_not_given_is_any_value_but_the_minute_is_zero() -> None:
    assert upcoming(hour=16) == ["Sun 2026-03-01 16:00", "Mon 2026-03-02 16:00", "Tue 2026-03-03 16:00"]
    assert upcoming(dow=1) == ["Mon 2026-03-02 00:00", "Mon 2026-03-02 01:00", "Mon 2026-03-02 02:00"]
    assert upcoming(min=40) == ["Sun 2026-03-01 14:40", "Sun 2026-03-01 15:40", "Sun 2026-03-01 16:40"]
    assert upcoming(min="*", hour="*") == ["Sun 2026-03-01 14:38", "Sun 2026-03-01 14:39", "Sun 2026-03-01 14:40"]


def test_zero_is_a_value() -> None:
    assert upcoming(1, hour=0) == ["Mon 2026-03-02 00:00"]
    assert upcoming(1, min=0, hour="0", dow=0) == ["Sun 2026-03-08 00:00"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5", {5}),
        ("05", {5}),
        ("*/20", {0, 20, 40}),
        ("1,3,5", {1, 3, 5}),
        ("10-13", {10, 11, 12, 13}),
        ("10-20/5", {10, 15, 20}),
        ("5-5/2", {5}),
        ("*/30,7,50-51", {0, 30, 7, 50, 51}),
        ("*/59", {0, 59}),
    ],
)
def test_lists_ranges_and_steps(written: str, meant: set[int]) -> None:
    found = make_rule(min=written, hour=10).between(at("2026-03-02T00:00Z"), at("2026-03-03T00:00Z"), 100)

    assert {instant.minute for instant in found} == meant
    assert {instant.hour for instant in found} == {10}


@pytest.mark.parametrize(
    ("written", "days"),
    [
        (0, "Sun"),
        (7, "Sun"),
        ("sun", "Sun"),
        ("Mon-wed", "Mon Tue Wed"),
        ("FRI-SUN", "Fri Sat Sun"),
        ("SUN-TUE", "Sun Mon Tue"),
        ("SUN-SUN", "Sun"),
        ("5-7", "Fri Sat Sun"),
        ("MON-FRI/2", "Mon Wed Fri"),
        ("*/2", "Sun Tue Thu Sat"),
        ("*/7", "Sun"),
    ],
)
def test_days_of_the_week_have_numbers_and_names(written: int | str, days: str) -> None:
    found = make_rule(hour=10, dow=written).between(at("2026-03-01T00:00Z"), at("2026-03-08T00:00Z"), 100)

    assert {f"{instant:%a}" for instant in found} == set(days.split())


def test_months_have_names() -> None:
    found = make_rule(hour=10, dom=1, month="jan,MAR-May").upcoming(NOW, 4)

    assert [instant.month for instant in found] == [3 + 1, 5, 1, 3]


def test_two_restricted_days_join_by_or_and_a_star_in_front_joins_them_by_and() -> None:
    assert upcoming(hour=0, dom=13, dow="FRI") == [
        "Fri 2026-03-06 00:00",
        "Fri 2026-03-13 00:00",
        "Fri 2026-03-20 00:00",
    ]
    assert upcoming(hour=0, dom="3,13", dow="FRI")[0] == "Tue 2026-03-03 00:00"
    assert upcoming(hour=0, dom="*/10", dow="FRI") == [
        "Fri 2026-05-01 00:00",
        "Fri 2026-07-31 00:00",
        "Fri 2026-08-21 00:00",
    ]
    assert upcoming(hour=0, dom=13, dow="*/5") == [
        "Fri 2026-03-13 00:00",
        "Sun 2026-09-13 00:00",
        "Fri 2026-11-13 00:00",
    ]


def test_the_start_counts_and_the_end_does_not() -> None:
    rule = make_rule(min=0, hour="*", start_date="2026-05-01T10:00:00Z", end_date=at("2026-05-01T12:00Z").timestamp())

    assert rule.first_due(NOW) == at("2026-05-01T10:00Z")
    assert rule.upcoming(NOW, 10) == [at("2026-05-01T10:00Z"), at("2026-05-01T11:00Z")]
    assert rule.next_after(at("2026-05-01T11:00Z")) is None
    assert rule.next_after(at("2030-01-01T00:00Z")) is None


def test_a_start_just_after_a_tick_leaves_it_out() -> None:
    rule = make_rule(min=0, hour="*", start_date="2026-05-01T10:00:00.000001Z")

    assert rule.first_due(NOW) == at("2026-05-01T11:00Z")


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "60",
        "-1",
        "1-",
        "-",
        "5/2",
        "*/0",
        "*/",
        "**",
        "1,,2",
        ",",
        "5-3",
        "L",
        "a",
        "1.5",
        "?",
        "1#2",
        "5L",
        "JAN",
        "@daily",
        "* *",
        "0 5",
        "1\n",
        "\u0661",
        "9" * 200,
        "*/100",
    ],
)
def test_what_is_no_cron_field_is_refused_by_name(value: str) -> None:
    code, message = refusal(min=value)

    assert code is Code.unsupported_value
    assert message.startswith("`min` ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hour", 24),
        ("hour", "0-24"),
        ("dom", 0),
        ("dom", 32),
        ("dom", "L"),
        ("dom", "LW"),
        ("month", 0),
        ("month", 13),
        ("month", "JANUARY"),
        ("month", "MON"),
        ("dow", 8),
        ("dow", "FRI-0"),
        ("dow", "MON#1"),
        ("dow", "5L"),
        ("dow", "JAN"),
    ],
)
def test_every_field_has_its_own_bounds_and_names(name: str, value: object) -> None:
    code, message = refusal(**{name: value})

    assert code is Code.unsupported_value
    assert message.startswith(f"`{name}` ")


@pytest.mark.parametrize(
    "params",
    [{"dom": 30, "month": 2}, {"dom": 31, "month": "FEB,APR,JUN,SEP,NOV"}, {"dom": 30, "month": 2, "dow": "*/2"}],
)
def test_a_day_that_no_month_has_is_refused(params: dict[str, object]) -> None:
    code, message = refusal(**params)

    assert code is Code.unsupported_value
    assert message.startswith("`dom` ")


def test_a_day_that_no_month_has_is_fine_beside_a_day_of_the_week() -> None:
    assert upcoming(1, hour=0, dom=30, month=2, dow=1) == ["Mon 2027-02-01 00:00"]


@given(any_lines())
@settings(max_examples=300, deadline=None)
def test_exactly_the_lines_without_a_day_are_refused(line: CronLine) -> None:
    try:
        make_rule(**fields_of(line))
        is_refused = False
    except ApiError:
        is_refused = True

    assert is_refused is not line.has_a_day


def test_a_schedule_says_something() -> None:
    for params in ({}, {"start_date": 0}, {"repeat": None, "min": None}):
        code, message = refusal(**params)

        assert code is Code.missing_parameter
        assert message.startswith("`repeat`")


@pytest.mark.parametrize("name", ["date", "time", "minute", "week_day", "month_day"])
def test_parameters_of_repeat_without_repeat_miss_it(name: str) -> None:
    """`minute` written for `min` would otherwise be dropped, and the rule run at another time than was meant."""
    code, message = refusal(hour=3, **{name: "12:00" if name in ("date", "time") else 5})

    assert code is Code.missing_parameter
    assert message.startswith("`repeat` ")
    assert f"`{name}`" in message


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"hour": 3, "start_date": "soon"}, "start_date"),
        ({"hour": 3, "end_date": "never"}, "end_date"),
        ({"hour": 3, "end_date": 1e300}, "end_date"),
    ],
)
def test_a_bound_that_is_no_time_is_refused_by_name(params: dict[str, object], name: str) -> None:
    code, message = refusal(**params)

    assert code is Code.wrong_type
    assert message.startswith(f"`{name}` ")


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"end_date": "2026-03-01T15:00Z"}, "end_date"),
        ({"start_date": "2027-01-01", "end_date": "2026-12-31"}, "end_date"),
        ({"start_date": "9999-12-31T23:30Z"}, "start_date"),
    ],
)
def test_a_rule_that_would_never_run_is_refused(params: dict[str, object], name: str) -> None:
    code, message = refusal(hour=3, **params)

    assert code is Code.unsupported_value
    assert message.startswith(f"`{name}` ")


def test_a_rule_that_has_ended_is_recalled_all_the_same() -> None:
    rule = recall(Schedule(hour=3, end_date="2020-01-01T00:00:00Z"), "Europe/Berlin")

    assert rule.next_after(NOW) is None


@pytest.mark.parametrize(
    "zone",
    [
        "Mars/Olympus",
        "europe/berlin",
        "Europe",
        "Europe/",
        "Europe//Berlin",
        "../etc/passwd",
        "/etc/localtime",
        "posixrules",
        "localtime",
        "right/Europe/Berlin",
        "posix/Europe/Berlin",
        "tzdata.zi",
        "zone.tab",
        "Factory",
        "UTC+1",
        "Europe/Berlin\0",
        "Europe/Berlin\n",
        "Europe/" + "B" * 300,
        "Éurope/Berlin",
    ],
)
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    code, message = refusal(zone, hour=3)

    assert code is Code.unsupported_value
    assert message.startswith("`zone` ")


@pytest.mark.parametrize(
    "zone", ["UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "EST5EDT"]
)
def test_names_of_zones_have_many_forms(zone: str) -> None:
    assert make_rule(zone, hour=3).zone == zone


# -- against another library, and the clock ------------------------------------------------------------------------


@given(lines(), st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
@settings(max_examples=400, deadline=None)
def test_the_next_three_are_those_of_another_library(line: CronLine, after: datetime) -> None:
    found = make_rule(**fields_of(line)).upcoming(after, 3)

    # Its "bug" is what every cron does: a star in front, alone or not, joins days by "and".
    other = croniter(line.written_out, after, implement_cron_bug=True, max_years_between_matches=50)
    assert found == [other.get_next(datetime) for _ in found]
    assert len(found) == 3


@given(lines(), st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia"]))
@settings(max_examples=100, deadline=None)
def test_what_was_stored_makes_the_same_rule(line: CronLine, zone: str) -> None:
    rule = make_rule(zone, start_date=1, end_date="3000-01-01T00:00:00.5+01:00", **fields_of(line))

    stored = msgspec.json.encode(rule.schedule)

    assert recall(msgspec.json.decode(stored, type=Schedule), rule.zone) == rule


@pytest.mark.parametrize(
    ("after", "expected"),
    [("2060-03-01T00:00Z", "2088-02-29T22:59Z"), ("2088-03-01T00:00Z", "2128-02-29T22:59Z")],
)
def test_the_rarest_day_is_found_soon(after: str, expected: str) -> None:
    """29 February on a Sunday, across a year that does not leap, is 40 years away."""
    rule = make_rule("Europe/Berlin", min=59, hour=23, dom=29, month=2, dow="*/7")

    assert rule.next_after(at(after)) == at(expected)
    assert min(repeat(lambda: rule.next_after(at(after)), timer=process_time, number=1, repeat=20)) < 0.005


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("instant", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_time_has_an_end(zone: str, instant: datetime) -> None:
    due_at = make_rule(zone, hour=3).next_after(instant)

    assert due_at is None or due_at - instant < timedelta(days=2)
