"""A job that a beacon holds: its tasks one by one, and a thread that keeps the lease alive and sends the log."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from jobgate.cli.beacon_task import TaskProcess

if TYPE_CHECKING:
    from jobgate.cli.beacon import Stop
    from jobgate.client import Client

BUSY = (429, 500, 503)
RETRY_S = 0.5
LOOK_S = 0.2
LINES_AT_ONCE = 500
LINES_KEPT = 10_000
LINE_CHARS = 2000
STALE = 409


class Lost(Exception):
    """The job belongs to somebody else by now."""


class Refused(Exception):
    """The gateway does not take what was said, and never will."""


class HeldJob:
    """Carries a job from its pick-up to its end."""

    def __init__(self, client: Client, claim: dict[str, Any], argv: list[str], stop: Stop) -> None:
        job = claim["job"]
        self.id: str = job["id"]
        self.name: str = job["name"]
        self.attempt: int = job["attempt"]
        self._client = client
        self._argv = argv
        self._stop = stop
        self._tasks: list[Any] = claim["tasks"]
        self._done = {each["task_index"] for each in claim["held"]}
        self._key = {"job_id": self.id, "claim_token": claim["claim_token"]}
        self._lines: deque[str] = deque()
        self._sending = threading.Lock()
        self._sent: int = job["log_length"]
        self._loss = ""
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._lease_s: float = claim["lease_s"]
        self._lease_ends = time.monotonic() + self._lease_s

    def carry(self) -> str:
        """Do the tasks that are not done, and end the job; a word for how that went."""
        self._keeper = threading.Thread(target=self._keep, name="keeper")
        self._keeper.start()
        try:
            try:
                self._call("starts", {})
                return self._carry_tasks()
            except Refused as refusal:
                return self._fail("refused", str(refusal))
        except (Lost, Refused) as loss:
            return f"lost: {loss}"
        finally:
            self._ended.set()
            self._keeper.join()

    def _carry_tasks(self) -> str:
        result: dict[str, Any] | None = None
        for index, task in enumerate(self._tasks):
            if index in self._done:
                continue
            kept = [] if result is None else [result]
            if self._stop.asked.is_set():
                return self._release(kept)
            self._call("", {"curtask": index + 1, "result": kept})
            if self._cancelled.is_set():
                return self._fail("cancelled", "the job was cancelled")
            process = TaskProcess(self._argv, task, self._facts(index), self._say)
            code = process.wait(self._must_end)
            if self._is_lost:
                raise Lost(self._loss or "the lease is over")
            if code is None:
                if self._cancelled.is_set():
                    return self._fail("cancelled", "the job was cancelled")
                return self._release([])
            if code != 0:
                how = f"exit code {code}" if code > 0 else f"signal {-code}"
                return self._fail("exit", f"task {index + 1} of {len(self._tasks)}: {how}")
            result = process.result() | {"task_index": index}
        self._end({"result": [] if result is None else [result]})
        return "completed"

    def _facts(self, index: int) -> dict[str, str]:
        return {"BEACON_JOB_ID": self.id, "BEACON_TASK_INDEX": str(index), "BEACON_ATTEMPT": str(self.attempt)}

    def _must_end(self) -> bool:
        """Whether the running task has to end now."""
        return self._is_lost or self._cancelled.is_set() or self._stop.is_over()

    @property
    def _is_lost(self) -> bool:
        return bool(self._loss) or time.monotonic() > self._lease_ends

    def _fail(self, kind: str, message: str) -> str:
        self._end({"failure": {"kind": kind, "message": message[:LINE_CHARS]}})
        return f"halted: {message}"

    def _release(self, results: list[dict[str, Any]]) -> str:
        self._end({"result": results, "released": True})
        return "given back"

    def _end(self, ending: dict[str, Any]) -> None:
        """The last word; the keeper, which would renew a lease that there is no more, has ended before."""
        self._ended.set()
        self._keeper.join()
        self._flush()
        self._call("ends", ending)

    # -- talking -----------------------------------------------------------------------------------------------------

    def _say(self, line: str) -> None:
        """Keep a line for the log; what a task says faster than it can be sent is lost."""
        if len(self._lines) < LINES_KEPT:
            self._lines.append(line.replace("\0", "�")[:LINE_CHARS])

    def _keep(self) -> None:
        """Send the log as it comes, and say that we live when a third of the lease is over."""
        try:
            while not self._ended.wait(LOOK_S):
                if self._lines:
                    self._flush()
                elif time.monotonic() > self._lease_ends - self._lease_s * 2 / 3:
                    self._call("", {})
        except (Lost, Refused):
            pass  # what is lost is noted; a log that is full is refused again at the end, and not worth a job

    def _flush(self) -> None:
        with self._sending:
            while lines := [self._lines[number] for number in range(min(len(self._lines), LINES_AT_ONCE))]:
                meta = self._call("logs", {"offset": self._sent, "lines": lines})
                held = meta.get("length", self._sent + len(lines))
                for _ in range(min(max(held - self._sent, 0), len(lines))):
                    self._lines.popleft()
                self._sent = max(held, self._sent)

    def _call(self, endpoint: str, request: dict[str, Any]) -> dict[str, Any]:
        """Say something about the job, again and again while the lease lasts. Raises `Lost`."""
        from jobgate.client import Unreachable

        trouble = self._loss or "the lease is over"
        while not self._is_lost:
            asked_at = time.monotonic()
            try:
                reply = self._client.call(
                    f"beacons/jobs/{endpoint}".rstrip("/"), "set" if endpoint else "update", self._key | request
                )
            except Unreachable as error:
                trouble = str(error)
            else:
                trouble = f"{reply.status}: {reply.meta.get('message')}"
                if reply.accepted:
                    self._note(reply.data, asked_at)
                    return {}
                if "length" in reply.meta:
                    return reply.meta
                if reply.status == STALE:
                    break
                if reply.status not in BUSY:
                    raise Refused(trouble)
            time.sleep(RETRY_S)
        self._loss = trouble
        raise Lost(trouble)

    def _note(self, told: dict[str, Any], asked_at: float) -> None:
        if told["cancel"]:
            self._cancelled.set()
        if told["lease_until"] is not None:
            self._lease_ends = asked_at + self._lease_s
