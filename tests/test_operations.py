"""The table of operations in `docs/`: every call in it is made as it is printed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jobgate.testing import House
from tests.session_calls import entry, response, set_sessions

TABLE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text()
ROW = re.compile(r"^\| (.+?) \| `(\S+) (\w+) (\{.*\})` \|$", re.MULTILINE)
ROWS = [row.groups() for row in ROW.finditer(TABLE)]
HEADS = ("| Operation |", "| --- |")
QUESTION = {"type": "mcq", "validation": {"valid_response": {"score": 1, "value": ["x"]}}}


async def ask(house: House, endpoint: str, action: str, **request: Any) -> Any:
    """The data of an answer."""
    return (await house.call(endpoint, action, request)).data


async def set_scene(house: House) -> dict[str, str | int]:
    """Make what the capitals of the table stand for."""
    answered = response("r-1", question_reference="q-1", item_reference="i-1", question=QUESTION)
    items = [{"reference": "i-1", "response_ids": ["r-1"]}]
    parts = [{"id": "all", "items": ["i-1"]}]
    await set_sessions(house, entry("s-1", responses=[answered], items=items, subscores=parts))
    dataset = await ask(house, "reports/datasets", "set", dataset_type="ibk-analysis-by-question", file_count=0)
    (typed,) = await ask(house, "jobs/retention", "set", repeat="everyMinute", until="1_year", replay=True)
    saved = {"name": "discard", "type": "sessionstatusupdate", "params": {"statuses": []}}
    definition = await ask(house, "jobs/definitions", "set", **saved)
    execution = await ask(house, "jobs/executions", "set", job_id=definition["id"])
    await house.carry()
    await ask(house, "xapi/stores", "set", slug="main")
    spare = await ask(house, "xapi/stores", "set", slug="spare")
    client = {"slug": "lrs", "store": "main", "endpoint": "https://lrs.example/xapi", "username": "u", "password": "p"}
    assert (await house.call("xapi/clients", "set", client)).status == 200
    far = {"name": "far", "kind": "lrs", "endpoint": "https://lrs.example/xapi", "username": "u", "password": "p"}
    connection = (await house.call("xapi/connections", "set", far)).data
    queued = await ask(house, "beacons/jobs", "set", name="backup", q=True, tasks=[{}])
    held = await ask(house, "beacons/jobs", "set", name="held", q=True, beacon_name="near", tasks=[{}])
    claim = await ask(house, "beacons/jobs/pickups", "set", job_id=held["id"])
    scheduled = await ask(house, "beacons/jobs", "set", name="nightly", schedule=True, hour=2, tasks=[{}])
    return {
        "TYPED": typed["id"],
        "DEFINITION": definition["id"],
        "TRIGGER": execution["trigger_id"],
        "JOB": queued["id"],
        "HELD": held["id"],
        "TOKEN": claim["claim_token"],
        "SCHEDULED": scheduled["id"],
        "DATASET": dataset["dataset_id"],
        "REFERENCE": dataset["job_reference"],
        "SESSION": "s-1",
        "USER": "u-1",
        "STORE": "main",
        "SPARE": spare["id"],
        "CLIENT": "lrs",
        "CONNECTION": connection["id"],
    }


@pytest.mark.parametrize(
    ("endpoint", "action", "printed"),
    [row[1:] for row in ROWS],
    ids=[f"{endpoint} {action}: {operation}" for operation, endpoint, action, _ in ROWS],
)
async def test_an_operation_of_the_sources_is_answered(house: House, endpoint: str, action: str, printed: str) -> None:
    scene = await set_scene(house)
    request = re.sub(r'"([A-Z]+)"', lambda name: json.dumps(scene[name[1]]), printed)

    reply = await house.call(endpoint, action, json.loads(request))

    assert reply.meta["status"] is True, reply.body
    assert "ignored" not in reply.meta
    assert reply.data, "the scene has something to answer for every call"


def test_every_row_of_the_tables_is_called() -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("|") and not line.startswith(HEADS)]

    assert len(ROWS) == len(rows) == 40
