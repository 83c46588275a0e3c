"""Keep questions, and read them back."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from jobgate.context import Context, Reply, Request
from jobgate.errors import ApiError, Code
from jobgate.itembank.drafts import draft_question
from jobgate.itembank.entries import BankReference, QuestionEntry
from jobgate.itembank.pages import BankQuery, find_entries, find_questions_of_items
from jobgate.itembank.records import QuestionVersion, show_question
from jobgate.itembank.storing import EntryResult, set_entries
from jobgate.registry import action


class SetQuestions(Request, frozen=True, kw_only=True):
    """Questions with different references; each is set as a whole."""

    questions: Annotated[list[QuestionEntry], Meta(min_length=1, max_length=50)]


class GetQuestions(BankQuery, frozen=True, kw_only=True):
    """Which questions to read."""

    item_references: Annotated[list[BankReference], Meta(max_length=1000)] | None = None
    """The current questions of these items instead. The answer is an object then, keyed by the items' references."""


@action("set", guarded=True)
async def set_questions(ctx: Context, request: SetQuestions) -> list[EntryResult]:
    """Keep up to 50 questions; each that says something new becomes the current version of its reference."""
    return await set_entries(ctx, "question", request.questions, draft_question)


@action("get")
async def get_questions(
    ctx: Context, request: GetQuestions
) -> Reply[list[QuestionVersion] | dict[str, list[QuestionVersion]]]:
    """Read questions page by page, the newest reference first, or those of items in the order of the items."""
    if request.item_references is None:
        found, following = await find_entries(ctx, request, "question")
        return Reply(data=[show_question(kept) for kept in found], records=len(found), next=following)
    if request.references is not None or request.version is not None:
        raise ApiError(Code.unsupported_value, "`item_references` goes with neither `references` nor `version`")
    by_item, following = await find_questions_of_items(ctx, request, request.item_references)
    data = {item: [show_question(kept) for kept in questions] for item, questions in by_item.items()}
    return Reply(data=data, records=sum(map(len, data.values())), next=following)
