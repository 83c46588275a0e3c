"""`jobgate consumers`: who may call, with which secrets."""

from __future__ import annotations

import asyncio
import getpass
import json
import secrets
import string
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jobgate.cli.failures import Unusable
from jobgate.cli.surroundings import data_option

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jobgate.callers import NewConsumer
    from jobgate.db import Transaction
    from jobgate.keys import OuterKey

T = TypeVar("T")

KEY_CHARS = 16
LIVE_SECRETS = 3
"""Current, next, retiring."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def consumers() -> None:
    """Add, list and revoke those who may call."""


@consumers.command()
@click.option(
    "--organisation",
    "organisations",
    type=click.IntRange(1, 2_147_483_647),
    multiple=True,
    required=True,
    help="The first is its home.",
)
@click.option("--name", default="", help="For people.")
@click.option("--domain", "domains", multiple=True, default=("localhost",), show_default=True, help="It may sign for.")
@click.option("--endpoint", "endpoints", multiple=True, help="It may call; without any: all.")
@click.option(
    "--rate", "rates", multiple=True, metavar='"ACTION ENDPOINT=CALLS"', help="Calls per 5 s, instead of the table."
)
@click.option("--unlimited", is_flag=True, help="No rates and no quotas.")
@data_option
@json_option
def add(
    organisations: tuple[int, ...],
    name: str,
    domains: tuple[str, ...],
    endpoints: tuple[str, ...],
    rates: tuple[str, ...],
    unlimited: bool,
    data: Path,
    as_json: bool,
) -> None:
    """Add a consumer; its secret is shown once."""
    from jobgate.callers import NewConsumer, add_consumer
    from jobgate.signing import DOMAIN

    for domain in domains:
        if DOMAIN.fullmatch(domain) is None:
            raise click.BadParameter(f"{domain!r} is no host name without underscore", param_hint="--domain")
    secret = make_secret()
    consumer = NewConsumer(
        key=make_key(),
        name=name,
        organisations=tuple(dict.fromkeys(organisations)),
        domains=domains,
        endpoints=endpoints or None,
        rates=dict(read_rate(rate) for rate in rates),
        unlimited=unlimited,
    )

    async def store(tx: Transaction, key: OuterKey) -> uuid.UUID:
        secret_id = await add_consumer(tx, key, consumer, secret)
        await audit(tx, organisations[0], "consumer.add", consumer.key, describe(consumer))
        return secret_id

    show_secret(consumer.key, change(data, store), secret, as_json)


@consumers.command("list")
@data_option
@json_option
def list_consumers(data: Path, as_json: bool) -> None:
    """List the consumers and the ids of their live secrets."""
    rows = change(data, read_consumers)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        traits = [f"organisations {', '.join(map(str, row['organisations']))}", f"domains {', '.join(row['domains'])}"]
        traits += [f"endpoints {', '.join(row['endpoints'])}"] if row["endpoints"] is not None else []
        traits += ["unlimited"] * row["unlimited"] + ["revoked"] * (not row["active"])
        click.echo(f"{row['key']}  {row['name'] or '-'}  {'; '.join(traits)}")
        for secret in row["secrets"]:
            click.echo(f"  secret {secret['id']}  {secret['state']}  since {secret['created_at']}")


@consumers.command()
@click.argument("consumer_key", metavar="KEY")
@data_option
@json_option
def rotate(consumer_key: str, data: Path, as_json: bool) -> None:
    """Give a consumer a new secret; those it has stay good, as retiring, until they are revoked."""
    from jobgate.callers import add_secret

    secret = make_secret()

    async def store(tx: Transaction, key: OuterKey) -> uuid.UUID:
        home = await require_consumer(tx, consumer_key)
        if len(await tx.fetch("find_secrets", consumer_key)) >= LIVE_SECRETS:
            raise Unusable(
                f"{consumer_key} has {LIVE_SECRETS} live secrets, which is the most: see `jobgate consumers list`, and "
                f"revoke one with `jobgate consumers revoke {consumer_key} --secret ID`"
            )
        secret_id = await add_secret(tx, key, consumer_key, secret)
        await tx.execute("retire_secrets", consumer_key, "retiring", secret_id)
        await audit(tx, home, "secret.add", consumer_key, {"secret": str(secret_id)})
        return secret_id

    show_secret(consumer_key, change(data, store), secret, as_json)


@consumers.command()
@click.argument("consumer_key", metavar="KEY")
@click.option("--secret", "secret_id", type=click.UUID, help="Only this secret (its id, from `list`).")
@data_option
def revoke(consumer_key: str, secret_id: uuid.UUID | None, data: Path) -> None:
    """End a secret, or the whole consumer with all its secrets; gateways notice within five seconds."""

    async def store(tx: Transaction, _: OuterKey) -> None:
        home = await require_consumer(tx, consumer_key)
        if secret_id is None:
            await tx.execute("set_consumer_active", consumer_key, False)
            await tx.execute("retire_secrets", consumer_key, "revoked", uuid.UUID(int=0))
            await audit(tx, home, "consumer.revoke", consumer_key, {})
        elif await tx.execute("revoke_secret", consumer_key, secret_id):
            await audit(tx, home, "secret.revoke", consumer_key, {"secret": str(secret_id)})
        else:
            raise Unusable(f"{consumer_key} has no live secret {secret_id}: see `jobgate consumers list`")

    change(data, store)
    click.echo(f"revoked {consumer_key if secret_id is None else secret_id}")


# -- the way to the rows ---------------------------------------------------------------------------------------------


def change(data: Path, work: Callable[[Transaction, OuterKey], Awaitable[T]]) -> T:
    """Run `work` in one transaction."""
    from jobgate.cli.surroundings import find_settings, open_database
    from jobgate.keys import OuterKey

    async def run() -> T:
        settings = find_settings(data)
        async with open_database(settings) as db, db.transaction() as tx:
            return await work(tx, OuterKey(settings.secret_key))

    return asyncio.run(run())


async def read_consumers(tx: Transaction, _: OuterKey) -> list[dict[str, Any]]:
    """Every consumer with its live secrets, as JSON."""
    secrets_of: dict[str, list[dict[str, str]]] = {}
    for row in await tx.fetch("list_secrets"):
        shown = {
            "id": str(row["id"]),
            "state": row["state"],
            "created_at": row["created_at"].isoformat(timespec="seconds"),
        }
        secrets_of.setdefault(row["consumer_key"], []).append(shown)
    return [
        {
            "key": row["key"],
            "name": row["name"],
            "organisations": [id for id in (row["organisation_id"], *row["others"]) if id is not None],
            "domains": row["domains"],
            "endpoints": row["endpoints"],
            "unlimited": row["unlimited"],
            "active": row["active"],
            "secrets": secrets_of.get(row["key"], []),
        }
        for row in await tx.fetch("list_consumers")
    ]


async def require_consumer(tx: Transaction, consumer_key: str) -> int | None:
    """The home organisation of a consumer that exists."""
    row = await tx.fetchrow("find_consumer", consumer_key)
    if row is None:
        raise Unusable(f"there is no consumer {consumer_key}: see `jobgate consumers list`")
    home: int | None = row["organisation_id"]
    return home


async def audit(tx: Transaction, organisation_id: int | None, act: str, consumer_key: str, detail: Any) -> None:
    """Remember who did this."""
    await tx.execute(
        "insert_audit", organisation_id, getpass.getuser(), act, consumer_key, json.dumps(detail).encode(), None
    )


# -- what people see and type ----------------------------------------------------------------------------------------


def make_key() -> str:
    """A new consumer key, as long as the official ones."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(KEY_CHARS))


def make_secret() -> str:
    """A new secret, with a beginning that scanners can look for."""
    return "jobgate" + secrets.token_hex(32)


def read_rate(text: str) -> tuple[str, int]:
    """`get jobs=2000` as ("get jobs", 2000)."""
    from jobgate.registry import VERBS

    call, _, calls = text.rpartition("=")
    verb, _, endpoint = call.partition(" ")
    if verb not in VERBS or not endpoint.strip() or not calls.strip().isdecimal() or int(calls) < 1:
        raise click.BadParameter(f'{text!r} is not like "get jobs=2000"', param_hint="--rate")
    return f"{verb} {endpoint.strip()}", int(calls)


def describe(consumer: NewConsumer) -> dict[str, Any]:
    """What an audit row says about a new consumer."""
    import msgspec

    described: dict[str, Any] = msgspec.to_builtins(consumer)
    return described


def show_secret(consumer_key: str, secret_id: uuid.UUID, secret: str, as_json: bool) -> None:
    """Print a new secret, once."""
    if as_json:
        click.echo(json.dumps({"key": consumer_key, "secret_id": str(secret_id), "secret": secret}, indent=2))
        return
    click.echo(f"key     {consumer_key}")
    click.echo(f"secret  {secret}")
    click.echo(f"The secret is shown this once; its id is {secret_id}.", err=True)
