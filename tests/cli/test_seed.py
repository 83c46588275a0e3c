"""`jobgate seed`: a school of any size, stored as `jobgate load` stores a file."""

from __future__ import annotations

import json

from tests.cli.conftest import RunningDev


def test_the_same_school_is_stored_twice_and_is_there_once(dev: RunningDev) -> None:
    school = ("--sessions", "60", "--seed", "9", "--until", "2020-07-01")

    reports = [json.loads(dev.run("seed", *school, "--json").stdout) for _ in range(2)]

    assert [report["stored"] for report in reports] == [60, 60]
    assert all(report["refused"] == 0 and report["per_second"] > 0 for report in reports)
    request = '{"user_id": ["student9-ada"]}'
    answer = json.loads(dev.run("call", "sessions/responses", "get", request).stdout)
    assert len(answer["data"]) == 3


def test_progress_and_rate_are_said(dev: RunningDev) -> None:
    seeded = dev.run("seed", "--sessions", "10", "--users", "5", "--seed", "10")

    assert seeded.stdout.startswith("stored 10 sessions in ")
    assert seeded.stdout.endswith(" a second\n")
    assert "sessions: storing 10/10" in seeded.stderr


def test_an_organisation_that_does_not_exist_is_not_made_by_a_typing_error(dev: RunningDev) -> None:
    refused = dev.run("seed", "--sessions", "1", "--organisation", "4711")

    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: there is no organisation 4711: ")
