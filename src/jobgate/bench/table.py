"""What a bench found: one line per mark, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from jobgate import wire


@dataclass(frozen=True, slots=True)
class Mark:
    """What must be reached: how many times as fast as the peer, at least; 0: no ratio is promised."""

    number: int
    what: str
    against: str
    at_least: float
    rate: float = 0
    """A second, at least, besides; 0: any."""


@dataclass(frozen=True, slots=True)
class Result:
    """Rates a second, of ours and of the peer, one of each per round; and the most memory that our worker had."""

    mark: Mark
    unit: str
    ours: Sequence[float]
    peer: Sequence[float]
    peak: int = 0
    """Bytes; 0: there was no worker, or the system does not tell."""

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: what slows a whole round down slows both sides of it."""
        return median(ours / peer for ours, peer in zip(self.ours, self.peer, strict=True))

    @property
    def is_reached(self) -> bool:
        """Whether the mark holds."""
        return self.ratio >= self.mark.at_least and median(self.ours) >= self.mark.rate


_HEADINGS = ("#", "what", "ours /s", "against", "peer /s", "ratio", "mark", "", "peak MB")


def show(results: Sequence[Result]) -> str:
    """A table for people."""
    lines = [_HEADINGS]
    for result in results:
        mark = result.mark
        lines.append(
            (
                str(mark.number),
                f"{mark.what} [{result.unit}]",
                f"{median(result.ours):,.0f}",
                mark.against,
                f"{median(result.peer):,.0f}",
                f"{result.ratio:.2f}",
                (f"{mark.at_least:g}" if mark.at_least else "") + (f", {mark.rate:,.0f}/s" if mark.rate else ""),
                "MISSED" if not result.is_reached else "ok" if mark.at_least else "",
                f"{result.peak / 1e6:,.0f}" if result.peak else "",
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = {2, 4, 5, 6, 8}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in numeric else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def describe(results: Sequence[Result], surroundings: dict[str, Any]) -> bytes:
    """The same for programs, with every round."""
    rows = [
        {
            "row": result.mark.number,
            "what": result.mark.what,
            "against": result.mark.against,
            "unit": result.unit,
            "ours_per_s": result.ours,
            "peer_per_s": result.peer,
            "ratio": result.ratio,
            "at_least": result.mark.at_least,
            "rate_at_least": result.mark.rate or None,
            "reached": result.is_reached,
            "worker_peak_bytes": result.peak or None,
        }
        for result in results
    ]
    return wire.encode({**surroundings, "rows": rows})


def save(path: Path, results: Sequence[Result], surroundings: dict[str, Any]) -> None:
    """Keep the results in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(describe(results, surroundings) + b"\n")
