"""The rules a statement must keep, by the ids that people look up.

`XAPI-nnnnn` are the requirements of ADL's book for 1.0.3, which the conformance suite prints for both versions. The
others are ours: 2.0.0 has no ids for its additions, and a limit of what can be stored has none anywhere.
"""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """An id, and what it asks for."""

    requirement: str

    def __new__(cls, id: str, requirement: str) -> Rule:
        rule = str.__new__(cls, id)
        rule._value_ = id
        rule.requirement = requirement
        return rule

    null = "XAPI-00001", "null stands only inside extensions"
    actor_missing = "XAPI-00003", "a statement has an actor"
    verb_missing = "XAPI-00004", "a statement has a verb"
    object_missing = "XAPI-00005", "a statement has an object"
    type = "XAPI-00006", "a value has the JSON type of its place"
    form = "XAPI-00007", "a value has the form of its place"
    name_case = "XAPI-00008", "property names are written exactly as the standard does"
    value_case = "XAPI-00009", "values of a closed set are written exactly as the standard does"
    name_unknown = "XAPI-00010", "there are no properties that the standard does not name"
    iri = "XAPI-00011", "an IRI, IRL or URI has a scheme and something after it"
    language_tag = "XAPI-00013", "the names in a language map are language tags of RFC 5646"
    voiding = "XAPI-00017", "the object of a voiding statement is a StatementRef"
    json = "XAPI-00021", "a statement is a JSON object in which no name stands twice"
    timestamp = "XAPI-00022", "timestamp is a string"
    stored = "XAPI-00023", "stored is a string"
    authority = "XAPI-00024", "authority is an Agent or an anonymous Group"
    attachments = "XAPI-00025", "attachments is an array"
    id = "XAPI-00027", "id is a UUID"
    id_type = "XAPI-00028", "id is a string"
    actor_kind = "XAPI-00031", "the objectType of an actor is Agent or Group"
    actor_kind_type = "XAPI-00032", "the objectType of an actor is a string"
    actor_name = "XAPI-00033", "the name of an actor is a string"
    agent_identifier = "XAPI-00034", "an Agent has exactly one of mbox, mbox_sha1sum, openid and account"
    anonymous_member = "XAPI-00035", "a Group without an identifier has members"
    member = "XAPI-00036", "member is an array of Agents"
    group_identifier = "XAPI-00037", "a Group has at most one of mbox, mbox_sha1sum, openid and account"
    mbox = "XAPI-00038", "mbox is mailto: and an address"
    mbox_sha1sum = "XAPI-00039", "mbox_sha1sum is 40 hexadecimal digits"
    openid = "XAPI-00040", "openid is a URI"
    account = "XAPI-00041", "account is an object"
    account_home = "XAPI-00042", "an account has a homePage, an IRL"
    account_name = "XAPI-00043", "an account has a name, a string that is not empty"
    verb_id = "XAPI-00044", "a verb has an id, an IRI"
    verb_display = "XAPI-00045", "the display of a verb is a language map"
    object_kind = "XAPI-00046", "the objectType of an object is Activity, Agent, Group, SubStatement or StatementRef"
    activity_id = "XAPI-00047", "an Activity has an id, an IRI"
    definition = "XAPI-00048", "definition is an object"
    interaction = "XAPI-00049", "interactionType is one of the ten of the standard"
    responses_pattern = "XAPI-00050", "correctResponsesPattern is an array of strings"
    steps = "XAPI-00051", "steps is an array, of performance only"
    target = "XAPI-00052", "target is an array, of matching only"
    source = "XAPI-00053", "source is an array, of matching only"
    scale = "XAPI-00054", "scale is an array, of likert only"
    choices = "XAPI-00055", "choices is an array, of choice and sequencing only"
    definition_name = "XAPI-00056", "the name of a definition is a language map"
    component_id = (
        "XAPI-00058",
        "an interaction component has an id, a string that is not empty and that no other of its list has",
    )
    definition_description = "XAPI-00059", "the description of a definition is a language map"
    definition_type = "XAPI-00060", "the type of a definition is an IRI"
    more_info = "XAPI-00061", "moreInfo is an IRL"
    component_description = "XAPI-00062", "the description of an interaction component is a language map"
    component = "XAPI-00063", "an interaction component is an object"
    interaction_missing = "XAPI-00064", "what has a correctResponsesPattern or components has an interactionType"
    object_kind_missing = "XAPI-00065", "an Agent or Group that is an object says so in objectType"
    sub_incomplete = "XAPI-00066", "a SubStatement has an actor, a verb and an object"
    sub_authority = "XAPI-00067", "a SubStatement has no authority"
    sub_version = "XAPI-00068", "a SubStatement has no version"
    sub_stored = "XAPI-00069", "a SubStatement has no stored"
    sub_id = "XAPI-00070", "a SubStatement has no id"
    sub_nested = "XAPI-00071", "the object of a SubStatement is not a SubStatement"
    reference_id = "XAPI-00072", "a StatementRef has an id, a UUID"
    success = "XAPI-00074", "success is true or false"
    completion = "XAPI-00075", "completion is true or false"
    response = "XAPI-00076", "response is a string"
    duration_type = "XAPI-00077", "duration is a string"
    score = "XAPI-00079", "score is an object of numbers"
    score_range = "XAPI-00081", "min is below max"
    score_raw = "XAPI-00082", "raw is neither below min nor above max"
    scaled = "XAPI-00083", "scaled is from -1 to 1"
    revision_place = "XAPI-00084", "revision stands only where the object is an Activity"
    platform_place = "XAPI-00085", "platform stands only where the object is an Activity"
    context_activities = "XAPI-00086", "contextActivities is an object"
    registration = "XAPI-00087-1", "registration is a UUID"
    instructor = "XAPI-00087-2", "instructor is an Agent or a Group"
    team = "XAPI-00088", "team is a Group"
    revision = "XAPI-00089", "revision is a string"
    platform = "XAPI-00090", "platform is a string"
    language = "XAPI-00091", "language is a language tag of RFC 5646"
    context_statement = "XAPI-00092", "the statement of a context is a StatementRef"
    context_activities_names = "XAPI-00093", "contextActivities has nothing but parent, grouping, category and other"
    context_activity = "XAPI-00094", "contextActivities hold an Activity or an array of Activities"
    authority_members = "XAPI-00098", "a Group that is an authority has exactly two members"
    version = "XAPI-00101", "version is 1.0 or 1.0.x, and under 2.0.0 also 2.0.x"
    length = "XAPI-00102", "an attachment has a length, an integer that is not negative"
    sha2 = "XAPI-00103", "an attachment has a sha2, 56, 64, 96 or 128 hexadecimal digits"
    file_url = "XAPI-00104", "fileUrl is an IRL"
    content_type = "XAPI-00105", "an attachment has a contentType, a media type"
    attachment_display = "XAPI-00106", "an attachment has a display, a language map"
    usage_type = "XAPI-00107", "an attachment has a usageType, an IRI"
    signature = "XAPI-00115", "an attachment that is a signature is application/octet-stream"
    extension_name = "XAPI-00118", "the names in extensions are IRIs"
    extensions = "XAPI-00120", "extensions is an object"
    language_map = "XAPI-00121", "a language map is an object of strings"
    time = (
        "XAPI-00123",
        "a point in time is a full ISO 8601 date and time that exists, under 2.0.0 with a zone (RFC 3339)",
    )
    duration = "XAPI-00124", "duration is an ISO 8601 duration"

    context_agents = "context-agents", "contextAgents is an array of objects with objectType contextAgent and an agent"
    context_groups = "context-groups", "contextGroups is an array of objects with objectType contextGroup and a group"
    relevant_types = "relevant-types", "relevantTypes is an array of IRIs that is not empty"

    depth = "limit-depth", "a statement is nested no deeper than 64 levels"
    size = "limit-size", "a statement takes no more than 1 MiB"
    text = "limit-text", r"a string or name has Unicode characters only, and \u0000 is not among them"
    number = "limit-number", "a number is finite and fits 64-bit floating point"
