"""Wakes calls that wait for a job: one look for all of this process, however many they are."""

from __future__ import annotations

import logging

from jobgate import log
from jobgate.db import Database
from jobgate.waiting import Line, WaitingRoom

logger = logging.getLogger("jobgate")

LOOK_S = 0.5
"""Seconds between looks while somebody waits; a job that was made in this process is looked for at once."""


async def wake(db: Database, room: WaitingRoom) -> None:
    """Look for ever; trouble is logged once and tried again."""
    failing = False
    while True:
        await room.rung(LOOK_S)
        try:
            lines = room.lines
            if lines:
                places = ([line.organisation_id for line in lines], [line.beacon_name for line in lines])
                for row in await db.fetch("find_beacon_line", *places):
                    room.wake(Line(row["organisation_id"], row["beacon_name"]), set(row["tags"]), row["jobs"])
            failing = False
        except Exception as error:  # whatever it is: without it, those who wait learn of nothing until their time is up
            if not failing:
                log.failure(logger, "beacons.look.failed", error)
            failing = True
