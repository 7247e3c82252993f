"""Whatever a client sends: never a server error, always an OperationOutcome."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fyr.core.testing.client import Answer, Client

#: No deadline and no reset: the store lives through all examples on purpose.
any_input = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
SEGMENTS = st.one_of(
    st.sampled_from(
        "fhir Patient Observation _search _history metadata $validate $nothing 1 %00 .."
        " %C3%85 %ff % health live metrics admin plugins operations Patient?x".split()
    ),
    st.text(max_size=12),
)
#: What HTTP lets stand in a header.
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
HEADERS = st.dictionaries(
    st.sampled_from(
        "Accept Accept-Encoding Content-Type Content-Encoding If-Match If-None-Match"
        " If-Modified-Since If-None-Exist Prefer X-Request-Id Traceparent Origin"
        " Authorization Host Access-Control-Request-Method".split()
    ),
    VALUES,
    max_size=4,
)
QUERY_NAMES = st.one_of(
    st.sampled_from(
        "_format _pretty _summary _elements _id _count _sort _since _at _lastUpdated"
        " name birthdate identifier _include mode".split()
    ),
    st.text(max_size=8),
)
QUERIES = st.lists(st.tuples(QUERY_NAMES, st.text(max_size=20)), max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "resourceType id meta name family type entry request url method"
                " resource parameter contained reference subject extension".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
BODIES = st.one_of(
    st.none(),
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    JSON.map(
        lambda value: json.dumps({"resourceType": "Patient", "name": value}).encode()
    ),
    st.lists(JSON, max_size=2).map(
        lambda entries: json.dumps(
            {"resourceType": "Bundle", "type": "batch", "entry": entries}
        ).encode()
    ),
)


def check(answer: Answer) -> None:
    assert answer.status < 500, answer.body
    if answer.status >= 400 and answer.body:
        assert b"OperationOutcome" in answer.body
        assert "fhir+" in answer.headers["content-type"]


@any_input
@given(
    method=METHODS,
    segments=st.lists(SEGMENTS, max_size=6),
    query=QUERIES,
    headers=HEADERS,
    body=BODIES,
)
@example("GET", ["fhir", "Patient", "a%00b"], [], {}, None)
@example("GET", ["fhir", "", "", ""], [], {}, None)
@example("POST", ["fhir", "Patient"], [], {"Content-Type": "\xff"}, b"{}")
def test_any_request_is_answered_or_refused(
    client: Client,
    method: str,
    segments: list[str],
    query: list[tuple[str, str]],
    headers: dict[str, str],
    body: bytes | None,
) -> None:
    path = "/" + "/".join(one.encode("utf-8", "ignore").decode() for one in segments)
    clean = [
        (name.encode("utf-8", "ignore").decode(), value.encode("utf-8", "ignore"))
        for name, value in query
    ]

    check(
        client.request(
            method,
            path.replace("?", ""),
            params=[(name, value.decode()) for name, value in clean],
            headers=headers,
            body=body,
        )
    )


@any_input
@given(query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_any_query_string_is_answered_or_refused(client: Client, query: str) -> None:
    for path in ("Patient", "Patient/1", "_history", "metadata", "$validate"):
        check(client.get(f"{path}?_count=1&{query}"))


@any_input
@given(kind=st.sampled_from(["Patient", "Bundle", "Parameters", "Binary"]), body=BODIES)
def test_any_body_is_stored_or_refused(
    client: Client, kind: str, body: bytes | None
) -> None:
    check(client.request("POST", kind, body=body))
    check(client.request("PUT", f"{kind}/nonsense", body=body))
    check(client.request("POST", f"{kind}/$validate", body=body))
    check(client.request("POST", "", body=body))


@any_input
@given(
    kind=st.sampled_from(
        [
            "application/json-patch+json",
            "application/fhir+json",
            "application/xml-patch+xml",
            "application/fhir+xml",
        ]
    ),
    body=st.one_of(
        BODIES,
        st.lists(
            st.fixed_dictionaries(
                {
                    "op": st.sampled_from("add remove replace move copy test".split()),
                    "path": st.text("/~01-name", max_size=12),
                    "value": JSON,
                }
            )
        ).map(lambda steps: json.dumps(steps).encode()),
    ),
)
def test_any_patch_is_applied_or_refused(
    client: Client, kind: str, body: bytes | None
) -> None:
    client.put("Patient/patched", {"resourceType": "Patient", "id": "patched"})

    check(client.patch("Patient/patched", body, kind))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"resourceType":"Patient","x":' + b'{"a":' * 5_000,
        b'{"resourceType":"Patient","multipleBirthInteger":' + b"9" * 5_000 + b"}",
        b'{"resourceType":"Patient","id":"\\ud800"}',
        b'\xff\xfe{"resourceType":"Patient"}',
        b'{"resourceType":"Patient","id":"a","id":"b"}',
        b'{"resourceType":"Patient","active":NaN}',
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><Patient xmlns='http://hl7.org/fhir'/>",
    ],
    ids="nested deep number surrogate utf-16 twice nan entity".split(),
)
def test_known_nastiness_is_refused(client: Client, body: bytes) -> None:
    for content_type in ("application/fhir+json", "application/fhir+xml"):
        answer = client.post("Patient", body, Content_Type=content_type)

        assert answer.status == 400
        check(answer)
