"""A name service that answers what a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from jobgate.outbound.addresses import Address
from jobgate.outbound.client import Resolve


def resolving(*answers: Sequence[str]) -> tuple[Resolve, list[str]]:
    """A name service that gives these answers one after the other; and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return [ip_address(text) for text in answers[min(len(asked), len(answers)) - 1]]

    return resolve, asked
