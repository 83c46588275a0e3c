"""When a definition runs: pure rules, no database, no clock of their own.

    Schedule ──parse──> Rule ──first_due, next_after, between──> instants
        ▲                │
        └── schedule ────┘   what is stored; `recall` makes the same rule of it

`params` and `fields` have what a caller may say, `reading` refuses what makes no sense, `rules` answers what is next,
`plans` what has come, `zones` says how a wall clock and real time belong together where clocks change. The days and
minutes of a rule are found by cronsim, which is asked about plain wall times only.
"""

from jobgate.schedule.params import Schedule
from jobgate.schedule.plans import Plan, make_plan
from jobgate.schedule.reading import parse, recall
from jobgate.schedule.rules import Rule

__all__ = ["Plan", "Rule", "Schedule", "make_plan", "parse", "recall"]
