"""Bells."""

from __future__ import annotations

import msgspec

from jobgate.context import Run, TaskRefused
from jobgate.registry import task


class BellParams(msgspec.Struct):
    """Which bell."""

    bell: str


@task("bell")
async def ring(run: Run[BellParams]) -> None:
    """Refuse to ring."""
    raise TaskRefused(f"the bell {run.params.bell} has no clapper")
