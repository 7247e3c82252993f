"""Errors of any origin as OperationOutcomes, on a Falcon application of a few lines."""

from typing import Any

import falcon
import orjson
import pytest
from falcon import testing
from hypothesis import given
from hypothesis import strategies as st

from fyr.core import errors
from fyr.core.errors import FyrError, Invalid, Issue
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.outcomes import add_error_handlers, outcome_bytes


class Raises:
    """Raises what it was given."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def on_get(self, _req: FyrRequest, _resp: FyrResponse) -> None:
        raise self.error


def answer_to(error: Exception, path: str = "/here", **options: Any) -> testing.Result:
    app: falcon.App[FyrRequest, FyrResponse] = falcon.App(
        request_type=FyrRequest, response_type=FyrResponse
    )
    add_error_handlers(app)
    app.add_route("/here", Raises(error))
    return testing.TestClient(app).simulate_request(path=path, **options)


def every_error() -> list[type[FyrError]]:
    found = [
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, FyrError)
    ]
    assert len(found) > 10
    return found


@pytest.mark.parametrize("error", every_error())
def test_each_kind_of_error_has_one_shape(error: type[FyrError]) -> None:
    answer = answer_to(error("what happened", expression=["Patient.name"]))

    assert answer.status_code == error.status
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.json == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": error.code,
                "diagnostics": "what happened",
                "expression": ["Patient.name"],
            }
        ],
    }


def test_all_issues_are_told_with_their_published_codes() -> None:
    first = Issue("invalid", "one", ("Patient.name[0]",))
    coded = Issue("business-rule", "", details=("urn:codes", "F1", "Not now"))

    issues = answer_to(Invalid([first, coded])).json["issue"]

    assert [issue["code"] for issue in issues] == ["invalid", "business-rule"]
    assert issues[1]["details"] == {
        "coding": [{"system": "urn:codes", "code": "F1", "display": "Not now"}]
    }
    assert "diagnostics" not in issues[1]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (falcon.HTTPBadRequest(title="No", description="not so"), "invalid"),
        (falcon.HTTPTooManyRequests(headers={"Retry-After": "3"}), "throttled"),
        (falcon.HTTPUnsupportedMediaType(), "not-supported"),
    ],
)
def test_falcon_s_own_errors_look_the_same(error: falcon.HTTPError, code: str) -> None:
    answer = answer_to(error)

    assert answer.status_code == error.status_code
    assert answer.json["issue"][0]["code"] == code


def test_headers_of_an_error_are_kept() -> None:
    answer = answer_to(falcon.HTTPTooManyRequests(headers={"Retry-After": "3"}))

    assert answer.headers["retry-after"] == "3"


def test_a_path_that_is_not_there_is_named() -> None:
    answer = answer_to(ValueError(), "/nowhere")

    assert answer.status_code == 404
    assert answer.json["issue"][0]["diagnostics"] == "nothing is served at /nowhere"


def test_a_method_that_is_not_offered_is_told_with_those_that_are() -> None:
    answer = answer_to(ValueError(), method="DELETE")

    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json["issue"][0]["code"] == "not-supported"


def test_a_bug_tells_nothing_of_the_inside() -> None:
    answer = answer_to(ZeroDivisionError("secret"))

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert answer.json["issue"][0]["code"] == "exception"


@given(st.text(alphabet=st.characters(), max_size=50))
def test_any_text_can_be_told(text: str) -> None:
    told = orjson.loads(outcome_bytes([Issue("invalid", text + "!", (text,))]))

    assert told["issue"][0]["diagnostics"].endswith("!")
