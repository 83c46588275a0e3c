"""Random cron lines for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from jobgate.schedule.fields import CRON_FIELDS
from tests.schedule.minute_walker import CronLine, CronText

UPPER = {name: 6 if name == "dow" else bounds[1] for name, bounds in CRON_FIELDS.items()}


def items(name: str, low: int, high: int) -> st.SearchStrategy[CronText]:
    """One item of a field: `*`, `*/n`, a number, a range, or a range with a step."""
    everything = range(CRON_FIELDS[name][0], UPPER[name] + 1)
    numbers = st.integers(low, high)
    ranges = st.tuples(numbers, numbers).map(sorted)
    steps = st.integers(1, 20)
    return st.one_of(
        st.just(CronText("*", frozenset(everything))),
        steps.map(lambda n: CronText(f"*/{n}", frozenset(everything[::n]))),
        numbers.map(lambda n: CronText(f"{n}", frozenset({n}))),
        ranges.map(lambda r: CronText(f"{r[0]}-{r[1]}", frozenset(range(r[0], r[1] + 1)))),
        st.tuples(ranges, steps).map(
            lambda r: CronText(f"{r[0][0]}-{r[0][1]}/{r[1]}", frozenset(range(r[0][0], r[0][1] + 1, r[1])))
        ),
    )


def fields(name: str, low: int | None = None, high: int | None = None) -> st.SearchStrategy[CronText]:
    """A field of up to three items."""
    low = CRON_FIELDS[name][0] if low is None else low
    high = UPPER[name] if high is None else high
    return st.lists(items(name, low, high), min_size=1, max_size=3).map(
        lambda found: CronText(
            ",".join(item.text for item in found), frozenset().union(*(item.numbers for item in found))
        )
    )


def days(name: str) -> st.SearchStrategy[CronText]:
    """A field that is often `*`, so that lines are often due."""
    everything = range(CRON_FIELDS[name][0], UPPER[name] + 1)
    return st.one_of(st.just(CronText("*", frozenset(everything))), fields(name))


def any_lines(*, last_hour: int = 23) -> st.SearchStrategy[CronLine]:
    """Any line, 30 February too; `last_hour` gathers them where clocks change."""
    return st.builds(
        CronLine,
        min=fields("min"),
        hour=fields("hour", high=last_hour),
        dom=days("dom"),
        month=days("month"),
        dow=days("dow"),
    )


def lines(*, last_hour: int = 23) -> st.SearchStrategy[CronLine]:
    """Any line that is due at all."""
    return any_lines(last_hour=last_hour).filter(lambda line: line.has_a_day)
