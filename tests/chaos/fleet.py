"""The jobgate processes: started, watched, started again, and told apart when they end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from jobgate.cli.failures import UNUSABLE
from jobgate.cli.work import REPLACE_ME
from jobgate.embedded import Child
from tests.chaos.content.tasks.chaosbad import EXIT_CODE
from tests.chaos.launcher import TRAPS, WITHOUT
from tests.chaos.traps import clear_trap, set_trap

ROOT = Path(__file__).parents[2]
CONTENT = Path(__file__).with_name("content")
LOOK_S = 0.05
EXPECTED = frozenset({REPLACE_ME, UNUSABLE, EXIT_CODE, -signal.SIGKILL})
"""How a process may end: to be replaced, without Postgres at its start, by a task's own hand, or by ours."""

LEAVING = EXPECTED | {0, -signal.SIGTERM}
"""The same, when it was told to leave, maybe before it could listen."""


@dataclass
class Process:
    """One place in the fleet, and who fills it now."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    folder: Path
    child: Child | None = None
    starts: int = 0
    is_leaving: bool = False
    """It was sent SIGTERM."""
    is_frozen: bool = False

    @property
    def log(self) -> Path:
        """What the one that runs now, or ran last, says."""
        return self.folder / f"{self.name}.{self.starts}.log"

    @property
    def uds(self) -> Path:
        """Where a gateway listens."""
        return self.folder / f"{self.name}.sock"

    @property
    def pid(self) -> int | None:
        """The running process."""
        return None if self.child is None or self.child.exit_code is not None else self.child.pid

    def start(self) -> None:
        """Fill the place."""
        self.starts += 1
        self.is_leaving = self.is_frozen = False
        argv = [sys.executable, "-m", "tests.chaos.launcher", *self.argv]
        self.child = Child.spawn(argv, env=self.env, log=self.log, folder=ROOT, death_signal=signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if anybody is there."""
        if self.child is not None and self.pid is not None:
            self.is_leaving |= number == signal.SIGTERM
            self.is_frozen = number == signal.SIGSTOP
            self.child.send(number)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What the running process logged under this name."""
        if not self.log.exists():
            return []
        wanted = f'"event":"{name}"'.encode()
        return [
            msgspec.json.decode(line)
            for line in self.log.read_bytes().splitlines()
            if wanted in line and line[-1:] == b"}"
        ]

    @property
    def is_up(self) -> bool:
        """Whether it has begun to serve or to work."""
        return self.pid is not None and bool(
            self.events("worker.started" if self.argv[0] == "work" else "gateway.started")
        )


@dataclass
class Fleet:
    """Gateways and workers under a supervisor."""

    folder: Path
    gateways: list[Process]
    workers: list[Process]
    exits: Counter[int] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    """Ends that nobody foresaw: who, how, and its last words."""
    wanted: bool = True

    @property
    def all(self) -> list[Process]:
        """Everybody."""
        return [*self.gateways, *self.workers]

    async def supervise(self) -> None:
        """Start everybody, and again whoever ends, with a pause for those who end at once."""
        began = {}
        while self.wanted:
            for process in self.all:
                if process.child is None:
                    process.start()
                    began[process.name] = time.monotonic()
                elif process.child.exit_code is not None:
                    self._note_exit(process, process.child.exit_code)
                    if time.monotonic() - began[process.name] < 1:
                        await asyncio.sleep(0.2)
                    process.child = None
            await asyncio.sleep(LOOK_S)

    def _note_exit(self, process: Process, code: int) -> None:
        self.exits[code] += 1
        clear_trap(self.folder / "traps", process.child.pid if process.child else 0)
        if code not in (LEAVING if process.is_leaving else EXPECTED):
            last = process.log.read_text(errors="replace")[-1500:]
            self.crashes.append(f"{process.log.name} ended with {code}: …{last}")

    async def until_up(self, within_s: float = 30) -> None:
        """Wait until everybody runs."""
        async with asyncio.timeout(within_s):
            while not all(process.is_up for process in self.all):
                await asyncio.sleep(LOOK_S)

    def trap(self, process: Process, point: str, number: signal.Signals) -> int | None:
        """Set a trap for the running process; its id."""
        pid = process.pid
        if pid is not None:
            set_trap(self.folder / "traps", pid, point, number)
        return pid

    def untrap(self, pid: int) -> bool:
        """Take the trap away; False: it has sprung."""
        return clear_trap(self.folder / "traps", pid)

    def close(self) -> None:
        """End everybody, kindly first."""
        self.wanted = False
        children = [process.child for process in self.all if process.child is not None]
        for child in children:
            child.send(signal.SIGCONT)
            child.send(signal.SIGTERM)
        for child in children:
            child.terminate(timeout_s=5)

    def read_logs(self) -> Counter[str]:
        """How often each event was logged, failures by the error that caused them."""
        counts: Counter[str] = Counter()
        for file in self.folder.glob("*.log"):
            for line in file.read_bytes().splitlines():
                if b'"event":"request"' in line or not line.endswith(b"}"):
                    continue
                try:
                    entry = msgspec.json.decode(line, type=dict[str, Any])
                except msgspec.DecodeError:
                    continue  # the last line of one that was killed
                text = entry.get("traceback")
                counts[entry["event"] + (f" {text.splitlines()[-1].partition(':')[0]}" if text else "")] += 1
        return counts


def make_fleet(
    folder: Path,
    *,
    database_urls: Sequence[str],
    redis_url: str,
    secret_key: str,
    gateways: int = 2,
    workers: int = 3,
    without: str = "",
    settings: Mapping[str, object] | None = None,
) -> Fleet:
    """A fleet that has not started. The processes take turns with the database URLs."""
    (folder / "traps").mkdir(exist_ok=True)
    shared = {name: value for name, value in os.environ.items() if not name.startswith("JOBGATE_")}
    values = SHRUNK | {"redis_url": redis_url, "secret_key": secret_key} | dict(settings or {})
    shared |= {f"JOBGATE_{name.upper()}": str(value) for name, value in values.items()}
    shared |= {TRAPS: str(folder / "traps"), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"} | (
        {WITHOUT: without} if without else {}
    )

    def place(name: str, number: int, *argv: str) -> Process:
        url = database_urls[number % len(database_urls)]
        return Process(name, argv, shared | {"JOBGATE_DATABASE_URL": url}, folder)

    serving = [place(f"g{n}", n, "serve", "--uds", str(folder / f"g{n}.sock")) for n in range(gateways)]
    return Fleet(folder, serving, [place(f"w{n}", n, "work") for n in range(workers)])


SHRUNK: dict[str, object] = {
    "actions_dir": CONTENT / "actions",
    "tasks_dir": CONTENT / "tasks",
    "claim_jobs": 40,
    "retry_base_s": 0.2,
    "retry_max_s": 2,
    "drain_s": 3,
    "abandon_s": 1,
    "stop_delay_s": 1.5,
    "stop_grace_s": 5,
    "max_losses": 8,
    "worker_memory_mib": 300,
}
"""What makes the same things happen sooner."""
