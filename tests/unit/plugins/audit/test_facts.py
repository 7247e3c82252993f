"""What is kept of a request, also of one that did not come over HTTP."""

from dataclasses import replace

import orjson
import pytest

from fyr.core import Change, Principal, RequestContext, Route, Service
from fyr.core.context import SYSTEM
from fyr.core.model.validation import problems
from fyr.plugins.audit.events import AuditEvents
from fyr.plugins.audit.facts import facts_of, is_audited

PEOPLE = frozenset({"PRACTITIONER"})
NURSE = Principal("PRACTITIONER", "")


class Page:
    """Answers."""

    def on_get(self, req, resp):
        """Answer nothing."""


PUBLIC = Route("/page", Page(), "For everybody.", public=True)


class Nobody:
    """Knows no patients."""

    def of(self, how, kind, identity, version):
        return []

    def now(self, kind, identity):
        return []


@pytest.fixture
def context():
    service = Service("fhir", "fhir", "Everything", {})
    return RequestContext(service, "read", "Basic", "1", principal=NURSE)


def test_a_request_without_instant_user_or_url_still_makes_a_valid_event(
    context,
) -> None:
    payload = orjson.dumps(facts_of(context, 200)).decode()
    change = Change(7, "audit.request", "", "", 0, "", "", 1_700_000_000_000, payload)
    made = AuditEvents(Nobody(), lambda service, kind, base: base, "urn:x", frozenset())

    (event,) = made.of(change)

    assert event["recorded"] == "2023-11-14T22:13:20+00:00"
    assert problems(event) == []


@pytest.mark.parametrize(
    ("changes", "audited"),
    [
        ({}, True),
        ({"method": "HEAD"}, True),
        ({"interaction": "capabilities"}, False),
        ({"interaction": "route"}, True),
        ({"interaction": "route", "method": "HEAD"}, True),
        ({"interaction": "route", "route": PUBLIC}, False),
        ({"principal": Principal("SYSTEM", "x")}, False),
        ({"principal": Principal("PATIENT", "x")}, False),
    ],
)
def test_only_access_of_the_named_user_types_is_audited(
    context, changes, audited
) -> None:
    assert is_audited(replace(context, **changes), PEOPLE) is audited


def test_fyr_itself_is_never_audited(context) -> None:
    own = replace(context, principal=SYSTEM)

    assert not is_audited(own, frozenset({"SYSTEM"}))


def test_a_query_is_kept_without_the_cursor_of_a_page(context) -> None:
    searching = replace(
        context,
        interaction="search-type",
        params=(("status", "final"), ("_cursor", "c2VjcmV0")),
        compartment=("Patient", "1"),
    )

    assert facts_of(searching, 200)["query"] == [
        ["status", "final"],
        ["_compartment", "Patient/1"],
    ]
