"""`sessions/scores` get."""

from __future__ import annotations

from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.session_calls import entry, read, response, set_sessions

ENDPOINT = "sessions/scores"


async def test_a_record_has_the_documented_fields(house: House) -> None:
    await set_sessions(house, entry(score=39, max_score=40.5), entry("s-2", status="Incomplete"))

    first, second = await read(house, ENDPOINT)

    assert first == {
        "user_id": "u-1",
        "activity_id": "a-1",
        "session_id": "s-1",
        "score": 39,
        "max_score": 40.5,
        "status": "Completed",
        "subscores": [],
    }
    assert type(first["score"]) is int
    assert (second["score"], second["max_score"]) == (None, None)


async def test_response_scores_come_where_wanted_and_never_an_answer(house: House) -> None:
    scored = response("r-2", item_reference="i", score=1.5, max_score=2, dt_score_updated="2019-10-21T23:48:31Z")
    await set_sessions(house, entry(responses=[scored, response("r-1")]), entry("s-2"))

    first, second = await read(house, ENDPOINT, include_response_scores=True)

    assert first["responses"] == [
        {
            "item_reference": "i",
            "response_id": "r-2",
            "score": 1.5,
            "max_score": 2,
            "dt_score_updated": "2019-10-21T23:48:31Z",
        },
        {"item_reference": "", "response_id": "r-1", "score": None, "max_score": None, "dt_score_updated": None},
    ]
    assert second["responses"] == []
    assert "responses" not in (await read(house, ENDPOINT))[0]


async def test_a_score_that_a_person_gave_is_the_one_that_is_read(house: House) -> None:
    await set_sessions(
        house, entry(responses=[response("r-1", score=1, max_score=2, manual_score=3, max_manual_score=4)])
    )

    (record,) = await read(house, ENDPOINT, include_response_scores=True)

    assert (record["score"], record["max_score"]) == (3, 4)
    assert [(each["score"], each["max_score"]) for each in record["responses"]] == [(3, 4)]


async def test_a_thousand_responses_keep_their_order(house: House) -> None:
    responses = [response(f"r-{number:04}", score=number / 8) for number in range(999, -1, -1)]
    await set_sessions(house, entry(responses=responses))

    (record,) = await read(house, ENDPOINT, include_response_scores=True)

    assert [each["response_id"] for each in record["responses"]] == [each["response_id"] for each in responses]
    assert [each["score"] for each in record["responses"]] == [each["score"] for each in responses]


async def test_what_no_answer_can_carry_is_refused(make_house: MakeHouse) -> None:
    async with make_house(max_answer=20_000) as house:
        responses = [response(f"r-{number}") for number in range(100)]
        await set_sessions(house, entry(responses=responses), entry("s-2", responses=responses))

        both = await house.call(ENDPOINT, "get", {"include_response_scores": True})

        assert (both.status, both.code) == (400, 20027)
        assert "ask for less" in both.meta["message"]
        assert len(await read(house, ENDPOINT)) == 2
        assert len(await read(house, ENDPOINT, include_response_scores=True, limit=1)) == 1


async def test_subscores_are_results_not_definitions(house: House) -> None:
    definitions = [{"id": "all", "title": "All", "items": ["i"]}]
    await set_sessions(house, entry(subscores=definitions))
    before = await read(house, ENDPOINT)
    results = b'[{"id":"all","title":"All","num_questions":1,"score":0.5,"items":["i"]}]'
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update session set subscores = $1", results)

    (record,) = await read(house, ENDPOINT)

    assert before[0]["subscores"] == []
    assert record["subscores"] == [{"id": "all", "title": "All", "num_questions": 1, "score": 0.5, "items": ["i"]}]


async def test_the_flag_is_a_boolean(house: House) -> None:
    assert (await house.call(ENDPOINT, "get", {"include_response_scores": "perhaps"})).code == 20003
    assert (await house.call(ENDPOINT, "get", {"include_response_scores": "true"})).data == []
