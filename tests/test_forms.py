"""The form split: what the official SDKs send comes out byte for byte, and nothing odd comes through."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobgate.errors import ApiError, Code
from jobgate.forms import URLENCODED, Form, read_form

VECTORS = json.loads((Path(__file__).parent / "data" / "signature_vectors.json").read_bytes())
CAPTURES: list[dict[str, Any]] = VECTORS["wire_captures"]
MULTIPART = b"multipart/form-data; boundary=b"
BODY_LIMIT = 4 * 1024 * 1024
STALL_S = 0.1


def part(content: bytes = b"1", *, name: str = "request", headers: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n{headers}\r\n'.encode() + content + b"\r\n"


def refusal(content_type: bytes | str | None, body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read_form(content_type, body)
    return caught.value


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture["id"])
def test_every_official_sdk_is_understood(capture: dict[str, Any]) -> None:
    expected = capture["expect"]

    form = read_form(capture["headers"]["Content-Type"], base64.b64decode(capture["body_base64"]))

    assert form.request == (None if expected.get("request") is None else expected["request"].encode())
    assert form.action == (None if expected.get("action") is None else expected["action"].encode())
    assert form.security is not None
    assert json.loads(form.security) == expected["security"]


def test_an_empty_body_has_no_fields_whatever_its_type() -> None:
    assert read_form(None, b"") == Form(None, None, None)
    assert read_form(b"multipart/form-data", b"") == Form(None, None, None)


def test_an_empty_field_is_not_an_absent_one() -> None:
    assert read_form(URLENCODED, b"request=&action=") == Form(None, b"", b"")
    assert read_form(MULTIPART, part(b"") + b"--b--") == Form(None, b"", None)


def test_escapes_of_either_case_raw_utf8_and_plain_equals_signs_are_bytes() -> None:
    body = "request=%c3%AB+ë+a=b%3Dc%25%2b&action=get".encode()

    assert read_form(URLENCODED, body).request == "ë ë a=b=c%+".encode()


def test_escaped_field_names_are_the_same_names() -> None:
    assert read_form(URLENCODED, b"%72equest=1&x%20y=2").request == b"1"


@pytest.mark.parametrize("parameter", ["; charset=UTF-8", ';charset="utf-8"', "; charset=utf-8;", "; a=b"])
def test_a_urlencoded_form_may_say_that_it_is_utf8(parameter: str) -> None:
    assert read_form("Application/X-WWW-Form-Urlencoded" + parameter, b"action=get").action == b"get"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60).filter(lambda text: "\0" not in text))
def test_whatever_was_quoted_comes_back(text: str) -> None:
    form = read_form(URLENCODED, f"x=%26&request={quote_plus(text)}".encode())

    assert form.request == text.encode()


@settings(max_examples=500, deadline=None)
@given(st.text("%=+&0aAgG \r\n", max_size=12))
@example("=3D%3D")
@example("%\n")
@example("%%")
@example("%=41")
@example("%41\r%\n")
@example("%4")
def test_unquoting_agrees_with_the_standard_library_or_refuses_a_wrong_escape(text: str) -> None:
    value = text.replace("&", "")
    pieces = value.split("%")[1:]
    is_well_formed = all(len(piece) > 1 and all(c in "0123456789abcdefABCDEF" for c in piece[:2]) for piece in pieces)

    if not is_well_formed:
        assert refusal(URLENCODED, f"action=1&x={value}".encode()).code is Code.security_missing
    else:
        expected = unquote_to_bytes(value.replace("+", " "))
        if _is_utf8(expected) and 0 not in expected:
            assert read_form(URLENCODED, f"request={value}".encode()).request == expected


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    "body",
    [
        b"security=1&security=2",
        b"request=1&%72equest=2",
        b"=1",
        b"action=get&",
        b"&action=get",
        b"action=get&&request=1",
        b"action",
        b"%=1",
        b"action=%",
        b"action=%4",
        b"action=%zz",
        b"action=%+1",
        b"request=%ff",
        b"request=\xff",
        b"request=%ed%a0%80",
        b"request=\x00",
        b"request=a=b%00",
        b"other=%g0",
    ],
)
def test_a6_an_ill_formed_urlencoded_form_is_41000(body: bytes) -> None:
    assert refusal(URLENCODED, body).code is Code.security_missing


def test_a6_a_semicolon_separates_nothing() -> None:
    assert read_form(URLENCODED, b"security=1;request=2") == Form(b"1;request=2", None, None)


def test_sixteen_fields_are_read_and_more_are_too_much() -> None:
    assert read_form(URLENCODED, b"&".join([b"x=1"] * 15 + [b"action=get"])).action == b"get"
    assert refusal(URLENCODED, b"&".join([b"x=1"] * 17)).code is Code.too_much
    assert refusal(URLENCODED, b"&".join([b"x=1"] * 10_000)).code is Code.too_much

    assert read_form(MULTIPART, part(name="x") * 15 + part(b"get", name="action") + b"--b--").action == b"get"
    assert refusal(MULTIPART, part(name="x") * 17 + b"--b--").code is Code.too_much
    assert refusal(MULTIPART, b"\r\n" + part(name="x") * 17 + b"--b--").code is Code.too_much


def test_an_action_of_32_bytes_is_read_and_a_longer_one_is_too_much() -> None:
    assert read_form(URLENCODED, b"action=" + b"a" * 32).action == b"a" * 32
    assert refusal(URLENCODED, b"action=" + b"a" * 33).code is Code.too_much


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "text/plain; charset=utf-8",
        "application/x-www-form-urlencoded; charset=latin-1",
        "application/x-www-form-urlencoded; charset=utf-7",
        "application/x-www-form-urlencoded; charset=undefined",
        "application/x-www-form-urlencoded; charset",
        "application/x-www-form-urlencoded, text/plain",
        "multipart/mixed; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=b; boundary=c",
        "multipart/form-data; boundary=b; Boundary=b",
        'multipart/form-data; boundary="b',
        'multipart/form-data; boundary="b "',
        "multipart/form-data; boundary=b\xe9",
        "multipart/form-data; boundary=" + "b" * 71,
        "multipart/form-data; boundary=" + "b" * 10_240,
        "ሴ",
    ],
)
def test_another_content_type_is_41000(content_type: str | None) -> None:
    error = refusal(content_type, part() + b"--b--\r\n")

    assert error.code is Code.security_missing
    assert len(error.message) < 300


def test_a_boundary_has_up_to_70_characters_and_may_be_quoted() -> None:
    boundary = "'()+_,-./:=? " * 5 + "abcde"
    body = f"--{boundary}\r\nContent-Disposition: form-data; name=action\r\n\r\nget\r\n--{boundary}--".encode()

    assert read_form(f'multipart/form-data; boundary="{boundary}"', body).action == b"get"


def test_a_part_keeps_its_line_ends_and_its_near_boundaries() -> None:
    content = b"\r\n{\n \r \n}\r\n--c\r\n--\r\n-"

    assert read_form(MULTIPART, part(content) + b"--b--").request == content


def test_a_file_name_on_a_field_is_ignored() -> None:
    body = part(b"{}", name='request"; filename="C:/x.json')

    assert read_form(MULTIPART, body + b"--b--\r\n").request == b"{}"


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Type: application/json\r\n",
        "Content-Type: application/json; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        "content-type: text/plain\r\ncontent-transfer-encoding: Binary\r\n",
        "CONTENT-TRANSFER-ENCODING: 7bit\r\nX-Other: anything at all, ë\r\n",
    ],
)
def test_a_part_may_describe_itself_harmlessly(headers: str) -> None:
    assert read_form(MULTIPART, part(b"{}", headers=headers) + b"--b--").request == b"{}"


@pytest.mark.parametrize("charset", ["us-ascii", "ISO-8859-1", "utf-8"])
def test_only_the_action_may_be_in_an_ascii_charset(charset: str) -> None:
    headers = f"Content-Type: text/plain; charset={charset}\r\n"

    assert read_form(MULTIPART, part(b"get", name="action", headers=headers) + b"--b--").action == b"get"
    if charset != "utf-8":
        assert refusal(MULTIPART, part(headers=headers) + b"--b--").code is Code.security_missing


@pytest.mark.parametrize(
    "headers",
    [
        *(
            f"Content-Type: text/plain; charset={charset}\r\n"
            for charset in ("punycode", "idna", "utf-7", "utf-16", "undefined", '""', "utf-8; charset=utf-8")
        ),
        "Content-Type: multipart/mixed; boundary=c\r\n",
        "Content-Type: text/plain; charset\r\n",
        "Content-Type: \r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "Content-Disposition: form-data; name=action\r\n",
        "X: 1\r\nX: 2\r\n",
        "X : 1\r\n",
        "X\r\n",
        ": 1\r\n",
        "X: 1\r",
        " folded\r\n",
        "X: 1\r\n" * 100_000,
        "X: " + "1" * 2000 + "\r\n",
        "".join(f"X{number}: 1\r\n" for number in range(8)),
    ],
    ids=lambda headers: headers[:60],
)
def test_a7_an_odd_part_header_is_41000_at_once(headers: str) -> None:
    started = time.perf_counter()

    error = refusal(MULTIPART, part(b"get", name="action", headers=headers) + b"--b--")

    assert error.code is Code.security_missing
    assert time.perf_counter() - started < STALL_S


def test_a_part_has_up_to_eight_headers() -> None:
    headers = "".join(f"X{number}: {'1' * 1000}\r\n" for number in range(7))

    assert read_form(MULTIPART, part(b"{}", headers=headers) + b"--b--").request == b"{}"


@pytest.mark.parametrize(
    "body",
    [
        part(),
        part()[:-2],
        part() + b"--b",
        part() + b"--b-",
        part() + b"--c--",
        b"--b\r\n",
        b"--b",
        b"--bb\r\n" + part()[5:] + b"--b--",
        part() + b"--b \r\n" + part(name="action")[5:] + b"--b--",
        part() + part() + b"--b--",
        part(name="") + b"--b--",
        b"--b\r\nContent-Disposition: attachment; name=request\r\n\r\n1\r\n--b--",
        b"--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--",
        b"--b\n" + part()[5:] + b"--b--",
        part(b"\xff") + b"--b--",
        part(b"\0") + b"--b--",
        b"no boundary anywhere",
    ],
)
def test_a7_an_ill_formed_multipart_body_is_41000(body: bytes) -> None:
    assert refusal(MULTIPART, body).code is Code.security_missing


def test_a7_four_kib_may_surround_the_boundaries_and_not_more() -> None:
    body = part(b"{}") + b"--b--"
    margin = b"x" * 4096

    assert read_form(MULTIPART, margin + b"\r\n" + body + margin).request == b"{}"
    assert refusal(MULTIPART, margin + b"x\r\n" + body).code is Code.security_missing
    assert refusal(MULTIPART, body + margin + b"x").code is Code.too_much
    assert refusal(MULTIPART, b"x" * 20_000_000 + b"\r\n" + body).code is Code.security_missing


@pytest.mark.parametrize(
    "piece",
    [b"\r", b"\r\n", b"\r\n-", b"\r\n--", b"\r\n--b", b"\r\n--bX", b"\r\n--b ", b"\r\n--b-", b"\r\n--b\r", b"-"],
)
@pytest.mark.parametrize(
    "start", [b"", b"--b", b"--b\r\n", b"--b\r\nX:", part()[:-2], part() + b"--b ", part() + b"--b--"]
)
def test_p7_no_full_body_of_almost_boundaries_stalls_the_process(start: bytes, piece: bytes) -> None:
    body = start + piece * ((BODY_LIMIT - len(start)) // len(piece))
    started = time.process_time()

    refusal(MULTIPART, body)

    assert time.process_time() - started < STALL_S


@pytest.mark.parametrize("piece", [b"%41", b"%41=", b"=", b"%3D", b"+", b"\r%41\n"])
def test_p7_no_full_body_of_escapes_stalls_the_process(piece: bytes) -> None:
    body = b"request=%41" + piece * ((BODY_LIMIT - 11) // len(piece))
    started = time.process_time()

    read_form(URLENCODED, body)

    assert time.process_time() - started < STALL_S


SYNTAX = (b"--b", b"--b--", b"\r\n", b"--", b"-", b"\r", b"\n", b":", b";", b'"', b"\\", b" ", b"=", b"&", b"%", b"\0")
WORDS = (
    b'Content-Disposition: form-data; name="action"',
    b"Content-Transfer-Encoding: ",
    b"Content-Type: text/plain",
    b"charset=utf-8",
    b"security",
    b"request",
    b"%41",
    b"\xff",
)
FRAGMENTS = st.sampled_from(SYNTAX + WORDS)


@settings(max_examples=800, deadline=None)
@given(
    st.one_of(st.none(), st.text(max_size=20), st.sampled_from([URLENCODED, MULTIPART]), st.binary(max_size=20)),
    st.one_of(st.binary(max_size=50), st.lists(FRAGMENTS, max_size=30).map(b"".join)),
)
def test_m7_no_body_gets_more_than_a_refusal(content_type: bytes | str | None, body: bytes) -> None:
    with contextlib.suppress(ApiError):
        assert all(field is None or _is_utf8(field) for field in read_form(content_type, body))
