"""Our light counters show what the library's would."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest

from jobgate.metrics import Metrics, Spread, Tally


def show(registry: CollectorRegistry) -> list[str]:
    """The exposition, without the times of creation that only the library's have."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_a_tally_shows_what_a_counter_shows() -> None:
    light, heavy = CollectorRegistry(), CollectorRegistry()
    tally = Tally("calls_total", "Calls.", ("action", "status"))
    light.register(tally)
    counter = Counter("calls_total", "Calls.", ("action", "status"), registry=heavy)

    for action, status in (("get", 200), ("set", 403), ("get", 200)):
        tally.add(action, status)
        counter.labels(action, status).inc()

    assert show(light) == show(heavy)


def test_a_spread_shows_what_a_histogram_shows() -> None:
    light, heavy = CollectorRegistry(), CollectorRegistry()
    spread = Spread("call_seconds", "Time.", "action", (0.5, 1, 2))
    light.register(spread)
    histogram = Histogram("call_seconds", "Time.", ("action",), buckets=(0.5, 1, 2), registry=heavy)

    for action, seconds in (("get", 0.25), ("get", 0.5), ("set", 1.5), ("get", 64.0)):
        spread.add(action, seconds)
        histogram.labels(action).observe(seconds)

    assert show(light) == show(heavy)


def test_what_was_never_counted_is_described_all_the_same() -> None:
    shown = Metrics().expose().decode()

    assert "# TYPE http_requests_total counter" in shown
    assert "# TYPE http_request_seconds histogram" in shown
