"""The secret of an organisation's pseudonyms."""

from __future__ import annotations

import asyncio

import pytest

from jobgate.keys import KeyUnusable, OuterKey
from jobgate.stores.pseudonym_keys import Pseudonyms, find_pseudonyms
from jobgate.testing import House
from jobgate.xapi.identifiers import Identifier
from tests.stored_statements import look

ADA = Identifier("mbox", "mailto:ada@school.example")


async def find(house: House, organisation_id: int, key: OuterKey) -> Pseudonyms:
    """The pseudonyms of an organisation, in a transaction of their own."""
    async with house.db.transaction(organisation_id) as tx:
        return await find_pseudonyms(tx, organisation_id, key)


async def test_an_organisation_has_one_secret_whoever_asks_first(house: House) -> None:
    key = OuterKey(house.settings.secret_key)
    async with house.db.transaction(1) as tx:
        assert await find_pseudonyms(tx, 1, key, make=False) is None

    found = await asyncio.gather(*[find(house, 1, key) for _ in range(4)])
    stranger = await find(house, 2, key)

    assert len({(each.key_id, each.find(ADA)) for each in found}) == 1
    assert stranger.find(ADA) != found[0].find(ADA)
    (row,) = await look(house, "select secret from xapi_pseudonym_key")
    assert found[0].secret not in row["secret"]
    assert str(found[0].secret) not in repr(found[0])
    with pytest.raises(KeyUnusable):
        await find(house, 1, OuterKey(OuterKey.make()))
