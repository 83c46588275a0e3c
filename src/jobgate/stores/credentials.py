"""Where an LRS is reached, and as whom: what callers give for connections and for clients."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Endpoint = Annotated[str, Meta(min_length=1, max_length=1000)]
Username = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern="^[^:\x00-\x1f\x7f]*\\Z",
        description="For Basic authentication: no colons, no control characters",
    ),
]
Password = Annotated[str, Meta(max_length=1000, pattern="^[^\x00-\x1f]*\\Z", description="No control characters")]
