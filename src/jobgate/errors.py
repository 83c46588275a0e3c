"""What can go wrong, as the caller hears it: one closed list of codes, one exception.

The numbers and statuses are those of the Data API ("Error codes" in the public documentation); a code without a
number of its own there borrows the closest one. Raise sites pick a member of `Code`, never a status.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

INPUT_SHOWN_CHARS = 200
"""No message repeats more of a caller's input than this."""


class Code(Enum):
    """One way to be refused: the protocol's number, the HTTP status, and what the caller should do."""

    number: int
    status: int
    advice: str

    def __init__(self, number: int, status: int, advice: str) -> None:
        self.number = number
        self.status = status
        self.advice = advice

    internal = 10000, 500, "Report the request_uuid to the operator; the log holds the rest."
    unavailable = 10000, 503, "Send the same packet again after Retry-After seconds."
    body_timeout = 10000, 408, "Send the whole body without pausing."
    missing_parameter = 20000, 400, "Give the parameter that the message names."
    invalid_length = 20001, 400, "Give a value within the length that the message names."
    too_much = 20002, 400, "Split the call into smaller ones."
    url_too_long = 20002, 414, "Put parameters into the request field, not into the URL."
    headers_too_large = 20002, 431, "Send fewer or shorter headers."
    wrong_type = 20003, 400, "Give a value of the type that the message names."
    unsupported_value = 20004, 400, "Give one of the values that the message names."
    invalid_json = 20009, 400, "Send the request field as one JSON object in UTF-8."
    conflict = 20011, 409, "Read the current state, then decide again."
    endpoint_not_found = 20012, 404, "Call /{version}/{endpoint}; the message says which part is unknown."
    session_not_found = 20016, 400, "Check the session_id and the organisation."
    answer_too_large = 20027, 400, "Ask for less: lower limit, or narrow the filters."
    access_denied = 40000, 400, "Ask the operator to allow this endpoint for the consumer."
    method_not_allowed = 40001, 405, "Use POST."
    no_organisation = 40002, 403, "Ask the operator to give the consumer an organisation."
    organisation_forbidden = 40003, 403, "Leave organisation_id out, or name one that the consumer holds."
    security_missing = 41000, 400, "Post the form fields of an official SDK: security, request, action."
    security_length = 41001, 403, "Give every security parameter in its documented form."
    unknown_consumer = 41002, 403, "Check the consumer key."
    signature_mismatch = 41003, 403, "Sign exactly the text that is posted, with the secret of this consumer."
    timestamp_out_of_range = 41004, 403, "Set the clock; timestamps are GMT, YYYYMMDD-HHMM."
    domain_not_allowed = 41005, 403, "Use a domain that is configured for the consumer."
    expires_malformed = 41006, 400, "Give expires as GMT, YYYYMMDD-HHMM."
    expired = 41007, 400, "Sign a new packet."
    service_disabled = 41008, 403, "Ask the operator: this service is switched off."
    consumer_inactive = 41009, 403, "Ask the operator to activate the consumer."
    rate_limited = 42000, 429, "Wait for the whole window of 5 seconds."
    version_too_low = 43000, 400, "Use a later version in the URL."
    unknown_dataset_type = 44000, 400, "Use a documented dataset_type."
    dataset_not_ready = 50000, 400, "Give the data that the message names, then start the job again."


class ApiError(Exception):
    """A refusal: `code` decides number and status, `message` is for people, `data` joins the envelope's `meta`."""

    def __init__(self, code: Code, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def shown(value: object) -> str:
    """A caller's value, fit for a message: escaped and cut."""
    text = repr(value)
    return text if len(text) <= INPUT_SHOWN_CHARS else text[: INPUT_SHOWN_CHARS - 1] + "…"
