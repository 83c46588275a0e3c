"""One stage for all faults: servers, two gateways and two workers, restarted by every fault that hits them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.chaos.servers import start_servers
from tests.chaos.stage import Stage, open_stage

SEED = "faults"


@pytest.fixture(scope="package")
async def stage() -> AsyncIterator[Stage]:
    """A running stage; its faults are drawn from one seed."""
    settings = {"max_losses": 3, "max_failures": 3, "retry_base_s": 0.05, "retry_max_s": 0.2, "sweep_s": 0.3}
    with start_servers() as servers:
        async with open_stage(servers, seed=SEED, lanes=12, workers=2, lease_s=1.5, settings=settings) as stage:
            yield stage
