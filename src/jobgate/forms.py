"""The posted form, split on bytes: what comes out is exactly what was signed.

No character set is applied and no JSON is read here. Ill-formed bodies are 41000, oversized ones 20002. The framework's
form reader is not used: it decodes with a character set of the client's choice and accepts a body cut short.
"""

from __future__ import annotations

import logging
import re
from binascii import a2b_qp
from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from jobgate.errors import ApiError, Code, shown

MAX_FIELDS = 16
MAX_ACTION_BYTES = 32
MAX_PART_HEADERS = 8
MAX_PART_HEADER_BYTES = 1024
MAX_MARGIN_BYTES = 4096
"""What may stand before the first boundary of a multipart body, and after the last."""

URLENCODED = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data"


class Form(NamedTuple):
    """The three fields of a call as received; `None` is "was not posted", which is signed differently from empty."""

    security: bytes | None
    request: bytes | None
    action: bytes | None


def read_form(content_type: bytes | str | None, body: bytes) -> Form:
    """Split `body` into the known fields. Unknown fields are ignored; a repeated or ill-formed one is refused."""
    if not body:
        # A client that followed a redirect has lost its body and its content type: the missing field says more.
        return Form(None, None, None)
    if isinstance(content_type, str):
        content_type = content_type.encode("latin-1", "replace")
    if content_type == URLENCODED:
        return _split_urlencoded(body)
    media_type, parameters = _read_header(content_type or b"")
    if media_type == URLENCODED:
        if parameters.get(b"charset", b"utf-8").lower() != b"utf-8":
            raise _refusal(f"a form in the charset {shown(parameters[b'charset'])} cannot be read, only utf-8")
        return _split_urlencoded(body)
    if media_type == MULTIPART:
        return _split_multipart(parameters.get(b"boundary", b""), body)
    raise _refusal(f"the Content-Type {shown(content_type)} is not a form")


def _split_urlencoded(body: bytes) -> Form:
    pieces = body.split(b"&", MAX_FIELDS)
    if len(pieces) > MAX_FIELDS:
        raise _excess(f"the form has more than {MAX_FIELDS} fields")
    fields: dict[bytes, bytes] = {}
    for piece in pieces:
        name, equals, value = piece.partition(b"=")
        if not name or not equals:
            raise _refusal("every form field must be name=value")
        if name not in KNOWN:
            name = _unquote(name)
        _keep(fields, name, _unquote(value))
    return Form(fields.get(b"security"), fields.get(b"request"), fields.get(b"action"))


AS_QUOTED_PRINTABLE = bytes.maketrans(b"+%=", b" =\0")
AS_IT_WAS = bytes.maketrans(b"\0", b"=")


def _unquote(text: bytes) -> bytes:
    """Undo `+` and `%XX`; a wrong escape is refused.

    Quoted-printable is the same code with `=` for `%`, and the standard library decodes it in C: six times faster than
    `unquote_to_bytes` on JSON, where every sixth character is an escape. A plain `=` sits the decoding out as a zero.
    """
    if b"%" not in text:
        return text.replace(b"+", b" ")
    quoted = text.translate(AS_QUOTED_PRINTABLE)
    plain = a2b_qp(quoted)
    # A good escape loses two characters, a bad one fewer; a quoted line end may lose as many.
    if len(quoted) - len(plain) != 2 * text.count(b"%") or (
        (b"\n" in text or b"\r" in text) and (b"=\n" in quoted or b"=\r" in quoted)
    ):
        raise _refusal("a percent sign must be followed by two hexadecimal digits")
    if b"\0" in plain:
        if b"\0" in text or b"%00" in text:
            raise _refusal("a field has a zero byte")
        return plain.translate(AS_IT_WAS)
    return plain


BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
SILENT = logging.Logger("jobgate.forms", level=logging.CRITICAL + 1)  # noqa: LOG001 - in no tree, nobody turns it on


def _split_multipart(boundary: bytes, body: bytes) -> Form:
    if not BOUNDARY.fullmatch(boundary):
        raise _refusal("a multipart boundary has 1 to 70 characters")
    first = b"--" + boundary
    delimiter = b"\r\n" + first
    # Near-delimiters and padded ones would send the parser into its loop over single bytes, a second for 4 MiB.
    if body.count(delimiter) > MAX_FIELDS + 1:
        raise _excess(f"the form has more than {MAX_FIELDS} parts")
    if delimiter + b" " in body or delimiter + b"\t" in body:
        raise _refusal("nothing may follow a multipart boundary on its line")

    preamble = 0 if body.startswith(first) else body.find(delimiter, 0, MAX_MARGIN_BYTES + len(delimiter)) + 2
    if preamble == 1:
        raise _refusal("the multipart boundary of the Content-Type does not begin the body")
    reader = _PartReader()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": reader.begin_part,
            "on_header_field": reader.add_header_name,
            "on_header_value": reader.add_header_value,
            "on_header_end": reader.end_header,
            "on_headers_finished": reader.end_headers,
            "on_part_data": reader.add_data,
            "on_part_end": reader.end_part,
            "on_end": reader.end,
        },
        max_header_count=MAX_PART_HEADERS,
        max_header_size=MAX_PART_HEADER_BYTES,
    )
    parser.logger = SILENT
    content = body[preamble:] if preamble else body
    try:
        parser.write(content)
    except FormParserError:
        raise _refusal("the multipart body is malformed") from None
    if not reader.is_ended:
        raise _refusal("the multipart body ends before its last boundary")
    last = content.find(first + b"--", reader.data_end)
    if len(content) - last - len(first) - 2 > MAX_MARGIN_BYTES:
        raise _excess(f"more than {MAX_MARGIN_BYTES} bytes follow the last boundary")
    return Form(reader.fields.get(b"security"), reader.fields.get(b"request"), reader.fields.get(b"action"))


class _PartReader:
    """What the parser reports, gathered into fields. The whole body is written at once, so every span comes whole."""

    def __init__(self) -> None:
        self.fields: dict[bytes, bytes] = {}
        self.is_ended = False
        self.data_end = 0
        self._parts = 0

    def begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_FIELDS:
            raise _excess(f"the form has more than {MAX_FIELDS} parts")
        self._headers: dict[bytes, bytes] = {}
        self._header_name = self._header_value = self._data = b""

    def add_header_name(self, content: bytes, start: int, end: int) -> None:
        self._header_name = content[start:end].lower()

    def add_header_value(self, content: bytes, start: int, end: int) -> None:
        self._header_value = content[start:end]

    def end_header(self) -> None:
        if self._header_name in self._headers:
            raise _refusal("a part has the same header twice")
        self._headers[self._header_name] = self._header_value
        self._header_value = b""

    def end_headers(self) -> None:
        disposition, parameters = _read_header(self._headers.get(b"content-disposition", b""))
        self._name = parameters.get(b"name", b"")
        if disposition != b"form-data" or not self._name:
            raise _refusal("every part must be form-data with a name")
        if self._headers.get(b"content-transfer-encoding", b"binary").strip().lower() not in TRANSFER_ENCODINGS:
            raise _refusal("a part must not be encoded for transfer")
        media_type, parameters = _read_header(self._headers.get(b"content-type", b"text/plain"))
        if media_type.startswith(b"multipart/"):
            raise _refusal("a part must not be multipart itself")
        charset = parameters.get(b"charset", b"utf-8").lower()
        if charset != b"utf-8" and not (self._name == b"action" and charset in ACTION_CHARSETS):
            raise _refusal(f"a part in the charset {shown(charset)} cannot be read, only utf-8")

    def add_data(self, content: bytes, start: int, end: int) -> None:
        self._data = content[start:end]
        self.data_end = end

    def end_part(self) -> None:
        _keep(self.fields, self._name, self._data)

    def end(self) -> None:
        self.is_ended = True


TRANSFER_ENCODINGS = frozenset({b"7bit", b"8bit", b"binary"})
ACTION_CHARSETS = frozenset({b"us-ascii", b"iso-8859-1"})


KNOWN = frozenset({b"security", b"request", b"action"})

HEADER = re.compile(rb"[ \t]*([!#-'*+.^-z|~0-9A-Z/-]+)[ \t]*((?:;[^\x00-\x08\x0a-\x1f\x7f]*)?)")
PARAMETER = re.compile(rb';[ \t]*([!#-\'*+.^-z|~0-9A-Z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^"; \t]*))[ \t]*|;[ \t]*')


def _read_header(value: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The first word of a header, in lower case, and its parameters; anything unclear is refused."""
    header = HEADER.fullmatch(value)
    if header is None:
        raise _refusal(f"the header value {shown(value)} is malformed")
    rest, position = header[2], 0
    parameters: dict[bytes, bytes] = {}
    while position < len(rest):
        parameter = PARAMETER.match(rest, position)
        if parameter is None or (parameter[1] is not None and parameter[1].lower() in parameters):
            raise _refusal(f"the header value {shown(value)} is malformed")
        if parameter[1] is not None:
            quoted = parameter[2]
            parameters[parameter[1].lower()] = parameter[3] if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted)
        position = parameter.end()
    return header[1].lower(), parameters


def _keep(fields: dict[bytes, bytes], name: bytes, value: bytes) -> None:
    if name not in KNOWN:
        return
    if name in fields:
        raise _refusal(f"`{name.decode()}` was posted twice")
    if b"\0" in value:
        raise _refusal("a field has a zero byte")
    if not value.isascii():
        try:
            value.decode()
        except UnicodeDecodeError:
            raise _refusal(f"`{name.decode()}` is not UTF-8") from None
    if name == b"action" and len(value) > MAX_ACTION_BYTES:
        raise _excess(f"`action` is longer than {MAX_ACTION_BYTES} bytes")
    fields[name] = value


def _refusal(why: str) -> ApiError:
    return ApiError(Code.security_missing, f"The form cannot be read: {why}.")


def _excess(why: str) -> ApiError:
    return ApiError(Code.too_much, f"The form is too large: {why}.")
