"""The statement resource."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from jobgate.xapi.actors import check_actor
from jobgate.xapi.comparison import are_equal
from jobgate.xapi.identifiers import identify
from jobgate.xapi.instants import read_instant
from jobgate.xapi.signatures import check_signatures
from jobgate.xapi.statements import read_statement
from jobgate.xapi.values import is_iri
from jobgate.xapi.violations import Report, Version
from tests.lrs.http import Request, Response
from tests.lrs.kept import Keeping, Kept, find_voided, show
from tests.lrs.parts import read_parts, read_type, write_parts
from tests.lrs.refusals import Refusal
from tests.lrs.selecting import Filter, show_canonical, show_ids

SINGLE = {"statementId", "voidedStatementId"}
WITH_SINGLE = SINGLE | {"attachments", "format"}
FILTERS = {
    *("agent", "verb", "activity", "registration", "related_activities", "related_agents"),
    *("since", "until", "limit", "ascending", "format", "attachments"),
}
MAX_LIMIT = 100
DIGESTS = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}
is_uuid = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://lrs.example", "name": "tester"}}


class Statements:
    """Statements that are kept, and the pages that were promised."""

    def __init__(self, keeping: Keeping, path: str) -> None:
        self.keeping = keeping
        self.path = path
        self.max_limit = MAX_LIMIT
        self.rewrite_page: Callable[[dict[str, Any]], dict[str, Any]] = dict
        """Changes a page before it is sent."""

    # -- reading -----------------------------------------------------------------------------------------------------

    def get(self, request: Request, version: Version) -> Response:
        """GET: one, or a page; what `more` names is the next."""
        params = request.params
        if len(params) != len(request.query):
            raise Refusal(400, "a parameter stands twice")
        if SINGLE & params.keys():
            return self._get_one(request, params)
        token = params.pop("from", None) if request.path.endswith("/more") else None
        unknown = params.keys() - FILTERS
        if unknown:
            raise Refusal(400, f"unknown parameters {unknown}")
        found = list(_read_filter(params, version).select(self.keeping))
        ascending = _read_flag(params, "ascending")
        limit = min(_read_limit(params) or self.max_limit, self.max_limit)
        if not ascending:
            found.reverse()
        if token is not None:
            moment = datetime.fromisoformat(token)
            found = [each for each in found if (each.stored > moment if ascending else each.stored < moment)]
        page = found[:limit]
        more = ""
        if len(found) > limit:
            more = f"{self.path}/more?{urlencode(params | {'from': page[-1].stored.isoformat()})}"
        shown = [_show(each.statement, params, request) for each in page]
        return self._render(self.rewrite_page({"statements": shown, "more": more}), page, params)

    def _get_one(self, request: Request, params: dict[str, str]) -> Response:
        if params.keys() - WITH_SINGLE or params.keys() >= SINGLE:
            raise Refusal(400, "these parameters do not go together")
        (name,) = SINGLE & params.keys()
        id = params[name].lower()
        if not is_uuid(id):
            raise Refusal(400, f"{name} is no UUID")
        _read_flag(params, "attachments")
        kept = self.keeping.statements.get(id)
        if kept is None or self.keeping.is_voided(id) is not (name == "voidedStatementId"):
            raise Refusal(404)
        response = self._render(_show(kept.statement, params, request), [kept], params)
        response.headers["Last-Modified"] = format_datetime(kept.stored, usegmt=True)
        return response

    def _render(self, found: Any, shown: list[Kept], params: dict[str, str]) -> Response:
        body = msgspec.json.encode(found)
        if not _read_flag(params, "attachments"):
            return Response(200, body, {"Content-Type": "application/json"})
        hashes = dict.fromkeys(a["sha2"].lower() for kept in shown for a in find_attachments(kept.statement))
        parts = [({"Content-Type": "application/json"}, body)]
        for sha2 in hashes:
            if sha2 in self.keeping.contents:
                content_type, data = self.keeping.contents[sha2]
                headers = {"Content-Type": content_type, "Content-Transfer-Encoding": "binary"}
                parts.append((headers | {"X-Experience-API-Hash": sha2}, data))
        mixed, content_type = write_parts(parts)
        return Response(200, mixed, {"Content-Type": content_type})

    # -- writing -----------------------------------------------------------------------------------------------------

    def put(self, request: Request, version: Version) -> Response:
        """PUT: one statement under its id."""
        if request.params.keys() != {"statementId"}:
            raise Refusal(400, "PUT takes statementId and nothing else")
        id = request.params["statementId"]
        if not is_uuid(id):
            raise Refusal(400, "statementId is no UUID")
        texts, contents, is_array = _read_texts(request)
        if is_array:
            raise Refusal(400, "PUT takes one statement")
        (statement,) = _judge(texts, version)
        if statement.setdefault("id", id).lower() != id.lower():
            raise Refusal(400, "the statement has another id")
        self.record([statement], contents, version)
        return Response(204)

    def post(self, request: Request, version: Version) -> Response:
        """POST: one or several, all or none; their ids."""
        if request.query:
            raise Refusal(400, "POST takes no parameters")
        texts, contents, _ = _read_texts(request)
        ids = self.record(_judge(texts, version), contents, version)
        return Response(200, msgspec.json.encode(ids), {"Content-Type": "application/json"})

    def record(
        self, statements: list[dict[str, Any]], contents: dict[str, tuple[str, bytes]], version: Version
    ) -> list[str]:
        """Keep all of them or none; their ids."""
        ids = [statement.setdefault("id", str(uuid.uuid4())) for statement in statements]
        if len({id.lower() for id in ids}) != len(ids):
            raise Refusal(400, "two statements have one id")
        self._check_contents(statements, contents)
        known = self.keeping.statements
        voiding = {each["id"].lower() for each in statements if find_voided(each) is not None}
        for statement in statements:
            target = find_voided(statement)
            kept = known.get(target) if target is not None else None
            if target in voiding or (kept is not None and find_voided(kept.statement) is not None):
                raise Refusal(400, "a voiding statement cannot be voided")
            before = known.get(statement["id"].lower())
            if before is not None and not are_equal(statement, before.statement):
                raise Refusal(409, "another statement has this id")
        for statement in statements:
            if statement["id"].lower() not in known:
                stored = self.keeping.next_stored()
                self.keeping.add(Kept(_complete(statement, stored, version), stored))
        self.keeping.contents |= contents
        return ids

    def _check_contents(self, statements: list[dict[str, Any]], contents: dict[str, tuple[str, bytes]]) -> None:
        announced: set[str] = set()
        for statement in statements:
            for attachment in find_attachments(statement):
                sha2 = attachment["sha2"].lower()
                announced.add(sha2)
                if sha2 not in contents and "fileUrl" not in attachment:
                    raise Refusal(400, "the content of an attachment is missing")
            for violation in check_signatures(statement, {sha2: data for sha2, (_, data) in contents.items()}):
                raise Refusal(400, violation.message)
        if contents.keys() - announced:
            raise Refusal(400, "nobody announced a content")


def find_attachments(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """What is attached to a statement, and to the one within."""
    about = statement["object"]
    inner = about.get("attachments", []) if about.get("objectType") == "SubStatement" else []
    return [*statement.get("attachments", []), *inner]


def _judge(texts: list[bytes], version: Version) -> list[dict[str, Any]]:
    statements = []
    for text in texts:
        statement, violations = read_statement(text, version)
        if violations:
            raise Refusal(400, f"{violations[0].rule} at {violations[0].path}")
        statements.append(statement)
    return statements


def _read_texts(request: Request) -> tuple[list[bytes], dict[str, tuple[str, bytes]], bool]:
    """The statements of a request, each as its JSON, the contents beside them, and whether they were an array."""
    kind, boundary = read_type(request.headers.get("content-type", ""))
    body, contents = request.body, dict[str, tuple[str, bytes]]()
    if kind == "multipart/mixed":
        parts = read_parts(request.body, boundary)
        if not parts or read_type(parts[0][0].get("content-type", ""))[0] != "application/json":
            raise Refusal(400, "the first part must be JSON")
        body = parts[0][1]
        for headers, data in parts[1:]:
            sha2 = headers.get("x-experience-api-hash", "").lower()
            digest = DIGESTS.get(len(sha2))
            if digest is None or digest(data).hexdigest() != sha2:
                raise Refusal(400, "a part has not the hash that it says")
            if headers.get("content-transfer-encoding", "").lower() != "binary":
                raise Refusal(400, "a part must be binary")
            contents[sha2] = headers.get("content-type", "application/octet-stream"), data
    elif kind != "application/json":
        raise Refusal(400, "statements are JSON or multipart/mixed")
    try:
        if body.strip()[:1] == b"[":
            return [bytes(text) for text in msgspec.json.decode(body, type=list[msgspec.Raw])], contents, True
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Refusal(400, "no JSON") from None
    return [body], contents, False


def _complete(statement: dict[str, Any], stored: datetime, version: Version) -> dict[str, Any]:
    kept = _with_arrays(statement) | {"stored": show(stored), "authority": AUTHORITY}
    kept.setdefault("timestamp", kept["stored"])
    kept.setdefault("version", "1.0.0" if version == "1.0.3" else "2.0.0")
    return kept


def _with_arrays(statement: dict[str, Any]) -> dict[str, Any]:
    kept = dict(statement)
    activities = kept.get("context", {}).get("contextActivities")
    if activities is not None:
        arrays = {name: each if isinstance(each, list) else [each] for name, each in activities.items()}
        kept["context"] = kept["context"] | {"contextActivities": arrays}
    if kept["object"].get("objectType") == "SubStatement":
        kept["object"] = _with_arrays(kept["object"])
    return kept


def _read_filter(params: dict[str, str], version: Version) -> Filter:
    since, until = (_read_time(params, name, version) for name in ("since", "until"))
    for name in ("verb", "activity"):
        if name in params and not is_iri(params[name]):
            raise Refusal(400, f"{name} is no IRI")
    if "registration" in params and not is_uuid(params["registration"]):
        raise Refusal(400, "registration is no UUID")
    return Filter(
        agent=identify(read_agent(params["agent"], version)) if "agent" in params else None,
        verb=params.get("verb"),
        activity=params.get("activity"),
        registration=params["registration"].lower() if "registration" in params else None,
        related_agents=_read_flag(params, "related_agents"),
        related_activities=_read_flag(params, "related_activities"),
        since=since,
        until=until,
    )


def read_agent(text: str, version: Version) -> dict[str, Any]:
    """The agent of a parameter."""
    try:
        agent = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Refusal(400, "the agent is no JSON") from None
    report = Report(version)
    check_actor(agent, None, report)
    if report.violations or identify(agent) is None:
        raise Refusal(400, "the agent is none")
    assert isinstance(agent, dict)
    return agent


def _read_time(params: dict[str, str], name: str, version: Version) -> datetime | None:
    if name not in params:
        return None
    moment = read_instant(params[name], is_2=version == "2.0.0")
    if moment is None:
        raise Refusal(400, f"{name} is no time")
    return moment


def _read_flag(params: dict[str, str], name: str) -> bool:
    value = params.get(name, "false")
    if value not in ("true", "false"):
        raise Refusal(400, f"{name} is true or false")
    return value == "true"


def _read_limit(params: dict[str, str]) -> int:
    text = params.get("limit", "0")
    if not (text.isascii() and text.isdigit()):
        raise Refusal(400, "limit is a number")
    return int(text)


def _show(statement: dict[str, Any], params: dict[str, str], request: Request) -> dict[str, Any]:
    form = params.get("format", "exact")
    if form == "exact":
        return statement
    if form == "ids":
        return show_ids(statement)
    if form == "canonical":
        asked = request.headers.get("accept-language", "").split(",")
        shown = show_canonical(statement, [each.split(";")[0].strip().lower() for each in asked])
        assert isinstance(shown, dict)
        return shown
    raise Refusal(400, "format is ids, exact or canonical")
