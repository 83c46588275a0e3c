"""What happens to statements on their way into a store: the options of the pipeline (`docs/xapi.md`)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobgate.errors import ApiError, Code
from jobgate.xapi.values import is_iri

AUTHORITY_NAME = "api"
AUTHORITY_HOMEPAGE = "http://traxlrs.com"


AuthorityName = Annotated[str, Meta(min_length=1, max_length=200)]
AuthorityHomepage = Annotated[str, Meta(min_length=1, max_length=1000)]


class PipelineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options that a pull has too; what is absent is on."""

    validate_statements: bool = True
    """Refuse statements that break a rule; off: record them unjudged."""
    check_conflicts: bool = True
    """Refuse another statement under an id that the store has; off: it replaces that one."""
    void_statements: bool = True
    """Voiding statements void; off: they are recorded without effect."""
    update_activities: bool = True
    """Keep the catalogue of activities."""
    update_agents: bool = True
    """Keep the catalogue of agents, members of groups too."""
    update_vocab: bool = True
    """Keep the catalogue of verbs and types."""
    update_activity_ids: bool = True
    """Statements are found by the activities that they name."""
    update_agent_ids: bool = True
    """Statements are found by the agents that they name."""
    authority_name: AuthorityName = AUTHORITY_NAME
    """Who vouches for the statements here, whoever did before: the name of an account,"""
    authority_homepage: AuthorityHomepage = AUTHORITY_HOMEPAGE
    """and its homePage."""

    def __post_init__(self) -> None:
        if not is_iri(self.authority_homepage):
            raise ApiError(Code.unsupported_value, "`authority_homepage` must be an absolute URL")
        if "\0" in self.authority_name:
            raise ApiError(Code.unsupported_value, r"`authority_name` must not hold the character \u0000")

    @property
    def authority(self) -> dict[str, Any]:
        """The authority of every statement that comes this way."""
        account = {"homePage": self.authority_homepage, "name": self.authority_name}
        return {"objectType": "Agent", "account": account}


class EntryOptions(PipelineOptions, frozen=True, kw_only=True):
    """All options."""

    record_attachments: bool = True
    """Keep the contents of attachments that come along."""
    pseudonymize_statements: bool = False
    """Replace identities by pseudonyms before anything is recorded."""
    query_targeting: bool = True
    """Statements about other statements are found by what those are found by."""


def complete_options(options: PipelineOptions) -> EntryOptions:
    """The options of a pull, the others as they are by default."""
    return EntryOptions(**{name: getattr(options, name) for name in PipelineOptions.__struct_fields__})
