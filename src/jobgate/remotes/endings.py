"""How an exchange with a far end fails. The texts are fit for whoever named it; what libraries say is not repeated."""

from __future__ import annotations

DEFAULT_WAIT_S = 60.0
SHORTEST_WAIT_S = 1.0
LONGEST_WAIT_S = 24 * 3600.0


class Refused(Exception):
    """The far end will not have us, or is not there: trying again changes nothing until somebody changes something."""


class Busy(Exception):
    """The far end asked to wait."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = min(LONGEST_WAIT_S, DEFAULT_WAIT_S if wait_s is None else max(SHORTEST_WAIT_S, wait_s))


class Broken(Exception):
    """The exchange failed, or what came makes no sense; it may go well another time."""
