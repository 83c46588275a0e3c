"""Peals: bells that ring until somebody has heard them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from jobgate.context import WARNING, Run
from jobgate.registry import task


class PealParams(msgspec.Struct):
    """How it is to ring."""

    heard: str
    """A file that is there once somebody has heard the first bell."""


@task("peal")
async def ring_all(run: Run[PealParams]) -> None:
    """Say that it rings, wait until that was heard, say that it rang."""
    async with run.chunk() as chunk:
        chunk.say("It rings", bells=3)
        chunk.save("ringing", done=1, total=2)
    while not Path(run.params.heard).exists():
        await asyncio.sleep(0.02)
    async with run.chunk() as chunk:
        chunk.say("It rang", WARNING)
        chunk.finish([{"status": "ok"}])
