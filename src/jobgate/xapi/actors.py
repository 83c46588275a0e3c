"""Agents and Groups, wherever they stand."""

from __future__ import annotations

from typing import Any

from jobgate.xapi.rules import Rule
from jobgate.xapi.values import add_choice, make_field, make_iri, make_text
from jobgate.xapi.violations import SEEN, Fields, Path, Report, check_fields, inside


def check_actor(value: Any, path: Path, report: Report, rule: Rule = Rule.type) -> None:
    """An Agent or a Group; `rule` is broken by what is no object."""
    if type(value) is not dict:
        report.add_value(path, rule, value)
        return
    kind = value.get("objectType", "Agent")
    if kind == "Agent":
        check_agent(value, path, report)
    elif kind == "Group":
        check_group(value, path, report)
    elif type(kind) is str:
        add_choice(kind, ("Agent", "Group"), (path, "objectType"), report, Rule.actor_kind)
    else:
        report.add_value((path, "objectType"), Rule.actor_kind_type, kind)


def check_agent(value: dict[str, Any], path: Path, report: Report) -> None:
    """An object that is an Agent by its objectType."""
    if count_identifiers(value) != 1:
        report.add(path, Rule.agent_identifier)
    check_fields(value, AGENT, path, report)


def check_group(value: dict[str, Any], path: Path, report: Report) -> None:
    """An object that is a Group by its objectType."""
    identifiers = count_identifiers(value)
    if identifiers > 1:
        report.add(path, Rule.group_identifier)
    elif not identifiers and value.get("member", []) == []:
        report.add(path, Rule.anonymous_member)
    check_fields(value, GROUP, path, report)


def count_identifiers(value: dict[str, Any]) -> int:
    """How many identifiers an Agent or Group has: 0 for an anonymous Group."""
    return ("mbox" in value) + ("mbox_sha1sum" in value) + ("openid" in value) + ("account" in value)


def check_instructor(value: Any, path: Path, report: Report) -> None:
    """The instructor of a context."""
    check_actor(value, path, report, Rule.instructor)


def check_team(value: Any, path: Path, report: Report) -> None:
    """The team of a context."""
    require_group(value, path, report, Rule.team)


def require_agent(value: Any, path: Path, report: Report, rule: Rule) -> None:
    """An Agent and no Group."""
    if type(value) is not dict or value.get("objectType") == "Group":
        report.add_value(path, rule, value)
    else:
        check_actor(value, path, report)


def require_group(value: Any, path: Path, report: Report, rule: Rule) -> None:
    """A Group, which says so."""
    if type(value) is not dict or value.get("objectType", "Agent") == "Agent":
        report.add_value(path, rule, value)
    else:
        check_actor(value, path, report)


def check_authority(value: Any, path: Path, report: Report) -> None:
    """Who vouches for a statement: an Agent, or the pair of Agents of an OAuth consumer and its user."""
    if type(value) is dict and value.get("objectType") == "Group":
        if count_identifiers(value):
            report.add(path, Rule.authority)
        member = value.get("member")
        if type(member) is not list or len(member) != 2:
            report.add(path, Rule.authority_members)
    check_actor(value, path, report, Rule.authority)


def check_members(value: Any, path: Path, report: Report) -> None:
    """The members of a Group."""
    if type(value) is not list:
        report.add_value(path, Rule.member, value)
        return
    for place, agent in enumerate(value):
        require_agent(agent, (path, place), report, Rule.member)


def check_account(value: Any, path: Path, report: Report) -> None:
    """A name in the system that homePage is for."""
    if type(value) is not dict:
        report.add_value(path, Rule.account, value)
        return
    if "homePage" not in value:
        report.add(path, Rule.account_home)
    if "name" not in value:
        report.add(path, Rule.account_name)
    check_fields(value, ACCOUNT, path, report)


ACCOUNT: Fields = {
    "homePage": make_iri(Rule.account_home),
    "name": make_field(str, len, Rule.account_name),
}

AGENT: Fields = {
    "objectType": SEEN,
    "name": make_text(Rule.actor_name),
    "mbox": make_text(Rule.mbox, r"mailto:\S+@[^@\s]+"),
    "mbox_sha1sum": make_text(Rule.mbox_sha1sum, "[0-9A-Fa-f]{40}"),
    "openid": make_iri(Rule.openid),
    "account": inside(check_account),
}

GROUP: Fields = {**AGENT, "member": inside(check_members)}
