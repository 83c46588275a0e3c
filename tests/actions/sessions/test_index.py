"""`sessions` set: what the job stores, what it answers for each entry, and what is refused at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobgate.sessions import import_sessions
from jobgate.testing import House
from tests.session_calls import entry, ids, read, response, set_sessions, settle
from tests.stored_sessions import read as read_row
from tests.stored_sessions import results


async def read_responses(house: House, session_id: str) -> list[dict[str, Any]]:
    """The stored responses of a session."""
    row = await read_row(house, session_id)
    async with house.db.reading(1) as db:
        rows = await db.connection.fetch("select * from response where session_no = $1 order by position", row["id"])
    return [dict(row) for row in rows]


async def test_a_user_and_an_activity_are_enough(house: House) -> None:
    (result,) = await set_sessions(house, entry(None))

    assert result["status"] == "ok"
    row = await read_row(house, str(UUID(result["session_id"])))
    assert (row["user_id"], row["activity_id"], row["status"]) == ("u-1", "a-1", "Completed")
    assert (row["num_questions"], row["num_attempted"], row["score"], row["max_score"]) == (0, 0, None, None)
    assert (row["metadata"], row["items"], row["subscore_definitions"], row["subscores"]) == ({}, [], [], [])
    assert row["dt_saved"] == row["dt_started"] == row["dt_completed"]
    assert row["dt_saved"].microsecond == 0
    assert 0 <= (row["updated_at"] - row["dt_saved"]).total_seconds() < 2


async def test_a_session_id_is_made_once_for_all_runs_of_the_job(house: House) -> None:
    reply = await house.call("sessions", "set", {"data_format": "from_template", "data": [entry(None), entry(None)]})
    (queued,) = await read(house, "jobs", references=[reply.data["job_reference"]], include=["data"])
    await house.carry()

    made = [draft["session_id"] for draft in queued["data"]["request"]["data"]]
    assert len(set(made)) == 2
    assert [result["session_id"] for result in await results(house, reply.data["job_reference"])] == made


async def test_an_equal_packet_is_a_retry_and_creates_nothing(house: House) -> None:
    request = {"data_format": "from_template", "data": [entry(None)]}
    first = await house.call("sessions", "set", request, distinct=False)
    again = await house.call("sessions", "set", request, distinct=False)
    await house.carry()
    await settle(house)

    assert again.data == first.data
    assert again.meta["replayed"] is True
    assert len(await ids(house)) == 1


async def test_everything_is_stored_as_it_was_sent(house: House) -> None:
    answer = {"value": [["a", None], {"b": 1e-7}], "type": "array", "apiVersion": "v2.100.0", "revision": 3}
    question = {"type": "mcq", "validation": {"valid_response": {"score": 2, "value": ["1"]}}, "ü": "\u2028"}
    items = [
        {
            "reference": "i-1",
            "source": {"reference": "i-1", "organisation_id": 5, "item_pool_id": "pool"},
            "response_ids": ["r-1"],
            "time": 12,
            "user_flagged": True,
            "scoring": {"type": "dependent", "score": 1.5, "max_score": 2, "error": None},
            "tags": [{"type": "skill", "name": "reading"}],
        }
    ]
    scored = response("r-1", response=answer, question=question, question_type="mcq", item_reference="i-1", score=1.5)
    subscores = [
        {"id": "s", "title": "S", "items": ["i-1"], "score": 99, "num_questions": 12},
        {"id": "t", "title": "T", "tags": [{"type": "skill", "name": "reading"}]},
    ]
    metadata = {"nested": {"list": [1, 2.5, None, True]}, "text": "äöü 😀", "large": 2**53, "session_tags": []}

    await set_sessions(
        house,
        entry(
            items=items,
            responses=[scored],
            subscores=subscores,
            metadata=metadata,
            session_duration=77,
            dt_saved=1_445_216_251,
            dt_started="2015-10-18 23:57:31.25",
            dt_completed="2015-10-19T02:57:31+02:00",
        ),
    )

    row = await read_row(house, "s-1")
    del items[0]["scoring"]["error"]  # type: ignore[attr-defined]  # null is the same as absent
    assert (row["metadata"], row["items"], row["session_duration"]) == (metadata, items, 77)
    assert row["subscore_definitions"] == [
        {"id": "s", "title": "S", "items": ["i-1"]},
        {"id": "t", "title": "T", "tags": [{"type": "skill", "name": "reading"}]},
    ]
    assert row["subscores"] == []
    shown = [row[name].isoformat() for name in ("dt_saved", "dt_started", "dt_completed")]
    assert shown == ["2015-10-19T00:57:31+00:00", "2015-10-18T23:57:31+00:00", "2015-10-19T00:57:31+00:00"]
    (stored,) = await read_responses(house, "s-1")
    assert (stored["question_type"], stored["item_reference"], stored["score"]) == ("mcq", "i-1", 1.5)
    (record,) = await read(house, "jobs", include=["data"])
    assert record["data"]["request"]["data"][0]["responses"][0]["response"] == answer
    assert record["data"]["request"]["data"][0]["responses"][0]["question"] == question


async def test_what_php_and_java_send_is_understood(house: House) -> None:
    php = entry("php", metadata=[], responses=[response("r", response=[])])
    java = entry("java", session_duration="12", score="3.5", status="pending scoring")

    await set_sessions(house, php, java)

    first, second = await read_row(house, "php"), await read_row(house, "java")
    assert (first["metadata"], first["num_attempted"]) == ({}, 0)
    assert (second["session_duration"], second["score"], second["status"]) == (12, 3.5, "Pending Scoring")


async def test_totals_are_sums_over_the_responses(house: House) -> None:
    responses = [
        response("right", score=0.1, max_score=1),
        response("right too", score=0.2, max_score=1),
        response("unmarked", score=None, max_score=4),
        response("marked by hand", score=1, max_score=2, manual_score=0.5, max_manual_score=3),
        {"response_id": "seen only", "max_score": 1},
    ]

    await set_sessions(
        house, entry(responses=responses, num_questions=99, score=99), entry("s-2", num_questions=9, score=8)
    )

    row, bare = await read_row(house, "s-1"), await read_row(house, "s-2")
    assert (row["num_questions"], row["num_attempted"], row["score"], row["max_score"]) == (5, 4, 0.8, 10)
    assert (bare["num_questions"], bare["num_attempted"], bare["score"], bare["max_score"]) == (9, 0, 8, None)


async def test_a_response_was_attempted_when_it_has_a_value_or_says_so(house: House) -> None:
    answers: dict[str, Any] = {
        "null": None,
        "no value": {},
        "null value": {"value": None},
        "empty text": {"value": ""},
        "empty list": {"value": []},
        "list of nothing": {"value": ["", None, []]},
        "text": {"value": "x"},
        "zero": {"value": 0},
        "filled list": {"value": ["", 2]},
    }
    responses = [{"response_id": name, "response": answer} for name, answer in answers.items()]

    await set_sessions(house, entry(responses=[*responses, {"response_id": "says so", "attempted": True}]))

    attempted = [row["response_id"] for row in await read_responses(house, "s-1") if row["attempted"]]
    assert attempted == ["text", "zero", "filled list", "says so"]


async def test_only_a_scored_response_has_a_time_of_scoring(house: House) -> None:
    responses = [
        response("scored", score=1),
        response("unscored"),
        response("told", dt_score_updated=86_400, attempted=False),
    ]

    await set_sessions(house, entry(responses=responses))

    scored, unscored, told = [row["dt_score_updated"] for row in await read_responses(house, "s-1")]
    assert scored == (await read_row(house, "s-1"))["dt_saved"]
    assert unscored is None
    assert told.isoformat() == "1970-01-02T00:00:00+00:00"


async def test_only_a_completed_session_has_a_time_of_completion_unless_it_says_so(house: House) -> None:
    await set_sessions(
        house, entry("open", status="Incomplete"), entry("told", status="Discarded", dt_completed="2020-01-01")
    )

    assert (await read_row(house, "open"))["dt_completed"] is None
    assert (await read_row(house, "told"))["dt_completed"].year == 2020


async def test_times_may_be_as_early_and_as_late_as_there_are(house: House) -> None:
    await set_sessions(house, entry(dt_started="0001-01-01", dt_completed="9999-12-31T23:59:59.999999Z"))

    (record,) = await read(house, "sessions/statuses")
    assert (record["dt_started"], record["dt_completed"]) == ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")


async def test_an_existing_session_is_replaced_as_a_whole(house: House) -> None:
    old = entry(metadata={"old": 1}, responses=[response("r-1", score=1), response("r-2")], session_duration=5)
    await set_sessions(house, old)
    before = await read_row(house, "s-1")

    (result,) = await set_sessions(house, entry(activity_id="a-2", responses=[response("r-3", score=2)]))

    row = await read_row(house, "s-1")
    assert result == {"session_id": "s-1", "user_id": "u-1", "status": "ok"}
    assert (row["activity_id"], row["metadata"], row["session_duration"], row["score"]) == ("a-2", {}, 0, 2)
    assert [response["response_id"] for response in await read_responses(house, "s-1")] == ["r-3"]
    assert row["updated_at"] > before["updated_at"]


async def test_a_session_of_another_user_is_an_error_of_its_entry_alone(house: House) -> None:
    await set_sessions(house, entry("s-1", metadata={"of": "u-1"}))

    ended = await set_sessions(house, entry("s-0"), entry("s-1", user_id="u-2"), entry("s-2"))

    assert [result["status"] for result in ended] == ["ok", "error", "ok"]
    assert (ended[1]["user_id"], ended[1]["code"]) == ("u-2", 20011)
    assert ended[1]["message"] == "a session with this `session_id` belongs to another user"
    assert (await read_row(house, "s-1"))["metadata"] == {"of": "u-1"}
    (record,) = await read(house, "jobs", include=["data"], limit=1)
    assert record["data"]["counters"] == {"stored": 2, "refused": 1, "superseded": 0}


async def test_organisations_do_not_share_session_ids(house: House) -> None:
    await set_sessions(house, entry("s-1", metadata={"of": 1}))
    (result,) = await set_sessions(house, entry("s-1", user_id="u-2"), as_=house.stranger)

    assert result["status"] == "ok"
    assert (await read_row(house, "s-1"))["user_id"] == "u-1"
    assert (await read_row(house, "s-1", organisation_id=2))["user_id"] == "u-2"


async def test_an_older_job_that_comes_late_changes_nothing(house: House) -> None:
    old = await house.call("sessions", "set", {"data_format": "from_template", "data": [entry(score=1), entry("s-2")]})
    await import_sessions(house.db, 1, [b'{"session_id":"s-1","user_id":"u-1","activity_id":"new","score":2}'])
    await house.carry()

    late, in_time = await results(house, old.data["job_reference"])
    assert late == {"session_id": "s-1", "user_id": "u-1", "status": "ok", "superseded": True}
    assert in_time == {"session_id": "s-2", "user_id": "u-1", "status": "ok"}
    assert (await read_row(house, "s-1"))["activity_id"] == "new"


async def test_a_replaced_session_keeps_the_status_and_the_metadata_of_newer_jobs(house: House) -> None:
    await set_sessions(house, entry(status="Completed"))
    late = await house.call("sessions", "set", {"data_format": "from_template", "data": [entry(metadata={"late": 1})]})
    async with house.db.transaction(1) as tx:
        newer = await tx.fetchval("next_job_id")
        await tx.connection.execute(
            "update session set status = 'Incomplete', dt_completed = null, status_by = $1, metadata = $2,"
            " metadata_by = $1",
            newer,
            b'{"newer":1}',
        )

    await house.carry()

    (result,) = await results(house, late.data["job_reference"])
    row = await read_row(house, "s-1")
    assert "superseded" not in result
    assert (row["status"], row["dt_completed"], row["metadata"]) == ("Incomplete", None, {"newer": 1})


async def test_wrong_input_is_refused_at_once(house: House) -> None:
    async def refuse(**request: Any) -> int:
        return (await house.call("sessions", "set", request)).code

    async def refuse_entry(**changes: Any) -> int:
        return await refuse(data_format="from_template", data=[entry(), entry(**changes)])

    assert await refuse(data=[entry()]) == 20000
    assert await refuse(data_format="failed_submission", data=["aGk="]) == 20004
    assert await refuse(data_format="other", data=[entry()]) == 20004
    assert await refuse(data_format="from_template") == 20000
    assert await refuse(data_format="from_template", data=[]) == 20001
    assert await refuse(data_format="from_template", data=[entry(None)] * 51) == 20002
    assert await refuse(data_format="from_template", data=[{"activity_id": "a-1"}]) == 20000
    assert await refuse(data_format="from_template", data=[{"user_id": "u-1"}]) == 20000
    assert await refuse(data_format="from_template", data=["aGk="]) == 20003
    expected: dict[int, list[dict[str, Any]]] = {
        20000: [{"responses": [{}]}, {"items": [{}]}, {"subscores": [{"title": "t"}]}],
        20001: [{"user_id": "u" * 51}, {"user_id": ""}, {"session_id": "s" * 101}, {"activity_id": ""}],
        20002: [{"responses": [response(str(number)) for number in range(1001)]}],
        20003: [
            {"user_id": 5},
            {"score": "many"},
            {"score": 1e10},
            {"num_questions": 2**31},
            {"num_questions": -1},
            {"metadata": "text"},
            {"metadata": ["list"]},
            {"responses": {"r": 1}},
            {"responses": [response("r", response="text")]},
            {"responses": [response("r", score=1e7)]},
            {"dt_saved": "yesterday"},
            {"responses": [response("r", dt_score_updated="yesterday")]},
        ],
        20004: [{"status": "Lost"}, {"responses": [response("r"), response("r")]}],
    }
    for code, mistakes in expected.items():
        for mistake in mistakes:
            assert (await refuse_entry(**mistake), str(mistake)[:80]) == (code, str(mistake)[:80])
    assert await house.unfinished() == 0


async def test_a_refusal_names_the_entry(house: House) -> None:
    data = [entry(), entry("s-2", responses=[response("r"), response("r")])]

    reply = await house.call("sessions", "set", {"data_format": "from_template", "data": data})

    assert reply.meta["message"] == "`data[1]`: `response_id` 'r' stands twice in one session"
