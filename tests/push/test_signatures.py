"""Signatures are those of Standard Webhooks: its own library verifies them."""

from __future__ import annotations

import time

import pytest
import standardwebhooks

from jobgate.outbox.signatures import make_secret, sign

BODY = '{"session_id": "ü"}'.encode()


def test_the_published_example_is_signed_alike() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    headers = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_library_verifies_what_is_signed_with_either_secret() -> None:
    old, new = make_secret(), make_secret()

    headers = sign("id", int(time.time()), BODY, [new, old])

    for secret in (old, new):
        assert standardwebhooks.Webhook(secret).verify(BODY, headers) == {"session_id": "ü"}


@pytest.mark.parametrize("change", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_a_change_is_noticed(change: str) -> None:
    secret = make_secret()
    headers = sign("id", int(time.time()), BODY, [secret])
    if change in headers:
        headers[change] = "other" if change == "webhook-id" else str(int(time.time()) - 1)

    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(make_secret() if change == "secret" else secret).verify(
            BODY + b" " if change == "body" else BODY, headers
        )
