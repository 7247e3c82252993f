"""Requests that a tool makes up from ``/openapi.json``, the routes of plugins.

As :mod:`test_generated_requests` does for FHIR: never a 5xx, and what is answered is what
the document says. The seed stands still.
"""

import os
import unittest
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import InvalidSchema
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from fyr.core.testing.applications import (
    Server,
    application,
    client_of,
    serving,
    settings_with,
)
from fyr.core.testing.clock import FakeClock

#: More for a long look: FYR_TEST_EXAMPLES=200.
EXAMPLES = int(os.environ.get("FYR_TEST_EXAMPLES", "20"))
CHECKS = (not_a_server_error, response_schema_conformance, status_code_conformance)
PLUGINS = (
    "api_docs",
    "bulk_data",
    "error_codes",
    "event_messages",
    "key_service",
    "key_value_store",
    "reporting",
    "storage_service",
    "versions",
)
KNOWN = {"realm": "ehealth", "application": "app", "user": "me"}
LINES = ("application/fhir+ndjson", "application/ndjson", "application/x-ndjson")
AREA = "/kvstore/api/{realm}/properties/{application}"
CONTENT = "/storage/api/content"


@pytest.fixture(scope="module")
def routes_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    quick = {"hash_memory_kib": 32, "hash_passes": 1}
    many = {"key_attempts": 100_000, "address_attempts": 100_000}
    options = {
        "plugins": {"enabled": ["search", *PLUGINS]},
        "plugin": {"key_service": {**quick, **many}},
    }
    folder = tmp_path_factory.mktemp("made-up")
    with application(settings_with(options, folder), FakeClock()) as built:
        client_of(built).request("PUT", AREA.format(**KNOWN))
        with serving(built) as running:
            yield running


@pytest.fixture(scope="module")
def described(routes_server: Server) -> Any:
    # Lines are text to whoever makes them up.
    schemathesis.serializer.alias(list(LINES), "text/plain")
    return schemathesis.openapi.from_url(f"{routes_server.url}/openapi.json")


@st.composite
def cases(draw: st.DrawFn, operation: Any, mode: GenerationMode) -> schemathesis.Case:
    """Draw a request; where the tool cannot make one, another is drawn in its place."""
    try:
        case: schemathesis.Case = draw(operation.as_strategy(generation_mode=mode))
    except InvalidSchema:
        # Of what it has made of a schema, to break it; the document's own are right:
        # test_the_document_is_openapi_and_has_the_routes.
        assert mode is GenerationMode.NEGATIVE
        reject()
    return case


@pytest.mark.parametrize("mode", GenerationMode)
def test_whatever_is_made_of_the_document_is_answered_as_it_says(
    described: Any, mode: GenerationMode
) -> None:
    problems, asked = [], Counter[str]()
    for operation in (one.ok() for one in described.get_all_operations()):

        @seed(20_261_126)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases(operation, mode))
        def ask(case: schemathesis.Case) -> None:
            asked[case.operation.label] += 1
            if mode is GenerationMode.POSITIVE:
                # Names that are there, for a document cannot tell them.
                case.path_parameters = {**(case.path_parameters or {}), **KNOWN}
            case.call_and_validate(checks=CHECKS, timeout=60)

        try:
            ask()
        except (Unsatisfiable, unittest.SkipTest):
            continue
        except (AssertionError, BaseExceptionGroup) as failure:
            inside = getattr(failure, "exceptions", ())
            told = "\n".join([str(failure), *map(str, inside)])
            problems.append(f"{operation.label}: {told}")

    assert not problems, "\n\n".join(problems)
    if mode is GenerationMode.NEGATIVE:
        assert set(asked.values()) == {EXAMPLES}


def test_each_method_tells_what_it_answers(routes_server: Server) -> None:
    told = client_of(routes_server.application).get("/openapi.json").json

    vague = [
        f"{method} {path}"
        for path, methods in told["paths"].items()
        for method, one in methods.items()
        if isinstance(one, dict) and "2XX" in one["responses"]
    ]
    assert not vague
    assert told["paths"]["/bulk-data/import"]["post"]["requestBody"]["required"]


def test_the_document_is_openapi_and_has_the_routes(described: Any) -> None:
    described.validate()
    found = {one.ok().path for one in described.get_all_operations()}

    assert {AREA, f"{AREA}/{{key}}", f"{AREA}/user/{{user}}/{{key}}"} <= found
    assert {CONTENT, f"{CONTENT}/{{content_id}}/thumbnail"} <= found
    assert {"/keyservice/api/createKey", "/keyservice/api/devices/{key_id}"} <= found
