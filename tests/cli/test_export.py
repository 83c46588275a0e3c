"""`jobgate export`: a compiled dataset becomes a file, whole or not at all."""

from __future__ import annotations

import csv
import json
import uuid
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from pyarrow import parquet

from jobgate.cli.export import Reader
from jobgate.cli.failures import Unusable
from jobgate.cli.surroundings import find_client
from tests.cli.conftest import RunningDev

USERS = 1203
RESPONSE = {"response_id": "r", "question_reference": "q-1", "question_type": "mcq", "max_score": 1}


@pytest.fixture(scope="module", autouse=True)
def sessions(dev: RunningDev, tmp_path_factory: pytest.TempPathFactory) -> None:
    """More users than a page has; one is called like a formula."""
    file = tmp_path_factory.mktemp("export") / "sessions.jsonl"
    names = ["=cmd", *[f"learner-{number}" for number in range(1, USERS)]]
    responses = [RESPONSE | {"score": number % 2, "response": {"value": [str(number % 3)]}} for number in range(USERS)]
    sessions = [
        {"session_id": f"export-{number}", "user_id": name, "activity_id": "export", "responses": [responses[number]]}
        for number, name in enumerate(names)
    ]
    file.write_text("".join(json.dumps(session) + "\n" for session in sessions))
    assert dev.run("load", str(file)).exit_code == 0


def compile_all(dev: RunningDev, dataset_type: str, **request: Any) -> str:
    """A compiled dataset of everybody; its id."""
    dataset_id = request.setdefault("dataset_id", str(uuid.uuid4()))
    request |= {"dataset_type": dataset_type, "file_count": 0, "filters": {"activity_id": ["export"]}}
    assert dev.run("call", "reports/datasets", "set", json.dumps(request), "--wait").exit_code == 0
    return str(dataset_id)


def compile_groups(dev: RunningDev) -> str:
    """A compiled dataset of three users in a tree of groups."""
    request = {"dataset_type": "activity-summary-by-group", "file_count": 1, "filters": {"activity_id": ["export"]}}
    answer = json.loads(dev.run("call", "reports/datasets", "set", json.dumps(request)).stdout)["data"]
    paths = {"=cmd": ["north", "a"], "learner-1": ["north", "b"], "learner-2": ["-south"]}
    lines = [json.dumps({"user_id": user, "group_path": path}) for user, path in paths.items()]
    with urlopen(Request(answer["input_files"][0], "\n".join(lines).encode(), method="PUT")) as reply:
        assert reply.status == 200
    request = {"dataset_type": answer["dataset_type"], "dataset_id": answer["dataset_id"]}
    assert dev.run("call", "jobs/reports/datasets", "set", json.dumps(request), "--wait").exit_code == 0
    return str(answer["dataset_id"])


def read_csv(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, strict=True))


def test_users_come_page_by_page_into_one_file(dev: RunningDev, tmp_path: Path) -> None:
    dataset_id = compile_all(dev, "activity-summary-by-group")
    file = tmp_path / "users.csv"

    exported = dev.run("export", dataset_id, "--output", str(file))

    rows = read_csv(file)
    assert exported.stdout == f"wrote {USERS} users to {file}\n"
    assert "exporting" in exported.stderr
    assert len({row["user_id"] for row in rows}) == USERS
    assert "'=cmd" in {row["user_id"] for row in rows}
    assert next(row for row in rows if row["user_id"] == "learner-1") == {
        "user_id": "learner-1",
        "score": "1.0",
        "max_score": "1.0",
        "attempted_max_score": "1.0",
        "unscored_max_score": "0.0",
        "seen_activities": "1",
    }
    manifest = json.loads((tmp_path / "users.csv.manifest.json").read_text())
    assert manifest["rows"] == USERS
    assert manifest["columns"] == list(rows[0])
    assert "apostrophe" in manifest["rule"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["users.csv", "users.csv.manifest.json"]


def test_groups_come_with_all_that_are_below(dev: RunningDev, tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"

    exported = dev.run("export", compile_groups(dev), "--what", "groups", "--output", str(file))

    assert exported.exit_code == 0
    rows = read_csv(file)
    assert [(row["group_path"], row["key"], row["population"]) for row in sorted(rows, key=lambda row: row["key"])] == [
        ("[]", "", "3"),
        ('["-south"]', "'-south", "1"),
        ('["north", "a"]', "a", "1"),
        ('["north", "b"]', "b", "1"),
        ('["north"]', "north", "2"),
    ]


def test_questions_fit_parquet(dev: RunningDev, tmp_path: Path) -> None:
    dataset_id = compile_all(dev, "activity-analysis-by-question")
    file = tmp_path / "questions.parquet"

    exported = dev.run("export", dataset_id, "--what", "questions", "--format", "parquet", "--output", str(file))

    assert exported.exit_code == 0
    (row,) = parquet.read_table(file).to_pylist()
    assert (row["activity_id"], row["question_reference"], row["responses"]) == ("export", "q-1", USERS)
    assert row["p_value"] == pytest.approx(601 / 1203, abs=6e-5)
    assert [option["count"] for option in json.loads(row["options"])] == [401, 401, 401]


def test_what_a_dataset_does_not_have_leaves_no_file(dev: RunningDev, tmp_path: Path) -> None:
    dataset_id = compile_all(dev, "ibk-analysis-by-question")

    users = dev.run("export", dataset_id, "--output", str(tmp_path / "users.csv"))
    unknown = dev.run("export", str(uuid.UUID(int=7)), "--output", str(tmp_path / "users.csv"))

    assert (users.exit_code, unknown.exit_code) == (2, 2)
    assert users.stderr.endswith(f"Error: dataset {dataset_id} has no users: its type is another\n")
    assert unknown.stderr == f"Error: there is no dataset {uuid.UUID(int=7)} (50000)\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_of_one_compilation(dev: RunningDev) -> None:
    dataset_id = compile_all(dev, "activity-summary-by-group")
    grouped_id = compile_groups(dev)
    users = Reader(find_client(dev.data), dataset_id).read("users")
    groups = Reader(find_client(dev.data), grouped_id).read("groups")
    next(users)
    next(groups)
    next(groups)
    compile_all(dev, "activity-summary-by-group", dataset_id=dataset_id)
    compile_all(dev, "activity-summary-by-group", dataset_id=grouped_id)

    with pytest.raises(Unusable, match="results that were replaced"):
        next(users)
    with pytest.raises(Unusable, match="was compiled anew meanwhile"):
        list(groups)
