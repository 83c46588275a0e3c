"""`jobgate load`: a file of sessions comes in, and what is wrong with a line is said with its number."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import RunningDev
from tests.stored_statements import make

SESSION = {"session_id": "loaded-1", "user_id": "student-gus", "activity_id": "loaded"}


def test_a_file_is_stored_and_storing_it_again_changes_nothing(dev: RunningDev, tmp_path: Path) -> None:
    file = tmp_path / "sessions.jsonl"
    file.write_text("".join(json.dumps(SESSION | {"session_id": f"loaded-{number}"}) + "\n" for number in range(3)))

    reports = [json.loads(dev.run("load", str(file), "--json").stdout) for _ in range(2)]

    assert reports == [{"stored": 3, "refused": 0, "problems": []}] * 2
    request = '{"activity_id": ["loaded"], "user_id": ["student-gus"]}'
    answer = json.loads(dev.run("call", "sessions/statuses", "get", request).stdout)
    assert {record["session_id"] for record in answer["data"]} == {"loaded-0", "loaded-1", "loaded-2"}


def test_a_line_with_a_problem_is_left_out_and_named(dev: RunningDev, tmp_path: Path) -> None:
    file = tmp_path / "sessions.jsonl"
    file.write_text(json.dumps(SESSION | {"activity_id": "mixed"}) + '\n\n{"user_id": "student-gus"}\nnonsense\n')

    loaded = dev.run("load", str(file))

    assert loaded.exit_code == 1
    assert loaded.stdout.startswith("stored 1 sessions, refused 2 lines\n  line 3: ")
    assert "\n  line 4: " in loaded.stdout


def test_an_organisation_that_does_not_exist_is_not_made_by_a_typing_error(dev: RunningDev, tmp_path: Path) -> None:
    file = tmp_path / "sessions.jsonl"
    file.write_text(json.dumps(SESSION) + "\n")

    refused = dev.run("load", str(file), "--organisation", "4711")

    assert refused.exit_code == 2
    assert refused.stderr == (
        "Error: there is no organisation 4711: jobgate consumers add --organisation 4711 makes one\n"
    )


def test_statements_go_into_a_store(dev: RunningDev, tmp_path: Path) -> None:
    file = tmp_path / "statements.jsonl"
    file.write_text(json.dumps(make(1)) + "\n" + json.dumps(make(2, verb={})) + "\n")
    dev.run("call", "xapi/stores", "set", '{"slug": "loaded"}')

    loaded = dev.run("load", str(file), "--store", "loaded")
    again = json.loads(dev.run("load", "--no-validate", str(file), "--store", "loaded", "--json").stdout)

    assert loaded.exit_code == 1
    assert loaded.stdout.startswith(
        "accepted 1 statements, 0 of them known before; replaced 0, voided 0, rejected 1\n  line 2: "
    )
    assert again == {"accepted": 2, "known": 1, "replaced": 0, "voided": 0, "rejected": 0, "problems": []}
    answer = json.loads(dev.run("call", "xapi/statements", "get", '{"store": "loaded"}').stdout)
    assert [each["id"] for each in answer["data"]["statements"]] == [make(2)["id"], make(1)["id"]]


def test_what_cannot_be_loaded_is_explained(dev: RunningDev, tmp_path: Path) -> None:
    file = tmp_path / "statements.json"
    file.write_text("\n[" + json.dumps(make(1)) + "]")
    dev.run("call", "xapi/stores", "set", '{"slug": "loaded"}')

    array = dev.run("load", str(file), "--store", "loaded")
    unknown = dev.run("load", str(file), "--store", "none")
    storeless = dev.run("load", str(file), "--replace")

    assert (array.exit_code, unknown.exit_code, storeless.exit_code) == (2, 2, 2)
    assert "jq -c '.[]'" in array.stderr
    assert "--store must be the slug of a store, not 'none': jobgate call xapi/stores set makes one" in unknown.stderr
    assert "--replace is about statements: name their --store" in storeless.stderr
