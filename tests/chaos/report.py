"""The table at the end of a run."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from tests.chaos.checker import Verdict
from tests.chaos.figures import BEFORE_F9, Figures
from tests.chaos.fleet import Fleet
from tests.chaos.lanes import History

RERUN_MAX_S = 7.0
NORMAL_MAX_S = 5.0
DRAIN_SHARE_MIN = 0.8
ACCEPTED_SHARE_MIN = 0.999
FENCED_MIN = 20
"""Fewer refused late writes in a whole campaign mean that it was too weak to prove anything."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of `values` stays below; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def write_report(
    history: History, figures: Figures, fleet: Fleet, logged: Counter[str], verdict: Verdict, clock_offset_s: float
) -> list[str]:
    """The lines of the table."""
    lines: list[str] = []

    def row(name: str, value: object) -> None:
        lines.append(f"  {name:<44} {value}")

    row("packets acknowledged", history.count("acknowledged"))
    row("packets refused (forged on purpose)", history.count("refused"))
    row("packets unknown", history.count("unknown"))
    row("packets abandoned during their commit", history.count("abandoned"))
    row("sent more than once on purpose", history.doubles)
    row("asked to be cancelled", sum(packet.cancelled for packet in history.packets))
    row("replays answered", history.replays)
    row("connections cut before the answer", len(history.cuts))
    row("answers by status", " ".join(f"{status}×{n}" for status, n in sorted(history.statuses.items())))
    row("status 500", history.statuses[500])
    row("faults", sum(figures.struck.values()))
    for name, count in sorted(figures.struck.items()):
        row(f"  {name}", count)
    row("named points hit", sum(figures.sprung.values()))
    for name, count in sorted(figures.sprung.items()):
        row(f"  {name}", count)
    row("lost", verdict.counts["lost"] + verdict.counts["unfinished"])
    row("doubled", verdict.counts["doubled"])
    row("halted-lost (a job whose workers all died)", verdict.counts["halted-lost"])
    row("fenced writes", logged["job.fenced"])
    row("leases that ran out", logged["job.lost"])
    reruns = figures.reruns_s
    row(
        "M3 worker killed -> rerun, median / max s",
        f"{_median(reruns):.2f} / {max(reruns, default=0):.2f} of {len(reruns)}",
    )
    calm = figures.calm_reruns_s
    row("   the same, while nothing else is struck", f"{_median(calm):.2f} / {max(calm, default=0):.2f} of {len(calm)}")
    row("M5 Postgres accepts -> normal, max s", f"{max(figures.normal_s, default=0):.2f} of {len(figures.normal_s)}")
    row("F24 SIGTERM -> gateway ended, max s", f"{max(figures.exits_s, default=0):.2f}")
    row("F24 packets taken and never answered", len(figures.leaving_cuts))
    row("probes while the pool was exhausted", f"{figures.seen['probes']}, failed {figures.seen['probes failed']}")
    _add_redis(row, history, figures, verdict, clock_offset_s)
    undisturbed, flushed = figures.drains
    row("M4 F7: jobs/s from a backlog, calm / flushed", f"{undisturbed:.0f} / {flushed:.0f}")
    row("process ends", " ".join(f"{code}×{n}" for code, n in sorted(fleet.exits.items())))
    row("process crashes", len(fleet.crashes))
    lines.append("  events logged")
    for name, count in sorted(logged.items()):
        row(f"  {name}", count)
    return lines


def _add_redis(row: object, history: History, figures: Figures, verdict: Verdict, clock_offset_s: float) -> None:
    assert callable(row)
    everything = [seconds for _, seconds, status in history.answers if status == 200]
    row("answer p50 / p99 overall, ms", f"{_median(everything) * 1000:.1f} / {percentile(everything, 0.99) * 1000:.1f}")
    for name in sorted({name for name, _, _ in figures.windows}):
        accepted, p99_s = _measure_windows(name, history, figures)
        spans = [(begin, end) for each, begin, end in figures.windows if each == name]
        starts = [
            waited
            for created, waited in verdict.start_s
            if any(begin <= created - clock_offset_s <= end for begin, end in spans)
        ]
        start_s = percentile(starts, 0.95)
        row(f"M4 {name}: accepted / p99 ms / start p95 s", f"{accepted:.2%} / {p99_s * 1000:.1f} / {start_s:.2f}")


def _measure_windows(name: str, history: History, figures: Figures) -> tuple[float, float]:
    """The share of packets accepted in the windows of this name, and how long 99 % of those took at most."""
    spans = [(begin, end) for each, begin, end in figures.windows if each == name]
    inside = [
        (seconds, status)
        for at, seconds, status in history.answers
        if status != 403 and any(begin <= at <= end for begin, end in spans)  # a 403 was forged on purpose
    ]
    taken = [seconds for seconds, status in inside if status == 200]
    return len(taken) / max(1, len(inside)), percentile(taken, 0.99)


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0.0


def judge_figures(history: History, figures: Figures, fleet: Fleet, logged: Counter[str], *, full: bool) -> list[str]:
    """What the figures violate."""
    found = [f"crash: {text}" for text in fleet.crashes]
    if history.statuses[500]:
        found.append(f"500: {history.statuses[500]} answers")
    if history.count("unknown"):
        found.append(f"unknown: {history.count('unknown')} packets never got an answer")
    if full and logged["job.fenced"] < FENCED_MIN:
        found.append(f"weak: only {logged['job.fenced']} fenced writes")
    if figures.seen["probes failed"]:
        found.append(f"probes: {figures.seen['probes failed']} failed while the pool was exhausted")
    if figures.leaving_cuts:
        found.append(f"F24: packets were taken by a stopping gateway and never answered: {figures.leaving_cuts}")
    if max(figures.calm_reruns_s, default=0) > RERUN_MAX_S:
        found.append(f"M3: a killed worker's job ran again only after {max(figures.calm_reruns_s):.1f} s")
    if full and max(figures.normal_s, default=0) > NORMAL_MAX_S:
        found.append(f"M5: {max(figures.normal_s):.1f} s from Postgres's return to the next accepted packet")
    if figures.drains[1] < DRAIN_SHARE_MIN * figures.drains[0]:
        found.append(f"F7: {figures.drains[1]:.0f} jobs a second while Redis is flushed, {figures.drains[0]:.0f} else")
    if full:
        found += _judge_redis_away(history, figures)
    if max(figures.exits_s, default=0) > 30:
        found.append(f"F24: a gateway took {max(figures.exits_s):.1f} s to stop")
    return found


def _judge_redis_away(history: History, figures: Figures) -> list[str]:
    accepted, p99_s = _measure_windows("F9", history, figures)
    _, usual_s = _measure_windows(BEFORE_F9, history, figures)
    found = []
    if accepted < ACCEPTED_SHARE_MIN:
        found.append(f"F9: only {accepted:.2%} of the packets were accepted while Redis was away")
    if p99_s > 2 * usual_s:
        found.append(f"F9: p99 {p99_s * 1000:.0f} ms while Redis was away, {usual_s * 1000:.0f} ms before")
    return found
