"""What is published is what happens: every endpoint has its schema, and real answers fit it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jobgate.context import Context, Request
from jobgate.contract import ContractError, generate
from jobgate.errors import Code
from jobgate.registry import Action, load_actions
from jobgate.testing import House, Reply

SCHEMAS = Path(__file__).parent.parent / "schemas"


@pytest.fixture(scope="module")
def openapi() -> Any:
    return json.loads(generate(load_actions())["openapi.json"])


def test_the_committed_files_are_the_generated_ones() -> None:
    committed = {str(file.relative_to(SCHEMAS)): file.read_bytes() for file in SCHEMAS.rglob("*.json")}

    assert committed == generate(load_actions()), "run: make schemas"


@pytest.mark.parametrize("path", sorted(generate(load_actions())))
def test_a_file_is_a_valid_schema_whose_references_resolve(path: str) -> None:
    document = json.loads(generate(load_actions())[path])

    for reference in find(document, "$ref"):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    if path != "openapi.json":
        jsonschema.Draft202012Validator.check_schema(document)


def find(node: Any, key: str) -> Iterator[Any]:
    """Every value of `key` in a document."""
    if isinstance(node, dict):
        if key in node and isinstance(node[key], str):
            yield node[key]
        for value in node.values():
            yield from find(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from find(value, key)


def test_openapi_names_every_endpoint_action_and_code(openapi: Any) -> None:
    for endpoint, verbs in load_actions().items():
        form = openapi["paths"][f"/{{version}}/{endpoint}"]["post"]["requestBody"]["content"]
        for media in ("application/x-www-form-urlencoded", "multipart/form-data"):
            assert form[media]["schema"]["properties"]["action"]["enum"] == list(verbs)
    for code in Code:
        response = openapi["components"]["responses"][f"Refused{code.status}"]
        assert f"- {code.number} {code.name}: {code.advice}" in response["description"]


def test_published_names_have_no_dots(openapi: Any) -> None:
    assert [name for name in openapi["components"]["schemas"] if not re.fullmatch(r"\w+", name)] == []


async def handle(ctx: Context, request: Request) -> int:
    """Answer."""
    return 0


def test_two_request_types_of_one_name_are_refused() -> None:
    first = load_actions()["jobs"]["get"]
    twin = type(first.request.__name__, (Request,), {"__module__": "user_actions.toys"}, frozen=True, kw_only=True)
    actions = dict(load_actions()) | {"toys": {"get": replace_request(first, twin)}}

    with pytest.raises(ContractError, match=first.request.__name__):
        generate(actions)


def replace_request(action: Action, request: type[Request]) -> Action:
    """The same action with other parameters."""
    return replace(action, endpoint="toys", handle=handle, request=request)


def check(openapi: Any, reply: Reply, endpoint: str) -> None:
    """The answer fits what the document says of this endpoint and status."""
    responses = openapi["paths"][f"/{{version}}/{endpoint}"]["post"]["responses"]
    response = responses[str(reply.status)]
    if "$ref" in response:
        response = openapi["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = {"components": openapi["components"], **response["content"]["application/json"]["schema"]}
    jsonschema.validate(reply.body, schema, jsonschema.Draft202012Validator)


ENTRY = {"session_id": "one", "user_id": "user"}
TAKEN = {
    "items": [
        {"reference": "item", "response_ids": ["answer"], "irt": {"a": 1, "b": 0, "c": 0}},
        {"reference": "text"},
    ],
    "responses": [{"response_id": "answer", "max_score": 2, "response": {"value": "x"}}, {"response_id": "none"}],
}
QUESTION: dict[str, Any] = {
    "reference": "q",
    "data": {"type": "shorttext", "validation": {"valid_response": {"value": "x"}}},
}
GIVEN = {"response_id": "answer", "score": 1}
STATEMENT = {
    "actor": {"mbox": "mailto:edith@school.example"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
    "object": {"id": "https://school.example/quiz/1"},
}
PROFILE = {
    "store": "main",
    "service": "activity-profiles",
    "activity_id": "https://school.example/quiz/1",
    "profile_id": "p",
}
NOBODY = "4c5f0b0e-0000-4000-8000-000000000000"
CONNECTION = {"name": "n", "kind": "lrs", "endpoint": "https://lrs.example/xapi", "username": "u", "password": "p"}
EXCHANGE = {"repeat": "now", "store": "main", "service": "statements", "until": "now", "connection": NOBODY}
CLIENT = {"slug": "lrs", "store": "main", "endpoint": "https://lrs.example/xapi", "username": "u", "password": "p"}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("sessions", "set", {"data_format": "from_template", "data": [ENTRY | TAKEN | {"activity_id": "activity"}]}),
    ("sessions/responses/scores", "update", {"sessions": [ENTRY | {"responses": [GIVEN]}]}),
    ("jobs/sessions/statuses", "update", {"statuses": [ENTRY | {"status": "Discarded"}]}),
    ("jobs/sessions/metadata", "set", {"session_metadata": [ENTRY | {"metadata": {"a": 1}}]}),
    ("jobs/sessions/scores/subscores", "get", {"session_id": ["one"]}),
    ("jobs", "get", {"include": ["reference", "type", "status", "dt_created", "dt_completed", "results", "data"]}),
    ("jobs", "update", {"references": ["no such job"], "status": "halted"}),
    ("sessions/statuses", "get", {}),
    ("sessions/metadata", "get", {}),
    ("sessions/scores", "get", {"include_response_scores": True}),
    ("sessions/reports/adaptive", "get", {}),
    ("sessions/responses", "get", {}),
    ("sessions/responses/scores", "get", {}),
    ("push/targets", "set", {"url": "https://lms.example/"}),
    ("push/targets", "get", {}),
    ("push/targets", "update", {"id": "4c5f0b0e-0000-4000-8000-000000000000", "paused": True}),
    ("push/tests", "set", {"target_id": "4c5f0b0e-0000-4000-8000-000000000000"}),
    ("push/deliveries", "get", {}),
    ("push/deliveries", "update", {"id": ["4c5f0b0e-0000-4000-8000-000000000000"]}),
    ("push/targets", "delete", {"all": True}),
    ("itembank/questions", "set", {"questions": [QUESTION, {"reference": "unusable", "data": {}}]}),
    ("itembank/items", "set", {"items": [{"reference": "i", "questions": ["q"], "irt": {"b": 1}}, {"reference": "j"}]}),
    ("itembank/activities", "set", {"activities": [{"reference": "a", "data": {"items": ["i"]}}]}),
    ("itembank/questions", "get", {}),
    ("itembank/questions", "get", {"item_references": ["i"]}),
    ("itembank/items", "get", {"limit": 1}),
    ("itembank/activities", "get", {"references": ["a"], "version": 1}),
    ("reports/datasets", "set", {"dataset_type": "activity-summary-by-group", "file_count": 1}),
    ("reports/datasets", "get", {"dataset_id": "4c5f0b0e-0000-4000-8000-000000000000"}),
    ("jobs/reports/datasets", "set", {"dataset_type": "unknown", "dataset_id": "x"}),
    ("beacons/jobs", "set", {"name": "nightly", "schedule": "true", "min": 30}),
    ("beacons/jobs", "set", {"name": "export", "q": "1", "tasks": [{"table": "a"}]}),
    ("beacons/jobs/scheduled", "get", {}),
    ("beacons/jobs/pickups", "set", {"tags": ["fast"]}),
    ("beacons/jobs/pickups", "set", {}),
    ("beacons/jobs", "get", {"duplicate_of": None}),
    ("beacons", "get", {}),
    ("beacons", "update", {"name": "default", "state": "draining"}),
    ("beacons/jobs/pickups", "set", {}),
    *((f"beacons/jobs/{step}", "set", {"job_id": NOBODY, "claim_token": "1.ab"}) for step in ("starts", "ends")),
    ("beacons/jobs/logs", "set", {"job_id": NOBODY, "claim_token": "1.ab", "offset": 0, "lines": []}),
    ("beacons/jobs/tasks", "get", {"job_id": NOBODY}),
    ("jobs/retention", "set", {"repeat": "dailyAt", "time": "3:30", "until": "1_month", "replay": True}),
    ("jobs/retention", "get", {}),
    ("jobs/retention", "update", {"id": NOBODY, "repeat": "now", "until": "now"}),
    ("jobs/retention", "delete", {"all": True}),
    ("jobs/retention/logs", "get", {"id": NOBODY}),
    ("jobs/webhook", "set", {"repeat": "everyMinute", "target_id": NOBODY, "body": {}}),
    ("jobs/webhook", "get", {}),
    ("jobs/webhook/logs", "get", {"id": NOBODY}),
    ("xapi/stores", "set", {"slug": "main"}),
    ("xapi/stores", "get", {}),
    ("xapi/stores", "update", {"slug": "main", "name": "The store"}),
    ("xapi/statements", "set", {"store": "main", "statements": [STATEMENT, {"id": 7}]}),
    ("xapi/persons", "set", {"store": "main", "persons": [[{"mbox": "mailto:a@x.example"}]]}),
    ("xapi/persons", "get", {"store": "main"}),
    ("xapi/agents", "get", {"store": "main"}),
    ("xapi/statements", "get", {"store": "main", "format": "canonical", "attachments": True}),
    ("xapi/documents", "set", PROFILE | {"content": {"a": 1}}),
    ("xapi/documents", "set", PROFILE | {"profile_id": "q", "content_base64": "AA==", "content_type": "image/png"}),
    ("xapi/documents", "get", {"store": "main", "service": "activity-profiles"}),
    ("xapi/logs", "get", {}),
    ("xapi/activities", "get", {"store": "main"}),
    ("cmi5/tokens", "set", {"store": "main", "activity_id": "a:b", "agent": STATEMENT["actor"]}),
    ("cmi5/tokens", "get", {"store": "main"}),
    ("jobs/clearing", "set", {"repeat": "now", "service": "all", "until": "now", "replay": True}),
    ("jobs/clearing", "get", {"store": "main"}),
    ("jobs/clearing/logs", "get", {"id": NOBODY}),
    ("jobs/agent-deletion", "set", {"repeat": "now", "agent": {"openid": "urn:x:1"}, "person": True, "replay": True}),
    ("jobs/agent-deletion", "get", {"store": "main"}),
    ("jobs/agent-deletion/logs", "get", {"id": NOBODY}),
    ("jobs/pseudo", "set", {"repeat": "now", "until": "now", "documents": True, "replay": True}),
    ("jobs/pseudo", "get", {"store": "main"}),
    ("jobs/pseudo/logs", "get", {"id": NOBODY}),
    ("xapi/clients", "set", CLIENT),
    ("xapi/clients", "get", {}),
    ("xapi/clients", "update", {"slug": "lrs", "name": "The LRS"}),
    ("jobs/testsuite", "set", {"repeat": "everyMinute", "store": "main", "client": "lrs", "version": "2.0.0"}),
    ("jobs/testsuite", "get", {"store": "main"}),
    ("jobs/testsuite/logs", "get", {"id": NOBODY}),
    ("xapi/clients", "delete", {"slug": "lrs"}),
    ("xapi/connections", "set", CONNECTION),
    ("xapi/connections", "get", {}),
    ("xapi/connections", "update", {"id": NOBODY, "name": "n"}),
    *((f"jobs/{type}", "set", EXCHANGE) for type in ("pull", "push")),
    *((f"jobs/{type}", "get", {"service": "statements"}) for type in ("pull", "push")),
    *((f"jobs/{type}/logs", "get", {"id": NOBODY}) for type in ("pull", "push")),
    ("xapi/connections", "delete", {"all": True}),
    ("jobs/seeding", "set", {"repeat": "now", "store": "main", "count": 3, "replay": True}),
    ("jobs/seeding", "get", {"store": "main"}),
    ("jobs/seeding/logs", "get", {"id": NOBODY}),
    ("jobs/validation", "set", {"repeat": "now", "clear": True, "replay": True}),
    ("jobs/validation", "get", {}),
    ("jobs/validation/logs", "get", {"id": NOBODY}),
    ("jobs/logs-deletion", "set", {"repeat": "now", "max_level": 1, "until": "now", "replay": True}),
    ("jobs/logs-deletion", "get", {}),
    ("jobs/logs-deletion/logs", "get", {"id": NOBODY}),
    ("jobs/cmi5-tokens-deletion", "set", {"repeat": "now", "until": "1_hour", "replay": True}),
    ("jobs/cmi5-tokens-deletion", "get", {}),
    ("jobs/cmi5-tokens-deletion/logs", "get", {"id": NOBODY}),
    ("xapi/stores", "set", {"slug": "spare"}),
    ("jobs/stores-deletion", "set", {"repeat": "now", "store_id": 2, "replay": True}),
    ("jobs/stores-deletion", "set", {"repeat": "now", "store_id": 1}),
    ("jobs/stores-deletion", "get", {}),
    ("jobs/stores-deletion/logs", "get", {"id": NOBODY}),
    ("jobs/definitions", "set", {"name": "n", "type": "sessionpush", "params": {"session_id": [], "kinds": []}}),
    ("jobs/definitions", "set", {"name": "n", "type": "nothing", "schedule": {"min": 1}}),
    ("jobs/definitions", "get", {}),
    ("jobs/definitions", "update", {"id": NOBODY, "active": False}),
    ("jobs/definitions/statuses", "get", {}),
    ("jobs/executions", "set", {"job_id": NOBODY}),
    ("jobs/executions", "get", {"job_id": NOBODY}),
    ("jobs/definitions", "delete", {"all": True}),
    ("scoring", "get", {"questions": [QUESTION["data"] | {"response_id": "r"}], "responses": {"r": {"value": "x"}}}),
    ("jobs", "get", {"unknown": 1, "limit": 3}),
    ("jobs", "delete", {}),
]


async def test_real_answers_and_refusals_fit_the_document(house: House, openapi: Any) -> None:
    for endpoint, action, request in CALLS:
        reply = await house.call(endpoint, action, request)
        await house.carry()

        check(openapi, reply, endpoint)


async def test_a_definition_that_ran_fits_the_document(house: House, openapi: Any) -> None:
    schedule = {"repeat": "weeklyOn", "time": "now", "week_day": 7}
    params = {"session_id": ["unknown"], "kinds": ["session.score"]}
    draft = {"name": "n", "type": "sessionpush", "params": params, "schedule": schedule}
    saved = (await house.call("jobs/definitions", "set", draft)).data
    started = await house.call("jobs/executions", "set", {"job_id": saved["id"]})
    await house.carry()
    check(openapi, started, "jobs/executions")
    for endpoint in ("jobs/definitions", "jobs/definitions/statuses"):
        check(openapi, await house.call(endpoint, "get"), endpoint)
    read = await house.call("jobs/executions", "get", {"job_id": saved["id"]})
    check(openapi, read, "jobs/executions")
    assert read.data[0]["logs"]


def test_the_calls_above_reach_every_endpoint() -> None:
    assert {endpoint for endpoint, _, _ in CALLS} == set(load_actions())
