"""Requests that a tool makes up from Fyr's own OpenAPI document: never a 5xx.

And with it: that what is answered is what the document says. The seed stands still, so
that a run tells nothing else than the one before it.
"""

import os
import unittest
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fyr.core.model import xml
from fyr.core.testing.applications import Server

#: More for a long look: FYR_TEST_EXAMPLES=200.
EXAMPLES = int(os.environ.get("FYR_TEST_EXAMPLES", "10"))
CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
#: All system-wide URLs, and those of types that are unlike each other.
PATHS = r"^/($|_|\$|metadata|Patient|Binary|ValueSet|SearchParameter|Observation)"
quickly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
#: Nothing can be made that an operation without parameters would not allow.
SKIPPED = (Unsatisfiable, unittest.SkipTest)


@pytest.fixture(scope="module")
def described(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.base}/openapi.json")


@schemathesis.deserializer("application/fhir+xml")
def read_xml(_context: Any, response: Any) -> Any:
    return xml.parse(response.content)


def operations(described: Any) -> list[Any]:
    chosen = described.include(path_regex=PATHS)
    return [one.ok() for one in chosen.get_all_operations()]


@pytest.mark.parametrize("mode", GenerationMode)
def test_whatever_is_made_of_the_document_is_answered_as_it_says(
    described: Any, mode: GenerationMode
) -> None:
    """``mode``: what the document allows, and what it does not."""
    problems = []
    for operation in operations(described):

        @seed(20_261_126)
        @quickly
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS, timeout=60)

        try:
            ask()
        except SKIPPED:
            continue
        except (AssertionError, BaseExceptionGroup) as failure:
            problems.append(f"{operation.label}: {_sentences(failure)}")

    assert not problems, "\n\n".join(problems)


def _sentences(failure: BaseException) -> str:
    inside = getattr(failure, "exceptions", ())
    return "\n".join([str(failure), *map(str, inside)])


def test_the_document_is_openapi(described: Any) -> None:
    assert described.specification.version == "3.1.0"
    described.validate()


def test_all_that_was_to_be_tried_is_there(described: Any) -> None:
    paths = {one.path for one in operations(described)}

    assert {"/", "/Patient", "/Patient/{id}", "/Binary/{id}", "/_history"} <= paths
    assert "/Patient/$validate" in paths
