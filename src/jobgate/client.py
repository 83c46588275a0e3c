"""The caller's side: sign a call, post it, read the envelope."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from jobgate import signing

FORM_TYPE = "application/x-www-form-urlencoded"


class Credentials(NamedTuple):
    """Who signs."""

    key: str
    secret: str
    domain: str = "localhost"


def sign_form(
    who: Credentials,
    request: Any,
    action: str | None,
    *,
    now: datetime,
    expires: str | None = None,
    user_id: str | None = None,
) -> bytes:
    """The urlencoded body of a signed call, as an official SDK posts it. `request` may be JSON text already."""
    text = request if isinstance(request, str) else msgspec.json.encode(request).decode()
    packet = signing.Packet(
        consumer_key=who.key,
        timestamp=now.astimezone(UTC).strftime("%Y%m%d-%H%M"),
        signature="",
        domain=who.domain,
        expires=expires,
        user_id=user_id,
    )
    signature = signing.sign(packet, who.secret, text.encode(), None if action is None else action.encode())
    security = {name: value for name, value in msgspec.structs.asdict(packet).items() if value is not None}
    security["signature"] = signature
    form = {"security": msgspec.json.encode(security).decode(), "request": text}
    if action is not None:
        form["action"] = action
    return urlencode(form).encode()
