"""Attachments, as statements announce them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from jobgate.xapi.languages import make_language_map
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import make_field, make_iri, make_text
from jobgate.xapi.violations import Fields, Path, Report, check_fields

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
SIGNATURE_TYPE = "application/octet-stream"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = rf'{_TOKEN}/{_TOKEN}(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|"(?:[^"\\\r\n]|\\[^\r\n])*"))*'

is_media_type = re.compile(_MEDIA_TYPE, re.ASCII).fullmatch
"""Whether a text is a media type, with its parameters."""

REQUIRED = {
    "usageType": Rule.usage_type,
    "display": Rule.attachment_display,
    "contentType": Rule.content_type,
    "length": Rule.length,
    "sha2": Rule.sha2,
}

ATTACHMENT: Fields = {
    "usageType": make_iri(Rule.usage_type),
    "display": make_language_map(Rule.attachment_display),
    "description": make_language_map(Rule.language_map),
    "contentType": make_text(Rule.content_type, _MEDIA_TYPE),
    "length": make_field(int, (0).__le__, Rule.length),
    "sha2": make_text(Rule.sha2, "(?:[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})"),
    "fileUrl": make_iri(Rule.file_url),
}

_DIGESTS = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}
"""By the length of `sha2`: a statement does not name the function."""


def has_digest(content: bytes, sha2: str) -> bool:
    """Whether `sha2` is that of the content."""
    digest = _DIGESTS.get(len(sha2))
    return digest is not None and digest(content).hexdigest() == sha2.lower()


def check_attachments(value: Any, path: Path, report: Report) -> None:
    """The attachments of a statement."""
    if type(value) is not list:
        report.add_value(path, Rule.attachments, value)
        return
    for place, attachment in enumerate(value):
        check_attachment(attachment, (path, place), report)


def check_attachment(value: Any, path: Path, report: Report) -> None:
    """One of them."""
    if type(value) is not dict:
        report.add_value(path, Rule.type, value)
        return
    for name, rule in REQUIRED.items():
        if name not in value:
            report.add(path, rule)
    check_fields(value, ATTACHMENT, path, report)
    if value.get("usageType") == SIGNATURE and value.get("contentType", SIGNATURE_TYPE) != SIGNATURE_TYPE:
        report.add((path, "contentType"), Rule.signature)
