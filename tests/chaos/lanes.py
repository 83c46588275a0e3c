"""The clients: each lane signs a packet, sends it until it knows what became of it, and only then the next.

What a lane remembers is the history that the checker compares with the tables.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from jobgate.client import FORM_TYPE, Credentials, sign_form

ANSWER_S = 20.0
IDLE_S = 1.0
"""A connection unused for longer is not used again: a gateway that stops tells so with every answer, for longer than
this, before it closes those on which nobody asks."""

PATIENCE_S = 30.0
"""How long a lane goes on asking after the end of the load."""

HABITS = (
    *("raise", "oserror", "wrong argument", "wrong sql", "hang", "block", "cancel"),
    *("unencodable", "fork", "system exit", "swallow", "leak", "exit"),
)
ALWAYS = ("always raise", "always unencodable", "always hang", "always cancel")


class Cut(Exception):
    """The connection ended before the answer: nobody knows what became of the packet, if it was sent at all."""

    def __init__(self, reason: str, sent: str) -> None:
        super().__init__(reason)
        self.sent = sent


class Answer(msgspec.Struct):
    """What a gateway said."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Packet:
    """A call, and all that its sender knows about it."""

    word: str
    type: str
    steps: int
    mode: str
    body: bytes
    outcome: str = "open"
    """acknowledged, refused, unknown, or abandoned while it was being committed."""
    references: set[str] = field(default_factory=set)
    acknowledged_at: float = 0.0
    cancelled: bool = False
    """Its sender asked for its end, and does not know whether in time."""


@dataclass
class History:
    """What the clients saw."""

    packets: list[Packet] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    cuts: list[tuple[float, Path, str]] = field(default_factory=list)
    """When a connection ended before the answer, to which gateway, and whether the packet had been sent, on a fresh
    connection or on one that was kept."""
    replays: int = 0
    doubles: int = 0
    """Packets that were sent more than once on purpose."""
    oddities: list[str] = field(default_factory=list)
    """Answers that nobody should get."""
    repeats: int = 0
    """Packets whose bytes were sent again with another packet in between: those are new jobs."""
    answers: list[tuple[float, float, int]] = field(default_factory=list)
    """When an answer came, how long it took, its status."""

    def count(self, outcome: str) -> int:
        """How many packets ended like this."""
        return sum(packet.outcome == outcome for packet in self.packets)


class Wire:
    """A connection to one gateway, made anew when it is not kept."""

    def __init__(self, uds: Path) -> None:
        self.uds = uds
        self._used_at = 0.0
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes, path: str = "/v2025.1.LTS/chaos") -> Answer:
        """Send, and read the answer. Raises `Cut`."""
        head = f"POST {path} HTTP/1.1\r\nHost: gate\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
        return await self.exchange(head.encode() + body)

    async def exchange(self, request: bytes) -> Answer:
        """Send bytes, and read one answer. Raises `Cut`."""
        sent = ""
        try:
            async with asyncio.timeout(ANSWER_S):
                if time.monotonic() - self._used_at > IDLE_S or (self._ends and self._ends[0].at_eof()):
                    self.close()
                self._used_at = time.monotonic()
                is_fresh = self._ends is None
                if self._ends is None:
                    self._ends = await asyncio.open_unix_connection(str(self.uds))
                reader, writer = self._ends
                writer.write(request)
                sent = "fresh" if is_fresh else "kept"
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                pairs = (line.partition(":")[::2] for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, value in pairs}
                content = await reader.readexactly(int(headers["content-length"]))
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise Cut(type(error).__name__, sent) from error
        if headers.get("connection") == "close":
            self.close()
        return Answer(int(head[0].split()[1]), headers, content)

    async def send_only(self, body: bytes) -> None:
        """Send a packet and read nothing."""
        _, writer = self._ends = await asyncio.open_unix_connection(str(self.uds))
        writer.write(
            b"POST /v2025.1.LTS/chaos HTTP/1.1\r\nHost: gate\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (FORM_TYPE.encode(), len(body), body)
        )
        await writer.drain()

    def close(self) -> None:
        """Hang up."""
        if self._ends is not None:
            self._ends[1].transport.abort()
            self._ends = None


class Lane:
    """One consumer's client."""

    def __init__(
        self,
        who: Credentials,
        uds: Sequence[Path],
        history: History,
        seed: str,
        *,
        pace_s: float,
        bad: float = 0,
        long: float = 0,
        long_steps: int = 40,
    ) -> None:
        self.who = who
        self.wires = [Wire(path) for path in uds]
        self.spare = [Wire(path) for path in uds]
        self.history = history
        self.random = random.Random(seed)
        self.pace_s = pace_s
        self.bad = bad
        self.long = long
        self.long_steps = long_steps
        self.sent = 0
        self.stopped_at: float | None = None

    def stop(self) -> None:
        """Send nothing new; what is open is still asked about for a while."""
        self.stopped_at = time.monotonic()

    async def run(self) -> None:
        """Send until stopped."""
        while self.stopped_at is None:
            due = time.monotonic() + self.pace_s * self.random.uniform(0.5, 1.5)
            packet = self.make_packet()
            self.history.packets.append(packet)
            await self.deliver(packet)
            dice = self.random.random()
            if packet.outcome == "acknowledged" and dice < 0.01:
                self.history.doubles += 1
                await self.deliver(packet)  # a client whose own memory failed
            elif packet.outcome == "acknowledged" and dice < 0.02:
                await self.cancel(packet)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        self.close()

    def close(self) -> None:
        """Hang up everywhere."""
        for wire in (*self.wires, *self.spare):
            wire.close()

    def make_packet(self, type: str = "", steps: int = 1, mode: str = "") -> Packet:
        """A packet that nobody sent before."""
        dice = self.random.random()
        if not type:
            type = "chaosbad" if dice < self.bad else "chaoslong" if dice < self.bad + self.long else "chaos"
            steps = self.random.randint(2, self.long_steps) if type == "chaoslong" else 1
        if type == "chaosbad" and not mode:
            mode = self.random.choice(HABITS if self.random.random() < 0.8 else ALWAYS)
        self.sent += 1
        word = f"{self.who.key}-{self.sent}"
        request = {"word": word, "type": type, "steps": steps, "mode": mode}
        body = sign_form(self.who, request, "set", now=datetime.now(UTC))
        return Packet(word, type, steps, mode, body)

    async def deliver(self, packet: Packet) -> None:
        """Send until it is clear what became of the packet."""
        forged = packet.outcome == "open" and self.random.random() < 0.003
        if forged:
            packet.body = packet.body.replace(packet.word.encode(), packet.word.encode() + b"x")
        if not forged and self.random.random() < 0.06:
            self.history.doubles += 1
            wires = [*self.wires, *self.spare]
            await asyncio.gather(*(self.send(packet, wire) for wire in self.random.sample(wires, len(wires))))
        while not await self.send(packet, self.random.choice(self.wires)):
            if self.stopped_at is not None and time.monotonic() - self.stopped_at > PATIENCE_S:
                packet.outcome = "unknown"
                return
            await asyncio.sleep(self.random.uniform(0.02, 0.2))
        if packet.outcome == "refused" and not forged:
            self.history.oddities.append(f"{packet.word} was refused")

    async def cancel(self, packet: Packet) -> None:
        """Ask once for the end of the job."""
        packet.cancelled = True
        request = {"references": sorted(packet.references), "status": "halted"}
        body = sign_form(self.who, request, "update", now=datetime.now(UTC))
        with suppress(Cut):
            answer = await self.random.choice(self.wires).post(body, "/v2025.1.LTS/jobs")
            self.history.statuses[answer.status] += 1

    async def send(self, packet: Packet, wire: Wire) -> bool:
        """Send once, and note what that tells; False: nothing final."""
        started = time.monotonic()
        try:
            answer = await wire.post(packet.body)
        except Cut as cut:
            self.history.cuts.append((time.monotonic(), wire.uds, cut.sent))
            return False
        now = time.monotonic()
        self.history.answers.append((now, now - started, answer.status))
        self.history.statuses[answer.status] += 1
        if answer.status == 200:
            envelope: dict[str, Any] = msgspec.json.decode(answer.body)
            self.history.replays += envelope["meta"].get("replayed", False)
            packet.references.add(envelope["data"]["job_reference"])
            packet.outcome, packet.acknowledged_at = "acknowledged", now
        elif answer.status == 403:
            packet.outcome = "refused"
        elif answer.status == 503:
            if "retry-after" not in answer.headers:
                self.history.oddities.append(f"503 without Retry-After: {answer.body!r}")
            return False
        else:
            self.history.oddities.append(f"{answer.status}: {answer.body!r}")
            return False
        return True
