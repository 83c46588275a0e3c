"""What was measured while faults struck."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

BEFORE_F9 = "before F9"
"""The window that F9 is compared with."""


@dataclass
class Figures:
    """What was measured on the way."""

    struck: Counter[str] = field(default_factory=Counter)
    sprung: Counter[str] = field(default_factory=Counter)
    reruns_s: list[float] = field(default_factory=list)
    """From the death of a worker to the next start of each job that it held."""
    normal_s: list[float] = field(default_factory=list)
    """From the moment Postgres accepts connections to the next accepted packet."""
    exits_s: list[float] = field(default_factory=list)
    """From SIGTERM to a gateway's end."""
    leaving_cuts: list[str] = field(default_factory=list)
    """Packets that a gateway took while it was stopping, and never answered."""
    windows: list[tuple[str, float, float]] = field(default_factory=list)
    """When what was measured: a fault that took Redis away, or `BEFORE_F9`; begin and end."""
    calm_reruns_s: list[float] = field(default_factory=list)
    """The same, while nothing else was struck."""
    drains: tuple[float, float] = (0.0, 0.0)
    """Jobs a second from a backlog: undisturbed, and while Redis is flushed."""
    seen: dict[str, int] = field(default_factory=lambda: {"hung up": 0, "probes": 0, "probes failed": 0})
