"""Ring a bell that cannot be rung."""

from __future__ import annotations

from jobgate import jobs
from jobgate.context import Context, Request
from jobgate.registry import action


class RingRequest(Request, frozen=True, kw_only=True):
    """What to ring."""

    bell: str


@action("set", guarded=True)
async def ring_bell(ctx: Context, request: RingRequest) -> jobs.JobStarted:
    """Start a job that is refused."""
    answer: jobs.JobStarted = await jobs.submit(ctx, "bell", {"bell": request.bell})
    return answer
