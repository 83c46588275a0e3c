"""The main path: which version, which endpoint, which action, and what the envelope says besides the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.client import FORM_TYPE, sign_form
from jobgate.dispatch import LATEST_VERSION
from jobgate.embedded import Servers
from jobgate.registry import load_actions
from jobgate.testing import House, open_house
from tests.conftest import MakeHouse


@pytest.fixture(scope="module")
async def shared_house(servers: Servers) -> AsyncIterator[House]:
    """One for tests that only read."""
    async with open_house(servers) as house:
        yield house


WELL_FORMED = [
    *("v2023.1.LTS", "v2025.3.LTS", "v2026.2.LTS", "v2023.1.lts", "V2025.1.LTS"),
    *("v0", "v1", "v2", "v1.22", "v1.84", "v1.85.0", "v2022.3.preview1"),
    *("latest", "latest-lts", "developer", "stable", "LATEST-LTS"),
]
OTHERS = [
    *("", "v", "2025.1.LTS", "v2025..1", "v2025.1.", "v2025.1.LTS.1", "v2025.1.L_S", "v2025.1.LTS ", "lts", "newest"),
    *("v\uff11", "v2025.1.\u017f", "v-1", "vLTS", "v1\n", "jobs"),
]


@pytest.mark.parametrize("version", WELL_FORMED)
async def test_a_version_that_a_client_can_send_is_answered_and_named(shared_house: House, version: str) -> None:
    reply = await shared_house.call("jobs", "get", version=version)

    versions = reply.meta["versions"]
    assert reply.status == 200
    assert versions["requested"] == version
    assert versions["mapped"] == (version if version[:1] in "vV" else LATEST_VERSION)
    assert versions["concrete"].startswith(f"{versions['mapped']}+jobgate.")


@pytest.mark.parametrize("version", OTHERS)
async def test_anything_else_is_a_missing_version(shared_house: House, version: str) -> None:
    reply = await shared_house.call("jobs", "get", version=version)

    assert (reply.status, reply.code) == (404, 20012)
    assert "has no version; call /{version}/{endpoint}" in reply.meta["message"]


async def test_a_slash_at_the_end_is_no_matter(shared_house: House) -> None:
    assert (await shared_house.call("jobs/", "get")).data == []


@pytest.mark.parametrize("endpoint", ["Jobs", "jobs/index", "jobs//sessions", "jobs/../jobs", "job", "jobs\0", ""])
async def test_an_unknown_endpoint_is_404_only_after_the_signature_holds(shared_house: House, endpoint: str) -> None:
    unsigned = await shared_house.post(f"/v2025.1.LTS/{endpoint}", b"")
    signed = await shared_house.call(endpoint, "get")

    assert (unsigned.status, unsigned.code) == (400, 41000)
    assert (signed.status, signed.code) == (404, 20012)


@pytest.mark.parametrize("action", [None, "get", "undefined"])
async def test_no_action_means_get_also_in_the_word_of_node(shared_house: House, action: str | None) -> None:
    assert (await shared_house.call("jobs", action)).data == []


@pytest.mark.parametrize("action", ["", "GET", "set", "delete", "get ", "null", "gét"])
async def test_an_action_that_the_endpoint_does_not_have_is_told_those_it_has(shared_house: House, action: str) -> None:
    reply = await shared_house.call("jobs", action)

    assert (reply.status, reply.code) == (400, 20004)
    assert reply.meta["message"] == f"`action` must be get or update on jobs, not {action!r}"


async def test_unknown_parameters_are_ignored_and_named_but_never_telemetry(shared_house: House) -> None:
    request: dict[str, Any] = {"session_ids": ["x"], "limit": 1, "meta": {"sdk": {"lang": "php"}}, "ünknown": 1}

    reply = await shared_house.call("jobs", "get", request)

    assert reply.meta["ignored"] == ["session_ids", "ünknown"]
    assert "ignored" not in (await shared_house.call("jobs", "get")).meta


async def test_routing_hints_decide_nothing(shared_house: House) -> None:
    body = sign_form(shared_house.home, {}, "get", now=datetime.now(UTC))
    hints = {"x-learnosity-action": "set_/jobs/sessions/metadata", "x-learnosity-consumer": shared_house.stranger.key}

    reply = await shared_house.send("POST", "/latest-lts/jobs", body, {"content-type": FORM_TYPE} | hints)

    assert reply.data == []


async def test_every_job_endpoint_is_off_where_the_service_is(make_house: MakeHouse) -> None:
    tree = load_actions()
    async with make_house(jobs_api=False) as house:
        for endpoint, verbs in tree.items():
            for verb in verbs:
                reply = await house.call(endpoint, verb, {})
                is_off = reply.status == 403 and reply.code == 41008
                assert is_off == (endpoint.split("/")[0] == "jobs"), (endpoint, verb, reply.body)


async def test_a_refusal_says_what_to_do_and_what_to_ask_the_operator_about(shared_house: House) -> None:
    reply = await shared_house.call("jobs", "get", {"limit": 0})

    assert set(reply.meta) == {"status", "code", "message", "advice", "request_uuid", "timestamp"}
