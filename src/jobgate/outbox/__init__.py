"""Push: what happens to sessions is announced to the listeners that consumers name, as signed HTTP POSTs.

    announce ──> queued ──try──> delivered
                   ▲      │
                   ├──────┤  not taken: again, later and later, for a day
                   │      └────> failed
                   └── redeliver ──┘

`announcements` writes deliveries in the transaction of what they tell, `webhooks` those that a job asks for, `targets`
keeps the listeners, `deliveries` shows what became of it, `ladder` decides after a try, `sender` makes the tries,
`upkeep` forgets. At least once, in no order; the id of a delivery never changes.
"""

from jobgate.outbox.announcements import Kind, announce, announce_test, has_target
from jobgate.outbox.webhooks import Webhook, post_webhook

__all__ = ["Kind", "Webhook", "announce", "announce_test", "has_target", "post_webhook"]
