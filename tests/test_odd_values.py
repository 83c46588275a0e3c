"""Every parameter of every action meets values that nobody should send: each is taken or refused, none is a failure."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from jobgate.embedded import Servers
from jobgate.registry import load_actions
from jobgate.testing import House, open_house
from jobgate.typed_jobs.requests import DeleteTypedJobs, GetTypedJobLogs, GetTypedJobs, SaveTypedJob
from tests.datasets.samples import TYPE

ODD_TEXTS = [
    *("", "%", "_", "'", '"', "\\", "$1", "{0}", "{{7*7}}", "[", "{", "[[", "[{}]", "{}", "../../etc/passwd"),
    *("\u202e", "\r\n", "\x1b[31m", "\uffff", "\U0001f600", "null", "NaN", "1e5", "-0", "9" * 400),
    *('["a\\u0000"]', '[{"a": "\\u0000"}]', '{"\\u0000": 1}', "x" * 2000),
]
ODD_VALUES: list[Any] = [
    *(None, True, 0, -1, 1.5, -1e-300, 2**31, 2**53, -(2**53), [], {}, [[]], [{}], [None], [1], [""], {"": ""}),
    *({"a": {"b": []}}, ["a"] * 1001, [["a"]], {"sessions.session_metadata": '["\\u0000"]'}),
]
SESSION = {"session_id": "s", "user_id": "u"}
STATE = {"store": "odd", "service": "states", "activity_id": "a:b", "agent": {"mbox": "mailto:a@b.c"}, "state_id": "s"}
CLIENT = {"slug": "odd", "store": "odd", "endpoint": "https://lrs.example/xapi", "username": "u", "password": "p"}
CONNECTION = {"name": "n", "kind": "lrs", "endpoint": "https://lrs.example/xapi", "username": "u", "password": "p"}
EXCHANGE = {
    "repeat": "now",
    "store": "odd",
    "service": "statements",
    "until": "now",
    "connection": str(uuid.UUID(int=0)),
}
SOUND: dict[str, dict[str, Any]] = {
    "jobs update": {"references": [str(uuid.UUID(int=0))], "status": "halted"},
    "jobs/sessions/statuses update": {"statuses": [SESSION | {"status": "Completed"}]},
    "jobs/sessions/metadata set": {"session_metadata": [SESSION | {"metadata": {}}]},
    "jobs/sessions/scores/subscores get": {"session_id": ["s"]},
    "jobs/reports/datasets set": {"dataset_id": str(uuid.UUID(int=0)), "dataset_type": TYPE},
    "jobs/definitions set": {"name": "n", "type": "sessionpush", "params": {"session_id": [], "kinds": []}},
    "jobs/definitions update": {"id": str(uuid.UUID(int=0))},
    "jobs/executions set": {"job_id": str(uuid.UUID(int=0))},
    "jobs/executions get": {"job_id": str(uuid.UUID(int=0)), "parameter": "a.b"},
    "sessions set": {"data_format": "from_template", "data": [{"user_id": "u", "activity_id": "a"}]},
    "reports/datasets set": {"dataset_type": TYPE, "file_count": 1},
    "reports/datasets get": {"dataset_id": str(uuid.UUID(int=0))},
    "beacons set": {"name": "b"},
    "jobs/clearing set": {"repeat": "now", "service": "all", "until": "now"},
    "jobs/agent-deletion set": {"repeat": "now", "agent": {"mbox": "mailto:a@x.example"}, "person": True},
    "jobs/pseudo set": {"repeat": "now", "until": "now"},
    "xapi/clients set": CLIENT,
    "xapi/clients update": {"slug": "odd"},
    "jobs/testsuite set": {"repeat": "now", "store": "odd", "client": "odd", "version": "2.0.0"},
    "xapi/connections set": CONNECTION,
    "xapi/connections update": {"id": str(uuid.UUID(int=0))},
    "jobs/pull set": EXCHANGE,
    "jobs/push set": EXCHANGE,
    "jobs/seeding set": {"repeat": "everyMinute", "store": "odd", "count": 1},
    "jobs/validation set": {"repeat": "now", "clear": True},
    "jobs/logs-deletion set": {"repeat": "now", "max_level": 1, "until": "now"},
    "jobs/cmi5-tokens-deletion set": {"repeat": "now", "until": "1_hour"},
    "jobs/stores-deletion set": {"repeat": "now", "store_id": 2},
    "xapi/stores set": {"slug": "odd"},
    "xapi/stores update": {"slug": "odd", "name": "n"},
    "xapi/statements get": {"store": "odd"},
    "xapi/statements set": {"store": "odd", "statements": [{}]},
    "xapi/agents get": {"store": "odd"},
    "xapi/persons get": {"store": "odd"},
    "xapi/persons set": {"store": "odd", "persons": [[{"mbox": "mailto:a@x.example"}]]},
    "cmi5/tokens get": {"store": "odd"},
    "cmi5/tokens set": {"store": "odd", "activity_id": "a:b", "agent": STATE["agent"]},
    "xapi/activities get": {"store": "odd"},
    "xapi/documents get": {"store": "odd", "service": "states"},
    "xapi/documents set": STATE | {"content": {}},
    "beacons update": {"name": "b"},
    "beacons/jobs set": {"name": "j", "schedule": True, "min": 1},
    "beacons/jobs update": {"job_id": str(uuid.UUID(int=0))},
    "beacons/jobs/ends set": {"job_id": str(uuid.UUID(int=0)), "claim_token": "1.ab"},
    "beacons/jobs/logs set": {"job_id": str(uuid.UUID(int=0)), "claim_token": "1.ab", "offset": 0, "lines": []},
}
"""Requests that would be taken, or refused only for what is stored; the other actions need nothing."""

ACTIONS = [(endpoint, verb) for endpoint, verbs in load_actions().items() for verb in verbs]

SHARED = (SaveTypedJob, GetTypedJobs, DeleteTypedJobs, GetTypedJobLogs)
"""What all types of saved jobs take: one of them stands for all."""


def find_parameters(endpoint: str, verb: str) -> list[msgspec.structs.FieldInfo]:
    """Those that no other action has tried."""
    request = load_actions()[endpoint][verb].request
    known = {name for base in SHARED if issubclass(request, base) for name in base.__struct_fields__}
    if endpoint.startswith("jobs/retention"):
        known = set()
    return [field for field in msgspec.structs.fields(request) if field.name not in known]


@pytest.fixture(scope="module")
async def shared_house(servers: Servers) -> AsyncIterator[House]:
    """One for all; nothing runs the jobs that are accepted."""
    async with open_house(servers) as house:
        async with house.db.connection() as queries:
            await queries.connection.execute("update consumer set unlimited = true")
        await house.call("xapi/stores", "set", {"slug": "odd"})
        yield house


@pytest.mark.parametrize(("endpoint", "verb"), ACTIONS)
async def test_no_value_of_any_parameter_is_a_failure(shared_house: House, endpoint: str, verb: str) -> None:
    sound = SOUND.get(f"{endpoint} {verb}", {})
    for field in find_parameters(endpoint, verb):
        for value in [*ODD_TEXTS, *ODD_VALUES]:
            request = json.dumps(sound | {field.encode_name: value})

            reply = await shared_house.call(endpoint, verb, request)

            assert reply.status in (200, 400, 403, 409), (request[:200], reply.body)
            assert (reply.status == 200) == reply.meta["status"], request[:200]
