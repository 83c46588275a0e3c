"""The published contract: one JSON Schema file per endpoint and one OpenAPI 3.1 document, generated from the tables.

`generate` gives the files of `schemas/` by name. They describe the wire as it is: a form whose fields hold JSON, one
envelope, one list of codes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from inspect import cleandoc
from typing import Any

import msgspec

from jobgate import __version__
from jobgate.errors import Code
from jobgate.registry import Action, Actions
from jobgate.signing import Packet

JsonObject = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VERSION_PATTERN = r"^([vV]\d+(\.\d+)*(\.[A-Za-z0-9]+)?|latest|latest-lts|developer|stable)$"


class ContractError(Exception):
    """Two published types share a name, or a name contains a dot; the text names both."""


def generate(actions: Actions) -> dict[str, bytes]:
    """The files of `schemas/`, by their path below it."""
    _require_unique_names(actions)
    files = {f"{endpoint}.json": _endpoint_schema(endpoint, verbs) for endpoint, verbs in actions.items()}
    files["openapi.json"] = _openapi(actions)
    return {path: _pretty(document) for path, document in sorted(files.items())}


def _pretty(document: JsonObject) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _components(types: Iterable[Any], template: str) -> tuple[list[JsonObject], JsonObject]:
    schemas, components = msgspec.json.schema_components(types, ref_template=template)
    for component in components.values():
        if "description" in component:  # a docstring, which has its indentation before Python 3.13
            component["description"] = cleandoc(component["description"])
    return list(schemas), dict(sorted(components.items()))


def _describe(verbs: Mapping[str, Action]) -> str:
    return next(iter(verbs.values())).about


def _require_unique_names(actions: Actions) -> None:
    owners: dict[str, str] = {}
    for endpoint, verbs in actions.items():
        for action in verbs.values():
            name, owner = action.request.__name__, f"{action.verb} {endpoint} ({action.request.__module__})"
            if "." in name or owners.setdefault(name, action.request.__module__) != action.request.__module__:
                raise ContractError(f"the request type {name} of {owner} is also one of {owners[name]}; rename one")


# -- one file per endpoint -------------------------------------------------------------------------------------------


def _endpoint_schema(endpoint: str, verbs: Mapping[str, Action]) -> JsonObject:
    """One exchange: the action, the parameters that it takes, the data that it answers."""
    types = [part for action in verbs.values() for part in (action.request, action.answer)]
    schemas, definitions = _components(types, "#/$defs/{name}")
    exchanges = [
        {
            "title": f"{action.verb} {endpoint}",
            "description": action.summary,
            "type": "object",
            "properties": {"action": {"const": action.verb}, "request": request, "data": answer},
            "required": ["action"],
        }
        for action, request, answer in zip(verbs.values(), schemas[::2], schemas[1::2], strict=True)
    ]
    return {
        "$schema": _DIALECT,
        "title": endpoint,
        "description": _describe(verbs),
        "oneOf": exchanges,
        "$defs": definitions,
    }


# -- the whole surface -----------------------------------------------------------------------------------------------


def _openapi(actions: Actions) -> JsonObject:
    types = [
        part for verbs in actions.values() for action in verbs.values() for part in (action.request, action.answer)
    ]
    schemas, components = _components([*types, Packet], "#/components/schemas/{name}")
    pairs = iter(zip(schemas[:-1:2], schemas[1:-1:2], strict=True))
    paths: JsonObject = {}
    for endpoint, verbs in actions.items():
        paths[f"/{{version}}/{endpoint}"] = {
            "parameters": [{"$ref": "#/components/parameters/version"}],
            "post": _operation(endpoint, verbs, [next(pairs) for _ in verbs]),
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jobgate",
            "version": __version__,
            "description": "Every call is a POST of a form with the fields security, request and action; the first two "
            "hold JSON as text. Every answer is one envelope.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": _DIALECT,
        "paths": paths | _plain_paths(),
        "components": {
            "parameters": {
                "version": {
                    "name": "version",
                    "in": "path",
                    "required": True,
                    "schema": {
                        "type": "string",
                        "pattern": _VERSION_PATTERN,
                        "examples": ["v2025.1.LTS", "latest-lts"],
                    },
                }
            },
            "responses": _responses(),
            "schemas": components | {"SuccessMeta": _SUCCESS_META, "Failure": _failure_schema(list(Code))},
        },
    }


def _operation(endpoint: str, verbs: Mapping[str, Action], schemas: list[tuple[JsonObject, JsonObject]]) -> JsonObject:
    requests = [request for request, _ in schemas]
    answers = [answer for _, answer in schemas]
    lines = [
        f"**{action.verb}**: {action.summary}"
        + (" An equal packet sent again gets the first answer." if action.guarded else "")
        for action in verbs.values()
    ]
    form = {
        "type": "object",
        "properties": {
            "security": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": "#/components/schemas/Packet"},
            },
            "request": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": requests[0] if len(requests) == 1 else {"anyOf": requests},
            },
            "action": {"enum": list(verbs), **({"default": "get"} if "get" in verbs else {})},
        },
        "required": ["security"] if "get" in verbs else ["security", "action"],
    }
    media = {"schema": form}
    success = {
        "type": "object",
        "properties": {
            "meta": {"$ref": "#/components/schemas/SuccessMeta"},
            "data": answers[0] if len(answers) == 1 else {"anyOf": answers},
        },
        "required": ["meta", "data"],
    }
    return {
        "operationId": endpoint.replace("/", "-"),
        "summary": _describe(verbs),
        "description": "\n\n".join(lines),
        "tags": [endpoint.partition("/")[0]],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": media, "multipart/form-data": media},
        },
        "responses": {
            "200": {"description": "The envelope.", "content": {"application/json": {"schema": success}}},
            **{status: {"$ref": f"#/components/responses/{name}"} for status, name in _response_names().items()},
        },
    }


_SUCCESS_META: JsonObject = {
    "type": "object",
    "properties": {
        "status": {"const": True},
        "timestamp": {"type": "integer", "description": "Unix seconds."},
        "records": {"type": "integer", "description": "How many records this page has."},
        "next": {"type": "string", "description": "Where the next page begins; opaque."},
        "versions": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("requested", "mapped", "concrete")},
        },
        "replayed": {"const": True, "description": "An equal packet was accepted before; this is its answer."},
        "ignored": {"type": "array", "items": {"type": "string"}, "description": "Parameters that mean nothing here."},
    },
    "required": ["status", "timestamp", "versions"],
}


def _codes_by_status() -> dict[str, list[Code]]:
    grouped: dict[str, list[Code]] = defaultdict(list)
    for code in Code:
        grouped[str(code.status)].append(code)
    return dict(sorted(grouped.items()))


def _response_names() -> dict[str, str]:
    return {status: f"Refused{status}" for status in _codes_by_status()}


def _failure_schema(codes: list[Code]) -> JsonObject:
    return {
        "type": "object",
        "properties": {
            "meta": {
                "type": "object",
                "properties": {
                    "status": {"const": False},
                    "code": {"enum": sorted({code.number for code in codes})},
                    "message": {"type": "string"},
                    "request_uuid": {"type": "string", "format": "uuid"},
                    "timestamp": {"type": "integer"},
                },
                "required": ["status", "code", "message", "request_uuid"],
            }
        },
        "required": ["meta"],
    }


def _responses() -> JsonObject:
    return {
        f"Refused{status}": {
            "description": "\n".join(f"- {code.number} {code.name}: {code.advice}" for code in codes),
            "content": {"application/json": {"schema": _failure_schema(codes)}},
        }
        for status, codes in _codes_by_status().items()
    }


def _plain_paths() -> JsonObject:
    def text(description: str, media: str, schema: JsonObject) -> JsonObject:
        return {"description": description, "content": {media: {"schema": schema}}}

    state = {"type": "object", "properties": {"status": {"type": "string"}, "reason": {"type": "string"}}}
    refused = {status: {"$ref": f"#/components/responses/Refused{status}"} for status in ("400", "403", "503")}
    return {
        "/healthz": {
            "get": {"summary": "Is the process alive?", "responses": {"200": text("Yes.", "application/json", state)}}
        },
        "/readyz": {
            "get": {
                "summary": "Can it accept jobs?",
                "responses": {
                    "200": text("Yes.", "application/json", state),
                    "503": text("Not now; the reason says why.", "application/json", state),
                },
            }
        },
        "/metrics": {
            "get": {
                "summary": "Prometheus metrics.",
                "responses": {"200": text("The text format.", "text/plain", {"type": "string"})},
            }
        },
        "/uploads/{dataset_id}/{number}": {
            "put": {
                "summary": "Membership lines of a dataset (NDJSON), to a URL that reports/datasets handed out.",
                "parameters": [
                    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                    for name in ("dataset_id", "number")
                ],
                "requestBody": {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}},
                "responses": {
                    "200": text("Stored.", "application/json", {"type": "object"}),
                    **refused,
                },
            }
        },
    }
