"""What has come of a rule by now: its nominal times, no more of them than one look can work off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from jobgate.schedule.rules import BEFORE, Rule

MAX_TIMES = 10_000
MAX_TIMES_EACH = 500
"""Nominal times that one look works off, of all its rules and of each. What is further behind catches up in several
looks."""


class Plan(NamedTuple):
    """The nominal times of a rule that have come, oldest first, and the next one."""

    times: Sequence[datetime]
    next_at: datetime | None

    def is_behind(self, now: datetime) -> bool:
        """Whether more times have come than the plan holds."""
        return self.next_at is not None and self.next_at <= now


def make_plan(rule: Rule | None, due_at: datetime, now: datetime, *, since: datetime, rules: int) -> Plan:
    """From the time that is due, those that have come, as many as the share of one of so many rules.

    Between that time and `since` all are left out, however many: nobody asks for them any more. None: a rule that
    cannot be read any more, of which the time that is due is the last.
    """
    if rule is None:
        return Plan([due_at], None)
    limit = min(MAX_TIMES_EACH, max(2, MAX_TIMES // rules))
    times = [due_at, *rule.between(max(due_at, since - BEFORE), now, limit - 1)]
    return Plan(times, rule.next_after(times[-1]))
