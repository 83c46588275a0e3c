"""How deliveries are sent: signed, at least once, later and later, target by target."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks

from jobgate.keys import OuterKey
from jobgate.outbound import Client, read_rules
from jobgate.outbox.ladder import TRIED_AT_S
from jobgate.outbox.sender import OPENS_AFTER, PER_TARGET
from jobgate.testing import House
from tests.listeners import Answer, Post, answering, hang, listening, make_tls, pour_body, trickle_body
from tests.outbound.names import resolving
from tests.push.sending import (
    add_target,
    announce,
    count_waiting,
    fetch,
    pass_time,
    read_deliveries,
    read_target,
    sending,
    until,
    until_idle,
    until_tried,
    with_settings,
)
from tests.stored_sessions import store


async def announce_many(house: House, count: int) -> list[str]:
    """Announce the scores of so many sessions; their ids."""
    names = [f"s-{number}" for number in range(count)]
    for name in names:
        await store(house, name)
    await announce(house, "session.score", *names)
    return names


async def announced_ids(house: House, target: dict[str, Any]) -> list[str]:
    """The ids of all deliveries to a target."""
    rows = await fetch(house, "select id::text from push_delivery where target_id::text = $1", target["id"])
    return sorted(row["id"] for row in rows)


# -- delivering ---------------------------------------------------------------------------------------------------


async def test_an_event_arrives_signed_with_the_body_that_was_announced(house: House) -> None:
    await store(house, "s-1", status="Completed")
    async with listening() as listener, sending(house):
        target = await add_target(house, listener.url)
        await announce(house, "session.status", "s-1")
        (post,) = await listener.until(1)
        await until_idle(house)

    verified = standardwebhooks.Webhook(target["secret"]).verify(post.body, post.headers)
    (record,) = (await house.call("sessions/statuses", "get", {"session_id": ["s-1"]})).data
    (delivery,) = await read_deliveries(house)
    assert verified == record == delivery["body"]
    assert post.headers["jobgate-event"] == "session.status"
    assert (delivery["id"], delivery["state"], delivery["next_try_at"]) == (post.id, "delivered", None)
    (tried,) = delivery["tries"]
    assert (tried["number"], tried["status"], tried["error"], tried["answer"]) == (1, 204, None, "")
    assert (await read_target(house, target["id"]))["last_success_at"] is not None


async def test_while_a_secret_rotates_both_sign(house: House) -> None:
    async with listening() as listener, sending(house):
        target = await add_target(house, listener.url)
        turned = (await house.call("push/targets", "update", {"id": target["id"], "rotate_secret": True})).data
        await send_test(house, target)
        await listener.until(1)
        await pass_time(house, 86400)
        await send_test(house, target)
        first, second = await listener.until(2)
        await until_idle(house)

    for secret in (target["secret"], turned["secret"]):
        standardwebhooks.Webhook(secret).verify(first.body, first.headers)
    standardwebhooks.Webhook(turned["secret"]).verify(second.body, second.headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(target["secret"]).verify(second.body, second.headers)


async def send_test(house: House, target: dict[str, Any]) -> str:
    """Send a test event; the delivery's id."""
    id: str = (await house.call("push/tests", "set", {"target_id": target["id"]})).data["delivery_id"]
    return id


async def test_many_events_arrive_once_each_with_four_under_way_at_most(house: House) -> None:
    async with listening() as listener:
        target = await add_target(house, listener.url)
        await announce_many(house, 300)
        async with sending(house), sending(house):
            await until_idle(house)

    assert sorted(listener.ids) == await announced_ids(house, target)
    assert 1 < listener.most_at_once <= PER_TARGET


async def test_no_more_tries_are_under_way_than_there_are_slots_and_every_target_gets_its_turn(house: House) -> None:
    under_way = most = 0

    async def answer(post: Post, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.002)
        under_way -= 1
        writer.write(b"HTTP/1.1 204 Said\r\n\r\n")

    async with listening(answer) as listener:
        for _ in range(5):
            await add_target(house, listener.url)
        await announce_many(house, 20)
        async with sending(house, settings=with_settings(house, push_slots=3)):
            await until_idle(house)

    assert most == 3
    assert len(set(listener.ids)) == len(listener.ids) == 100


# -- at least once ------------------------------------------------------------------------------------------------


async def test_a_listener_that_was_down_for_an_hour_gets_everything(house: House) -> None:
    """The hour passes in steps of half a minute, so that circuits and ladders see all of it."""
    async with listening() as listener:
        target = await add_target(house, listener.url)
    await announce_many(house, 200)
    async with sending(house):
        await until_tried(house, OPENS_AFTER)
        for _ in range(120):
            await pass_time(house, 30)
            await until_quiet(house)
        tried = (await fetch(house, "select sum(tries)::integer as tries from push_delivery"))[0]["tries"]
        async with listening(port=listener.port) as again:
            for _ in range(20):
                await pass_time(house, 3600)
                await asyncio.sleep(0.15)
                if not await count_waiting(house):
                    break
            await until_idle(house)

    assert set(again.ids) == set(await announced_ids(house, target))
    assert {each["state"] for each in await read_deliveries(house)} == {"delivered"}
    assert OPENS_AFTER <= tried < 200  # an open circuit costs no try


async def until_quiet(house: House) -> None:
    """Wait until no target is due to be tried: each is closed, or nothing waits."""

    async def is_quiet() -> bool:
        rows = await fetch(
            house,
            "select from outbox join push_target on id = target_id"
            " where due_at <= clock_timestamp() and closed_until <= clock_timestamp()"
            " or lease_until > clock_timestamp()",
        )
        return not rows

    await until(is_quiet)


async def test_what_was_posted_and_not_written_down_is_posted_again_under_the_same_id(house: House) -> None:
    """The sender dies between the answer and the commit: its claim runs out."""
    async with listening(hang) as listener:
        target = await add_target(house, listener.url)
        id = await send_test(house, target)
        async with sending(house, settings=with_settings(house, push_timeout_s=0.5)):
            await listener.until(1)
            # As if that process had been frozen: another one goes on, and what the first writes later is refused.
            await fetch(house, "update outbox set lease_until = '-infinity'")
            listener.answer = answering(204)
            async with sending(house):
                await until_idle(house)

    assert listener.ids == [id, id]
    (delivery,) = await read_deliveries(house)
    assert (delivery["state"], len(delivery["tries"])) == ("delivered", 1)


async def test_a_stopping_sender_gives_back_what_it_cuts_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobgate.outbox.sender._STOP_S", 0.05)
    async with listening(hang) as listener:
        target = await add_target(house, listener.url)
        id = await send_test(house, target)
        async with sending(house):
            await listener.until(1)
        (row,) = await fetch(house, "select lease_until <= clock_timestamp() as free from outbox")
        assert row["free"]
        listener.answer = answering(204)
        async with sending(house):
            await until_idle(house)

    assert listener.ids == [id, id]


async def test_a_delivery_that_nobody_takes_fails_after_the_last_try_and_can_be_sent_again(house: House) -> None:
    async with listening(answering(500, b"not today")) as listener:
        target = await add_target(house, listener.url)
        id = await send_test(house, target)
        async with sending(house):
            for number in range(1, len(TRIED_AT_S) + 1):
                await until_tried(house, number)
                (before,) = await read_deliveries(house)
                assert before["state"] == ("queued" if number < len(TRIED_AT_S) else "failed")
                await fetch(house, "update outbox set due_at = clock_timestamp()")
                await pass_time(house, 60)
            (failed,) = await read_deliveries(house, state="failed")
            assert [tried["status"] for tried in failed["tries"]] == [500] * len(TRIED_AT_S)
            assert failed["tries"][0]["answer"] == "not today"
            assert (await read_target(house, target["id"]))["last_failure"] == "answered 500"

            listener.answer = answering(200)
            await pass_time(house, 60)
            reply = await house.call("push/deliveries", "update", {"id": [id]})
            assert reply.data == [{"id": id, "status": "ok"}]
            await until_idle(house)

    assert set(listener.ids) == {id}
    (delivered,) = await read_deliveries(house)
    assert (delivered["state"], len(delivered["tries"])) == ("delivered", len(TRIED_AT_S) + 1)


# -- bad targets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (hang, "no answer within 0.3 s"),
        (trickle_body, "no answer within 0.3 s"),
        (answering(302, location="http://127.0.0.1:9/"), "answered 302: redirects are not followed"),
        (answering(500), "answered 500"),
        (answering(429, retry_after="60"), "answered 429"),
        (answering(410), "the target is gone (410)"),
    ],
)
async def test_a_bad_target_does_not_hold_up_the_others(house: House, answer: Answer, says: str) -> None:
    async with listening(answer) as bad, listening() as good:
        trap = await add_target(house, bad.url)
        target = await add_target(house, good.url)
        await announce_many(house, 50)
        settings = with_settings(house, push_timeout_s=0.3, push_slots=PER_TARGET + 1)
        async with sending(house, settings=settings):
            await good.until(50)
            await until_tried(house, 51)

    assert sorted(good.ids) == await announced_ids(house, target)
    assert (await read_target(house, trap["id"]))["last_failure"] == says
    assert (await read_target(house, target["id"]))["last_failure"] is None


async def test_a_target_that_pours_out_an_endless_body_has_taken_the_event(house: House) -> None:
    async with listening(pour_body) as listener, sending(house):
        target = await add_target(house, listener.url)
        await send_test(house, target)
        await until_idle(house)

    (delivery,) = await read_deliveries(house)
    assert (delivery["state"], len(delivery["tries"][0]["answer"])) == ("delivered", 1024)


async def test_a_target_with_a_bad_certificate_gets_nothing(house: House, tmp_path: Path) -> None:
    server, _ = make_tls(tmp_path, "lms.example")
    async with listening(tls=server) as listener, sending(house):
        target = await add_target(house, listener.url)
        await send_test(house, target)
        await until_tried(house, 1)

    assert listener.posts == []
    assert (await read_target(house, target["id"]))["last_failure"].startswith("the certificate is not valid")


async def test_a_name_that_leads_inside_by_now_gets_nothing(house: House) -> None:
    async with listening() as listener:
        target = await add_target(house, "https://lms.example/")
        resolve, _ = resolving(["127.0.0.1", "10.0.0.1"])
        settings = house.settings
        client = Client(read_rules(settings), timeout_s=settings.push_timeout_s, resolve=resolve)
        async with sending(house, client=client):
            await send_test(house, target)
            await until_tried(house, 1)

    assert listener.connections == 0
    (delivery,) = await read_deliveries(house)
    assert (delivery["state"], delivery["tries"][0]["error"]) == ("queued", "the address is not public")


async def test_five_failures_in_a_row_open_the_circuit_and_one_probe_closes_it(house: House) -> None:
    async with listening(answering(500)) as listener:
        target = await add_target(house, listener.url)
        await announce_many(house, 30)
        async with sending(house):
            await until_tried(house, OPENS_AFTER)
            await until_quiet(house)
            opened_after = len(listener.posts)
            await pass_time(house, 30)
            await listener.until(opened_after + 1)
            await until_quiet(house)
            probes = len(listener.posts) - opened_after
            listener.answer = answering(204)
            await pass_time(house, 30)
            await pass_time(house, 300)
            await until_idle(house)

    assert OPENS_AFTER <= opened_after < OPENS_AFTER + PER_TARGET
    assert probes == 1
    assert set(listener.ids) == set(await announced_ids(house, target))
    assert max(Counter(listener.ids).values()) <= 3


async def test_retry_after_leaves_the_whole_target_alone(house: House) -> None:
    async with listening(answering(429, retry_after="3600")) as listener:
        await add_target(house, listener.url)
        await announce_many(house, 20)
        async with sending(house):
            await listener.until(1)
            await until_quiet(house)
            came = len(listener.posts)
            await pass_time(house, 3500)
            await until_quiet(house)
            assert len(listener.posts) == came <= PER_TARGET
            listener.answer = answering(204)
            await pass_time(house, 110)
            await until_idle(house)

    assert len(set(listener.ids)) == 20


async def test_gone_disables_the_target_and_what_waits_fails_until_it_is_enabled(house: House) -> None:
    async with listening(answering(410)) as listener:
        target = await add_target(house, listener.url)
        names = await announce_many(house, 10)
        async with sending(house):
            await until_idle(house)
            assert (await read_target(house, target["id"]))["disabled_reason"] == "the target is gone (410)"
            failed = await read_deliveries(house, state="failed")
            assert len(failed) == len(names)
            assert len(listener.posts) <= PER_TARGET
            ids = [each["id"] for each in failed]
            refused = (await house.call("push/deliveries", "update", {"id": ids})).data
            assert {(each["status"], each["message"]) for each in refused} == {
                ("error", "the target is gone or disabled")
            }

            listener.answer = answering(204)
            enabled = await house.call("push/targets", "update", {"id": target["id"], "enable": True})
            assert enabled.data["disabled_reason"] is None
            await house.call("push/deliveries", "update", {"id": ids})
            await until_idle(house)

    assert await read_deliveries(house, state="failed") == []


async def test_five_days_of_failures_only_disable_the_target(house: House) -> None:
    async with listening(answering(500)) as listener:
        target = await add_target(house, listener.url)
        await announce_many(house, 2)
        async with sending(house):
            await until_tried(house, 2)
            assert (await read_target(house, target["id"]))["disabled_reason"] is None
            await pass_time(house, 5 * 86400)
            await until_idle(house)

    assert (await read_target(house, target["id"]))["disabled_reason"] == "nothing was accepted for five days"


async def test_a_paused_target_gets_nothing_until_it_goes_on(house: House) -> None:
    async with listening() as waiting, listening() as other, sending(house):
        target = await add_target(house, waiting.url, paused=True)
        await add_target(house, other.url)
        await announce_many(house, 5)
        await until_tried(house, 5)
        assert (waiting.connections, other.connections, await count_waiting(house)) == (0, 5, 5)

        await house.call("push/targets", "update", {"id": target["id"], "paused": False})
        await waiting.until(5)
        await until_idle(house)


async def test_what_waits_for_a_deleted_target_fails(house: House) -> None:
    target = await add_target(house, "http://127.0.0.1:9/", paused=True)
    await announce_many(house, 3)
    await house.call("push/targets", "delete", {"id": target["id"]})
    async with sending(house):
        await until_idle(house)

    assert [each["state"] for each in await read_deliveries(house)] == ["failed"] * 3


async def test_a_secret_that_does_not_open_stops_its_own_target_only(house: House) -> None:
    async with listening() as shut, listening() as open_:
        locked = await add_target(house, shut.url)
        await add_target(house, open_.url)
        foreign = OuterKey(OuterKey.make()).wrap(b"whsec_", "somebody")
        await fetch(house, "update push_target set secret = $2 where id::text = $1 returning 1", locked["id"], foreign)
        await announce_many(house, 10)
        async with sending(house):
            await open_.until(10)

    assert (shut.connections, await count_waiting(house)) == (0, 10)


async def test_organisations_are_served_alike(house: House) -> None:
    async with listening() as ours, listening() as theirs:
        await add_target(house, ours.url)
        await add_target(house, theirs.url, as_=house.stranger)
        await store(house, "s-1")
        await store(house, "t-1", organisation_id=2)
        await announce(house, "session.status", "s-1")
        await announce(house, "session.status", "t-1", organisation_id=2)
        async with sending(house):
            await until_idle(house)

    assert [post.record["session_id"] for post in ours.posts] == ["s-1"]
    assert [post.record["session_id"] for post in theirs.posts] == ["t-1"]
