"""Jobs whose effects are counted."""

from __future__ import annotations

from typing import Literal

from jobgate import jobs
from jobgate.context import Context, Request
from jobgate.jobs import JobStarted
from jobgate.registry import action


class Ask(Request, frozen=True, kw_only=True):
    """One job."""

    word: str
    """What the client calls the job; its own, and never used twice."""
    type: Literal["chaos", "chaoslong", "chaosbad"] = "chaos"
    steps: int = 1
    """How many effects it has."""
    mode: str = ""
    """How a bad one misbehaves."""


@action("set", guarded=True)
async def start_job(ctx: Context, request: Ask) -> JobStarted:
    """Start a job."""
    params = {"word": request.word, "steps": request.steps, "mode": request.mode}
    started: JobStarted = await jobs.submit(ctx, request.type, params)
    return started
