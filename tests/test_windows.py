"""Windows: what is old enough, counted by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from jobgate import wire
from jobgate.errors import ApiError
from jobgate.windows import Window, subtract_months

NOW = datetime(2026, 3, 31, 10, 30, 5, tzinfo=UTC)

EARLIEST = datetime(1900, 1, 1)  # noqa: DTZ001  # hypothesis adds the zone


@pytest.mark.parametrize(
    ("until", "cutoff"),
    [
        ("now", "2026-03-31T10:30:05+00:00"),
        ("1_hour", "2026-03-31T09:30:05+00:00"),
        ("1_day", "2026-03-30T10:30:05+00:00"),
        ("1_week", "2026-03-24T10:30:05+00:00"),
        ("1_month", "2026-02-28T10:30:05+00:00"),
        ("1_year", "2025-03-31T10:30:05+00:00"),
    ],
)
def test_a_span_counts_back_from_the_start_of_the_run(until: Any, cutoff: str) -> None:
    assert Window(until=until).find_cutoff(NOW).isoformat() == cutoff


def test_a_leap_day_has_no_twin_a_year_before() -> None:
    leap_day = datetime(2028, 2, 29, tzinfo=UTC)

    assert Window(until="1_year").find_cutoff(leap_day) == datetime(2027, 2, 28, tzinfo=UTC)
    assert Window(until="1_month").find_cutoff(datetime(2028, 3, 31, tzinfo=UTC)) == leap_day


def test_months_are_those_of_utc() -> None:
    in_tokyo = datetime(2026, 4, 1, 5, 0, tzinfo=timezone(timedelta(hours=9)))

    assert Window(until="1_month").find_cutoff(in_tokyo).isoformat() == "2026-02-28T20:00:00+00:00"


def test_a_date_stays_where_it_is() -> None:
    window = Window(until="date", until_date="2026-01-01T00:00:00+01:00")

    assert window.find_cutoff(NOW).isoformat() == "2025-12-31T23:00:00+00:00"


def test_a_date_that_another_window_does_not_need_means_nothing() -> None:
    assert Window(until="now", until_date="2020-01-01").find_cutoff(NOW) == NOW


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"until": "date"}, 20000),
        ({"until": "date", "until_date": "yesterday"}, 20003),
        ({"until": "now", "until_date": "yesterday"}, 20003),
        ({"until": "2_days"}, 20004),
        ({}, 20000),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_on_the_wire(given: dict[str, Any], code: int) -> None:
    with pytest.raises(ApiError) as refused:
        wire.decode_request(wire.encode(given), Window)

    assert refused.value.code.number == code


@given(st.datetimes(min_value=EARLIEST, timezones=st.just(UTC)), st.integers(0, 1000))
def test_months_agree_with_another_library(moment: datetime, months: int) -> None:
    assert subtract_months(moment, months) == moment - relativedelta(months=months)
