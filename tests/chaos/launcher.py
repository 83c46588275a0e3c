"""Run `jobgate` with traps laid and, on wish, a guard removed: `python -m tests.chaos.launcher serve …`."""

from __future__ import annotations

import os
from pathlib import Path

from jobgate.cli import main
from tests.chaos.guards import GUARDS
from tests.chaos.traps import lay_points

TRAPS = "CHAOS_TRAPS"
WITHOUT = "CHAOS_WITHOUT"

if __name__ == "__main__":
    if folder := os.environ.get(TRAPS):
        lay_points(Path(folder))
    if guard := os.environ.get(WITHOUT):
        GUARDS[guard]()
    main()
