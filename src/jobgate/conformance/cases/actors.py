"""Rules of Agents and Groups, and of verbs (Data 2.4.2, 2.4.3), and of authorities (Data 2.4.9)."""

from __future__ import annotations

from jobgate.conformance.cases.edits import GONE, Cases, at, these
from jobgate.conformance.cases.values import MAPS, NO_STRING, OPEN_MAPS, PAIR, about, with_authority
from jobgate.conformance.samples import ACCOUNT, AGENT, GROUP, SHA1
from jobgate.xapi.rules import Rule

HOME = "https://a.example"

ACTORS: dict[Rule, Cases] = {
    Rule.actor_kind: Cases(
        [*at("actor/objectType", "Agent", GONE), *at("actor", GROUP)],
        [*at("actor/objectType", "Person", "Activity", ""), *at("context/instructor/objectType", "StatementRef")],
    ),
    Rule.actor_kind_type: Cases([{}], at("actor/objectType", *NO_STRING)),
    Rule.actor_name: Cases(
        at("actor/name", "Ada", GONE), at("actor/name", *NO_STRING), open_accepted=at("actor/name", "")
    ),
    Rule.agent_identifier: Cases(
        at("actor", {"mbox": "mailto:a@b.example"}, {"mbox_sha1sum": SHA1}, {"openid": f"{HOME}/me"}, ACCOUNT),
        [
            *at("actor", {}, {"name": "Ada"}, {"objectType": "Agent"}, PAIR),
            *at("actor/mbox_sha1sum", SHA1),
            *at("context/instructor", {"name": "x"}),
            *at("authority", PAIR),
            *at("context/team/member/1", {"name": "x"}),
            about({"objectType": "Agent"}),
        ],
    ),
    Rule.anonymous_member: Cases(
        at("actor", GROUP, {"objectType": "Group", "member": [ACCOUNT]}),
        at(
            "actor",
            {"objectType": "Group"},
            {"objectType": "Group", "member": []},
            {"objectType": "Group", "name": "x"},
        ),
    ),
    Rule.member: Cases(
        at("actor", GROUP),
        [
            *at("actor", {"objectType": "Group", "member": AGENT}, {"objectType": "Group", "member": "x"}),
            *at("actor", {"objectType": "Group", "member": [GROUP]}, {"objectType": "Group", "member": ["x"]}),
            *at("context/team/member/0", GROUP, 5, []),
        ],
    ),
    Rule.group_identifier: Cases(
        at(
            "actor",
            {"objectType": "Group", "mbox": "mailto:a@b.example"},
            {"objectType": "Group", "mbox_sha1sum": SHA1},
            {"objectType": "Group", "openid": f"{HOME}/us", "member": [AGENT]},
            {"objectType": "Group", **ACCOUNT},
        ),
        [*at("actor", {"objectType": "Group", **PAIR}), *at("context/team", {**GROUP, **PAIR, "mbox_sha1sum": SHA1})],
        open_accepted=at("actor", {"objectType": "Group", "mbox_sha1sum": SHA1, "member": []}),
    ),
    Rule.mbox: Cases(
        at("actor/mbox", "mailto:a+b@b.example", "mailto:A.B@B.example"),
        at(
            "actor/mbox",
            "http://should.fail.com",
            "mailto:should.fail.com",
            "a@b.example",
            "mailto:",
            "mailto:@",
            "",
            "mailto:a@",
            "mailto:@b.example",
            "mailto:a b@c.example",
            *NO_STRING,
        ),
        open_accepted=at("actor/mbox", "mailto:a@b", "mailto:ä@b.example", 'mailto:"a@b"@c.example'),
    ),
    Rule.mbox_sha1sum: Cases(
        at("actor", {"mbox_sha1sum": SHA1}, {"mbox_sha1sum": SHA1.upper()}),
        at("actor", *({"mbox_sha1sum": bad} for bad in NO_STRING)),
        open_refused=at("actor", *({"mbox_sha1sum": bad} for bad in ("", SHA1[1:], SHA1 + "0", "g" + SHA1[1:]))),
    ),
    Rule.openid: Cases(at("actor", {"openid": f"{HOME}/me"}), at("actor", *({"openid": bad} for bad in NO_STRING))),
    Rule.account: Cases(at("actor", ACCOUNT), at("actor", *({"account": bad} for bad in these("x", [], 5, True)))),
    Rule.account_home: Cases(
        at("actor", ACCOUNT),
        at("actor", {"account": {"name": "x"}}, *({"account": {"homePage": bad, "name": "x"}} for bad in NO_STRING)),
        open_accepted=at("actor", {"account": {"homePage": "urn:x", "name": "y"}}),
    ),
    Rule.account_name: Cases(
        at("actor", ACCOUNT),
        at("actor", {"account": {"homePage": HOME}}, *({"account": {"homePage": HOME, "name": x}} for x in NO_STRING)),
        open_refused=at("actor", {"account": {"homePage": HOME, "name": ""}}),
    ),
    Rule.verb_id: Cases(at("verb", {"id": "urn:x"}), [*at("verb/id", GONE, *NO_STRING), *at("verb", {})]),
    Rule.verb_display: Cases(
        at("verb/display", GONE, *MAPS),
        at("verb/display", "x", [], 5, True),
        open_accepted=at("verb/display", *OPEN_MAPS),
    ),
    Rule.authority: Cases(
        [*at("authority", AGENT, ACCOUNT, {"openid": f"{HOME}/me"}), with_authority()],
        [
            *at("authority", "x", [], 5),
            with_authority(mbox="mailto:a@b.example"),
            with_authority(mbox_sha1sum=SHA1),
            with_authority(openid=f"{HOME}/us"),
            with_authority(account=ACCOUNT["account"]),
        ],
    ),
    Rule.authority_members: Cases(
        [with_authority()],
        [with_authority(member=[AGENT]), with_authority(member=[AGENT, ACCOUNT, AGENT])],
    ),
}
