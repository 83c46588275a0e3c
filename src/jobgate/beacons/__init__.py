"""Beacons: remote boxes that pick jobs up over the API, and are replaced when they die.

    create ──> created ──> waiting ──its time──> eligible ──pick up──> picked up ──start──> running
                                                    ▲                      │                   │
                                                    └── lease over, given back, again ─────────┤
                                                                                               │
                                         halted <── failed, lost too often, cancelled ─────────┴──end──> completed

A state is read off the times of a job. Whoever picks a job up holds it for the time of a lease, which every call that
names its claim token renews. `boxes` knows the beacons, `creation` and `listing` the jobs, `claims` who holds one,
`logs` what it says, `scheduled` the jobs that come again and again and `ticking` their runs, `upkeep` finds leases that
ended, `forgetting` jobs that were kept long enough, `wakes` tells waiting calls that there is work.
"""

from jobgate.beacons.upkeep import sweep
from jobgate.beacons.wakes import wake

__all__ = ["sweep", "wake"]
