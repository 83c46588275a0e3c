"""The document resources: states, activity profiles, agent profiles."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from email.utils import format_datetime
from typing import Any

from jobgate.xapi.identifiers import identify
from jobgate.xapi.instants import read_instant
from jobgate.xapi.values import is_iri
from jobgate.xapi.violations import Version
from tests.lrs.http import Request, Response
from tests.lrs.kept import Document, Keeping
from tests.lrs.parts import read_type
from tests.lrs.refusals import Refusal
from tests.lrs.statements import is_uuid, read_agent

OWNERS = {
    "activities/state": ("activityId", "agent"),
    "activities/profile": ("activityId",),
    "agents/profile": ("agent",),
}
NAMES = {"activities/state": "stateId", "activities/profile": "profileId", "agents/profile": "profileId"}

Key = tuple[str, ...]
"""Resource, owner, name, registration."""


class Documents:
    """One of the three resources."""

    def __init__(self, keeping: Keeping, resource: str) -> None:
        self.keeping = keeping
        self.resource = resource
        self.name = NAMES[resource]

    def answer(self, request: Request, version: Version) -> Response:
        """Any method."""
        params = request.params
        known = {*OWNERS[self.resource], self.name, "since"}
        if self.resource == "activities/state":
            known.add("registration")
        if params.keys() - known or len(params) != len(request.query):
            raise Refusal(400, "unknown or repeated parameters")
        owner = self._read_owner(params, version)
        registration = params.get("registration", "").lower()
        if registration and not is_uuid(registration):
            raise Refusal(400, "registration is no UUID")
        if self.name not in params:
            return self._answer_all(request, owner, registration, version)
        if "since" in params:
            raise Refusal(400, "since goes with no name")
        key = (self.resource, owner, params[self.name], registration)
        before = self.keeping.documents.get(key)
        if request.method in ("GET", "HEAD"):
            return self._show(before)
        self._check_conditions(request, before, version)
        if request.method == "DELETE":
            self.keeping.documents.pop(key, None)
            return Response(204)
        content_type = request.headers.get("content-type", "application/octet-stream")
        content = request.body
        if request.method == "POST":
            content = _merge(before, content, content_type)
        self.keeping.documents[key] = Document(content, content_type, self.keeping.next_stored())
        return Response(204)

    def _answer_all(self, request: Request, owner: str, registration: str, version: Version) -> Response:
        found = dict(self._find(owner, registration))
        if request.method == "DELETE" and self.resource == "activities/state":
            if "since" in request.params:
                raise Refusal(400, "since is for reading")
            for key in found:
                del self.keeping.documents[key]
            return Response(204)
        if request.method not in ("GET", "HEAD"):
            raise Refusal(400, f"{self.name} is missing")
        since = None
        if "since" in request.params:
            since = read_instant(request.params["since"], is_2=version == "2.0.0")
            if since is None:
                raise Refusal(400, "since is no time")
        ids = [key[2] for key, document in found.items() if since is None or document.stored > since]
        latest = max((document.stored for document in found.values()), default=None)
        headers = {"Content-Type": "application/json"}
        if latest is not None:
            headers["Last-Modified"] = format_datetime(latest, usegmt=True)
        return Response(200, json.dumps(ids).encode(), headers)

    def _find(self, owner: str, registration: str) -> Iterator[tuple[Key, Document]]:
        for key, document in self.keeping.documents.items():
            if key[:2] == (self.resource, owner) and (not registration or key[3] == registration):
                yield key, document

    def _read_owner(self, params: dict[str, str], version: Version) -> str:
        owner = []
        for name in OWNERS[self.resource]:
            if name not in params:
                raise Refusal(400, f"{name} is missing")
            if name == "agent":
                identifier = identify(read_agent(params["agent"], version))
                assert identifier is not None
                owner.append(identifier.canonical)
            elif is_iri(params[name]):
                owner.append(params[name])
            else:
                raise Refusal(400, f"{name} is no IRI")
        return "\n".join(owner)

    def _show(self, document: Document | None) -> Response:
        if document is None:
            raise Refusal(404)
        headers = {
            "Content-Type": document.content_type,
            "ETag": make_tag(document.content),
            "Last-Modified": format_datetime(document.stored, usegmt=True),
        }
        return Response(200, document.content, headers)

    def _check_conditions(self, request: Request, before: Document | None, version: Version) -> None:
        wanted, unwanted = (_read_tags(request.headers.get(name)) for name in ("if-match", "if-none-match"))
        tag = None if before is None else make_tag(before.content)
        if wanted is not None and (tag is None or (tag not in wanted and "*" not in wanted)):
            raise Refusal(412)
        if unwanted is not None and tag is not None and (tag in unwanted or "*" in unwanted):
            raise Refusal(412)
        guarded = self.resource != "activities/state" or version == "2.0.0"
        if request.method == "PUT" and guarded and before is not None and wanted is None and unwanted is None:
            raise Refusal(409, "say which document you mean: If-Match or If-None-Match")


def make_tag(content: bytes) -> str:
    """The ETag of a document."""
    return f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'


def _read_tags(header: str | None) -> set[str] | None:
    if header is None:
        return None
    return {"*"} if header.strip() == "*" else set(re.findall(r'"[^"]*"', header))


def _merge(before: Document | None, content: bytes, content_type: str) -> bytes:
    if before is None:
        if read_type(content_type)[0] == "application/json":
            _read_object(content)
        return content
    if any(read_type(each)[0] != "application/json" for each in (content_type, before.content_type)):
        raise Refusal(400, "only JSON can be merged")
    return json.dumps(_read_object(before.content) | _read_object(content)).encode()


def _read_object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refusal(400, "only JSON objects can be merged")
    return found
