"""`jobgate call`: what it sends, what it shows, and the exit code that a script goes by."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import RunningDev, run_here
from tests.cli.terminal import find_port

COMPLETE = {
    "session_id": "f79bbe19-75e9-46f9-a056-8cc3d134d985",
    "user_id": "student-ada",
    "status": "Completed",
}


def test_an_answer_is_printed_as_json(dev: RunningDev) -> None:
    called = dev.run("call", "jobs", "get", '{"limit": 1}')

    assert called.exit_code == 0
    assert json.loads(called.stdout)["meta"]["status"] is True


def test_a_request_comes_from_a_file_or_from_standard_input(dev: RunningDev, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text('{"session_id": ["67d805e3-4980-4c7b-be42-ad9933c42811"]}')

    from_file = dev.run("call", "sessions/statuses", "get", f"@{file}")
    given = run_here("call", "sessions/statuses", "get", "-", "--data", str(dev.data), given=file.read_text())

    assert [record["user_id"] for record in json.loads(from_file.stdout)["data"]] == ["student-bruno"]
    assert json.loads(given.stdout)["data"] == json.loads(from_file.stdout)["data"]


def test_equal_calls_are_two_jobs(dev: RunningDev) -> None:
    request = json.dumps({"statuses": [COMPLETE]})

    answers = [dev.run("call", "jobs/sessions/statuses", "update", request) for _ in range(2)]

    first, second = (json.loads(answer.stdout) for answer in answers)
    assert first["data"]["job_reference"] != second["data"]["job_reference"]


def test_a_refusal_is_shown_and_gives_exit_code_1(dev: RunningDev) -> None:
    refused = dev.run("call", "no/such/endpoint", "get")

    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["meta"]["code"] == 20012


def test_waiting_shows_the_entries_that_failed(dev: RunningDev) -> None:
    request = {"statuses": [COMPLETE, COMPLETE | {"user_id": "somebody-else"}]}

    waited = dev.run("call", "jobs/sessions/statuses", "update", json.dumps(request), "--wait")

    assert waited.exit_code == 0
    assert "1 of 2 entries ok" in waited.stdout
    assert "  entry 1: " in waited.stdout
    assert ": completed" in waited.stderr  # progress, out of the way of what is piped


def test_waiting_with_json_prints_the_record_and_nothing_else(dev: RunningDev) -> None:
    request = json.dumps({"statuses": [COMPLETE]})

    job = json.loads(dev.run("call", "jobs/sessions/statuses", "update", request, "--wait", "--json").stdout)

    assert job["status"] == "completed"
    assert job["results"][0]["session_id"] == COMPLETE["session_id"]
    assert job["data"]["request"]


def test_a_halted_job_says_why_and_gives_exit_code_1(dev: RunningDev) -> None:
    waited = dev.run("call", "school/bells", "set", '{"bell": "north"}', "--wait")

    assert waited.exit_code == 1
    assert "halted: the bell north has no clapper (failed)" in waited.stdout


def test_waiting_for_a_call_without_a_job_just_answers(dev: RunningDev) -> None:
    waited = dev.run("call", "jobs", "get", "--wait")

    assert waited.exit_code == 0
    assert "the call started no job" in waited.stderr


def test_a_request_that_is_no_json_object_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    client = {"JOBGATE_URL": "http://127.0.0.1:1", "JOBGATE_KEY": "k", "JOBGATE_SECRET": "s"}

    broken = run_here("call", "jobs", "get", "{", **client)
    array = run_here("call", "jobs", "get", "[1]", **client)
    missing = run_here("call", "jobs", "get", f"@{tmp_path}/nothing", **client)

    assert [broken.exit_code, array.exit_code, missing.exit_code] == [2, 2, 2]
    assert broken.stderr.startswith("Error: REQUEST is not JSON: ")
    assert array.stderr == 'Error: REQUEST must be a JSON object, like {"limit": 10}\n'
    assert missing.stderr == f"Error: {tmp_path}/nothing cannot be read: No such file or directory\n"


def test_without_a_gateway_it_says_where_one_comes_from(tmp_path: Path) -> None:
    unknown = run_here("call", "jobs", "get", "--data", str(tmp_path))
    unset = run_here("call", "jobs", "get", JOBGATE_URL="http://127.0.0.1:1")
    wrong = run_here("call", "jobs", "get", JOBGATE_URL="gateway", JOBGATE_KEY="k", JOBGATE_SECRET="s")

    assert [unknown.exit_code, unset.exit_code, wrong.exit_code] == [2, 2, 2]
    assert "start `jobgate dev`, or set JOBGATE_URL, JOBGATE_KEY and JOBGATE_SECRET" in unknown.stderr
    assert unset.stderr == "Error: set JOBGATE_KEY and JOBGATE_SECRET: the consumer that signs\n"
    assert "begins with http:// or https://" in wrong.stderr


def test_a_gateway_that_does_not_answer_is_named() -> None:
    url = f"http://127.0.0.1:{find_port()}"

    called = run_here("call", "jobs", "get", JOBGATE_URL=url, JOBGATE_KEY="k", JOBGATE_SECRET="s")

    assert called.exit_code == 2
    assert called.stderr == f"Error: {url} does not answer: [Errno 111] Connection refused; correct JOBGATE_URL\n"
