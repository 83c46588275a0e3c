"""`jobgate consumers`: what is added may call, what is revoked may not, and it is written down who did it."""

from __future__ import annotations

import asyncio
import getpass
import json
import time
from typing import Any

from click.testing import Result

from tests.cli.conftest import RunningDev, run_here
from tests.embedded.watching import ask

NOTICED_S = 10.0


def add(dev: RunningDev, *options: str) -> dict[str, str]:
    """A new consumer."""
    added = dev.run("consumers", "add", "--organisation", "1", "--json", *options)
    assert added.exit_code == 0, added.stderr
    return dict(json.loads(added.stdout))


def call(dev: RunningDev, consumer: dict[str, str], endpoint: str = "jobs", **settings: str) -> Result:
    """A call that this consumer signs."""
    who = {"JOBGATE_KEY": consumer["key"], "JOBGATE_SECRET": consumer["secret"]}
    return run_here("call", endpoint, "get", JOBGATE_URL=dev.url, **who, **settings)


def await_refusal(dev: RunningDev, consumer: dict[str, str]) -> int:
    """The code of the refusal that the consumer hears once the gateway has noticed."""
    give_up_at = time.monotonic() + NOTICED_S
    while (called := call(dev, consumer)).exit_code == 0:
        assert time.monotonic() < give_up_at
    return int(json.loads(called.stdout)["meta"]["code"])


def find(dev: RunningDev, consumer: dict[str, str]) -> Any:
    """How the list shows a consumer."""
    listed = json.loads(dev.run("consumers", "list", "--json").stdout)
    return next(row for row in listed if row["key"] == consumer["key"])


def test_a_new_consumer_may_call_as_it_was_allowed(dev: RunningDev) -> None:
    consumer = add(dev, "--organisation", "7", "--domain", "school.test", "--endpoint", "jobs", "--rate", "get jobs=2")

    from_elsewhere = call(dev, consumer)
    allowed = call(dev, consumer, JOBGATE_DOMAIN="school.test")
    other_endpoint = call(dev, consumer, "sessions/statuses", JOBGATE_DOMAIN="school.test")

    assert json.loads(from_elsewhere.stdout)["meta"]["code"] == 41005
    assert allowed.exit_code == 0
    assert json.loads(other_endpoint.stdout)["meta"]["code"] == 40000
    assert find(dev, consumer)["organisations"] == [1, 7]


def test_a_secret_is_shown_once_and_never_listed(dev: RunningDev) -> None:
    consumer = add(dev)

    listed = dev.run("consumers", "list"), dev.run("consumers", "list", "--json")

    assert consumer["secret"].startswith("jobgate")
    assert all(consumer["key"] in shown.stdout for shown in listed)
    assert not any(consumer["secret"] in shown.stdout for shown in listed)


def test_the_old_secret_stays_good_until_it_is_revoked(dev: RunningDev) -> None:
    consumer = add(dev)

    rotated = dict(json.loads(dev.run("consumers", "rotate", consumer["key"], "--json").stdout))

    assert call(dev, consumer).exit_code == 0
    states = {secret["id"]: secret["state"] for secret in find(dev, consumer)["secrets"]}
    assert states == {consumer["secret_id"]: "retiring", rotated["secret_id"]: "active"}
    dev.run("consumers", "revoke", consumer["key"], "--secret", consumer["secret_id"])
    assert await_refusal(dev, consumer) == 41003
    assert call(dev, rotated).exit_code == 0


def test_a_fourth_live_secret_is_refused(dev: RunningDev) -> None:
    consumer = add(dev)
    for _ in range(2):
        assert dev.run("consumers", "rotate", consumer["key"]).exit_code == 0

    fourth = dev.run("consumers", "rotate", consumer["key"])

    assert fourth.exit_code == 2
    assert "has 3 live secrets, which is the most" in fourth.stderr
    assert len(find(dev, consumer)["secrets"]) == 3


def test_a_revoked_consumer_has_no_secret_left(dev: RunningDev) -> None:
    consumer = add(dev)

    dev.run("consumers", "revoke", consumer["key"])

    assert await_refusal(dev, consumer) == 41009
    assert find(dev, consumer)["active"] is False
    assert find(dev, consumer)["secrets"] == []


def test_every_act_is_written_down_with_who_did_it(dev: RunningDev) -> None:
    consumer = add(dev, "--name", "audited")
    dev.run("consumers", "rotate", consumer["key"])
    dev.run("consumers", "revoke", consumer["key"])

    url = json.loads((dev.data / "dev.json").read_bytes())["database_url"]
    query = "select json_agg(json_build_array(act, actor) order by id)::text from audit where object = '{}'"
    acts = json.loads(asyncio.run(ask(url, query.format(consumer["key"]))))

    me = getpass.getuser()
    assert acts == [["consumer.add", me], ["secret.add", me], ["consumer.revoke", me]]


def test_what_cannot_be_is_refused_in_one_line(dev: RunningDev) -> None:
    rate = dev.run("consumers", "add", "--organisation", "1", "--rate", "jobs")
    organisation = dev.run("consumers", "add", "--organisation", "0")
    domain = dev.run("consumers", "add", "--organisation", "1", "--domain", "a_b")
    unknown = dev.run("consumers", "revoke", "nobody")
    secret = dev.run("consumers", "revoke", add(dev)["key"], "--secret", "00000000-0000-0000-0000-000000000001")

    assert [each.exit_code for each in (rate, organisation, domain, unknown, secret)] == [2] * 5
    assert """'jobs' is not like "get jobs=2000\"""" in rate.stderr
    assert "0 is not in the range 1<=x<=2147483647" in organisation.stderr
    assert "'a_b' is no host name without underscore" in domain.stderr
    assert unknown.stderr == "Error: there is no consumer nobody: see `jobgate consumers list`\n"
    assert "has no live secret 00000000-0000-0000-0000-000000000001" in secret.stderr
