"""Marks: behind which statement a walk through a store goes on."""

from __future__ import annotations

from datetime import UTC, datetime

Mark = tuple[datetime, int]
"""The time and the number of a statement. Whoever writes into a store writes behind all marks."""

FIRST: Mark = (datetime.min.replace(tzinfo=UTC), 0)
"""Before all statements."""
