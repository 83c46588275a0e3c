"""The item bank of the demo school: what authors would have set before a learner sat down."""

from __future__ import annotations

from jobgate.db import Database
from jobgate.demo.bank import Activity, KnownItem, read_activities
from jobgate.itembank.drafts import draft_activity, draft_item, draft_question
from jobgate.itembank.entries import ActivityEntry, ItemEntry, QuestionEntry
from jobgate.itembank.storing import store_drafts


async def store_bank(db: Database, organisation_id: int) -> None:
    """Set all questions, items and activities; what says the same already gets no new version."""
    activities = read_activities()
    items = [item for activity in activities for item in activity.items]
    questions = [
        QuestionEntry(reference=known.reference, data=known.question) for item in items for known in item.questions
    ]
    async with db.transaction(organisation_id) as tx:
        await store_drafts(tx, organisation_id, "question", list(map(draft_question, questions)))
        await store_drafts(tx, organisation_id, "item", [draft_item(_set_item(item)) for item in items])
        await store_drafts(
            tx, organisation_id, "activity", [draft_activity(_set_activity(each)) for each in activities]
        )


def _set_item(item: KnownItem) -> ItemEntry:
    return ItemEntry(
        reference=item.reference,
        metadata={"scoring_type": item.scoring_type} if item.scoring_type else {},
        questions=[question.reference for question in item.questions],
        tags=list(item.tags),
        irt=item.irt,
    )


def _set_activity(activity: Activity) -> ActivityEntry:
    return ActivityEntry(
        reference=activity.reference,
        title=activity.title,
        data={"items": [item.reference for item in activity.items], "subscores": activity.subscores},
        tags={"subject": [activity.subject]},
    )
