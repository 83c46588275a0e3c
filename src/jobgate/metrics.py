"""Metrics: one object per process, in the Prometheus text format at `/metrics`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8)
_JOB_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)


class Tally(Collector):
    """A counter for what every call counts: a number per label, of the one thread that serves, told when asked.

    The library's counters take a lock and four functions a count; three of them cost as much as checking a signature.
    """

    def __init__(self, name: str, text: str, labels: Sequence[str]) -> None:
        self._about = name, text, None, labels
        self._counts: dict[tuple[object, ...], int] = {}

    def add(self, *labels: object) -> None:
        """Count one more."""
        self._counts[labels] = self._counts.get(labels, 0) + 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counts, as the library shows them."""
        family = CounterMetricFamily(*self._about)
        for labels, count in self._counts.items():
            family.add_metric([str(label) for label in labels], count)
        yield family


class Spread(Collector):
    """A histogram for what every call or job adds to, as light as a `Tally`."""

    def __init__(self, name: str, text: str, label: str, bounds: Sequence[float]) -> None:
        self._about = name, text, None, None, (label,)
        self._bounds = bounds
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def add(self, label: str, seconds: float) -> None:
        """Count one more, that took so long."""
        counts = self._counts.get(label)
        if counts is None:
            counts = self._counts[label] = [0] * (len(self._bounds) + 1)
            self._sums[label] = 0.0
        counts[bisect_left(self._bounds, seconds)] += 1
        self._sums[label] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The counts, each with those below it, as the library shows them."""
        family = HistogramMetricFamily(*self._about)
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for label, counts in self._counts.items():
            family.add_metric((label,), list(zip(names, accumulate(counts), strict=True)), self._sums[label])
        yield family


class Metrics:
    """Every number that a process counts. Names are stable; labels never carry a consumer or an organisation."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def tally(name: str, text: str, *labels: str) -> Tally:
            made = Tally(name, text, labels)
            registry.register(made)
            return made

        def spread(name: str, text: str, label: str, bounds: Sequence[float]) -> Spread:
            made = Spread(name, text, label, bounds)
            registry.register(made)
            return made

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        # -- the gateway
        self.requests = tally("http_requests_total", "Answers, by action and status.", "action", "status")
        self.request_seconds = spread("http_request_seconds", "Time to answer.", "action", _REQUEST_BUCKETS)
        self.refused = tally("http_refused_total", "Refusals, by the name of their code.", "reason")
        self.auth_failures = tally("auth_failures_total", "Packets that did not prove who sent them.", "reason")
        self.replays = counter("idempotent_replays_total", "Retried packets that got the first answer.")
        # -- jobs
        self.jobs = counter("jobs_total", "Attempts that ended, by type and outcome.", "kind", "outcome")
        self.queue_depth = gauge("job_queue_depth", "Jobs that wait.")
        self.oldest_queued_seconds = gauge("job_oldest_queued_seconds", "Since when the oldest due job waits.")
        self.running = gauge("job_running", "Jobs that run.")
        self.start_latency_seconds = spread("job_start_latency_seconds", "From due to claimed.", "kind", _JOB_BUCKETS)
        self.run_seconds = Histogram(
            "job_run_seconds", "One attempt at a group of jobs.", ("kind",), registry=registry, buckets=_JOB_BUCKETS
        )
        self.fenced = counter("job_fenced_total", "Writes refused because another worker had taken over.")
        self.lost = counter("job_lost_total", "Jobs whose worker went silent.")
        self.released = counter("job_released_total", "Jobs given back by a stopping worker.")
        self.retries = counter("job_retries_total", "Failed attempts that will be repeated.")
        self.lease_renew_seconds = Histogram(
            "lease_renew_seconds", "One renewal of all leases.", registry=registry, buckets=_REQUEST_BUCKETS
        )
        # -- the doorbell and the sweeper
        self.rings = gauge("hint_ring_total", "Hints sent, by result.", "result")
        self.hints_dropped = gauge("hint_dropped_total", "Messages on the doorbell that were none of ours.")
        self.canary_seconds = gauge("hint_canary_seconds", "Round trip of the last canary.")
        self.poll_mode = gauge("poll_mode", "1 while the doorbell is silent and workers poll every second.")
        self.sweep_seconds = Histogram("sweep_seconds", "One sweep.", registry=registry, buckets=_REQUEST_BUCKETS)
        self.sweep_requeued = counter("sweep_requeued_total", "Jobs queued again because their lease ran out.")
        self.sweep_rehinted = counter("sweep_rehinted_total", "Rings for jobs that waited longer than they should.")
        self.archived = counter("jobs_archived_total", "Finished jobs moved to the archive.")
        self.sweep_last_success = gauge("sweep_last_success_timestamp", "Unix time of the last sweep that ended well.")
        # -- push
        self.deliveries = counter("delivery_total", "Tries of deliveries, by what became of them.", "result")
        self.delivery_seconds = Histogram(
            "delivery_seconds", "One try of a delivery.", registry=registry, buckets=_REQUEST_BUCKETS
        )
        self.outbox_depth = gauge("outbox_depth", "Deliveries that wait.")
        self.outbox_oldest_seconds = gauge("outbox_oldest_seconds", "Since when the oldest due delivery waits.")
        # -- surroundings
        self.pool_in_use = gauge("db_pool_in_use", "Connections in use.")
        self.db_errors = counter("db_errors_total", "Postgres errors, by class of SQLSTATE.", "sqlstate")
        self.event_loop_lag_seconds = gauge("event_loop_lag_seconds", "How late the last timer was.")
        self.clock_skew_seconds = gauge("clock_skew_seconds", "This process's clock minus Postgres's.")
        self.log_dropped = gauge("log_dropped_lines_total", "Log lines dropped because the sink was slow.")

    def expose(self) -> bytes:
        """Everything, as `/metrics` shows it."""
        return generate_latest(self.registry)
