"""The official Python SDK from PyPI, unmodified, as its users call it."""

from __future__ import annotations

import asyncio
from typing import Any

from learnosity_sdk.request import DataApi

from jobgate.testing import HOME, Server

SECURITY = {"consumer_key": HOME.key, "domain": "localhost"}


class Sdk:
    """Calls a real gateway, off the event loop."""

    def __init__(self, server: Server, version: str = "v2025.1.LTS") -> None:
        self.api = DataApi()
        self.base = f"{server.url}/{version}"

    async def request(self, endpoint: str, request: dict[str, Any], action: str = "get") -> Any:
        """One call; the decoded envelope of an answer that must be a success."""
        response = await asyncio.to_thread(
            self.api.request, f"{self.base}/{endpoint}", dict(SECURITY), HOME.secret, request, action
        )
        assert response.status_code == 200, response.text
        return response.json()

    async def pages(self, endpoint: str, request: dict[str, Any]) -> list[Any]:
        """The data of every page, as `request_iter` walks them."""
        walk = self.api.request_iter(f"{self.base}/{endpoint}", dict(SECURITY), HOME.secret, request, "get")
        return [page["data"] for page in await asyncio.to_thread(list, walk)]

    async def results(self, endpoint: str, request: dict[str, Any]) -> list[Any]:
        """Every result, as `results_iter` walks them."""
        walk = self.api.results_iter(f"{self.base}/{endpoint}", dict(SECURITY), HOME.secret, request, "get")
        return await asyncio.to_thread(list, walk)

    async def finish(self, reference: str, **request: Any) -> Any:
        """Poll the job until it has ended."""
        query = {"references": [reference]} | request
        async with asyncio.timeout(20):
            while True:
                (job,) = (await self.request("jobs", query))["data"]
                if job["status"] in ("completed", "halted"):
                    return job
