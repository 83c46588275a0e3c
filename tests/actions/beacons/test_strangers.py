"""Another organisation that knows every id and token: it gets and changes nothing, and tokens are put on record."""

from __future__ import annotations

from collections import Counter
from typing import Any

from jobgate.testing import House
from tests.beacons.boxes import held, make_job, pick_up, read


async def test_a_stranger_who_names_everything_gets_and_changes_nothing(make_house: Any) -> None:
    async with make_house(beacon_lease_s=1000) as house:
        waiting = await make_job(house, "waiting", q_time="2999-01-01")
        scheduled = await make_job(house, "scheduled", schedule=True, min=5, q=False)
        await make_job(house, "held")
        claim = await pick_up(house)
        await house.call("beacons/jobs/logs", "set", held(claim, offset=0, lines=["mine"]))
        before = await look(house)

        for job in (waiting, scheduled, claim["job"]):
            for endpoint, action, more in (
                ("beacons/jobs", "update", {"cancel": True}),
                ("beacons/jobs", "update", {"schedule_active": "false"}),
                ("beacons/jobs", "update", {"claim_token": claim["claim_token"], "curtask": 1}),
                ("beacons/jobs/tasks", "get", {}),
                ("beacons/jobs/pickups", "set", {}),
                ("beacons/jobs/starts", "set", {"claim_token": claim["claim_token"]}),
                ("beacons/jobs/ends", "set", {"claim_token": claim["claim_token"]}),
                ("beacons/jobs/logs", "set", {"claim_token": claim["claim_token"], "offset": 1, "lines": ["stolen"]}),
                ("beacons/jobs/logs", "get", {}),
            ):
                reply = await house.call(endpoint, action, {"job_id": job["id"]} | more, as_=house.stranger)
                assert (reply.status, reply.meta["message"]) == (400, "the job is not known"), endpoint
        async with house.db.connection() as queries:
            acts = await queries.connection.fetch(
                "select actor, act, detail->>'endpoint' as endpoint, detail->>'reason' as reason from audit"
                " where organisation_id = 2 and act = 'beacons.jobs.stale'"
            )
        tokens = ("beacons/jobs", "beacons/jobs/starts", "beacons/jobs/ends", "beacons/jobs/logs")
        assert Counter(tuple(act) for act in acts) == {
            (house.stranger.key, "beacons.jobs.stale", endpoint, "the organisation has no such job"): 3
            for endpoint in tokens
        }
        for endpoint in ("beacons", "beacons/jobs", "beacons/jobs/scheduled"):
            assert (await house.call(endpoint, "get", as_=house.stranger)).data == []
        deleted = await house.call("beacons", "delete", {"all": True}, as_=house.stranger)
        steered = await house.call("beacons", "update", {"name": "default", "state": "paused"}, as_=house.stranger)
        picked = await house.call("beacons/jobs/pickups", "set", {"beacon_name": "default"}, as_=house.stranger)

        assert (deleted.data, steered.status, picked.data) == ({"deleted": 0}, 400, [])
        assert await look(house) == before


async def look(house: House) -> list[Any]:
    """Everything that the organisation has."""
    (beacon,) = (await house.call("beacons", "get")).data
    job_id = (await read(house, name="held"))[0]["id"]
    log = (await house.call("beacons/jobs/logs", "get", {"job_id": job_id})).data
    scheduled = (await house.call("beacons/jobs/scheduled", "get")).data
    return [beacon["state"], beacon["held"], await read(house), log, scheduled]
