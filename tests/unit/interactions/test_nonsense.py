"""Whatever is sent, the answer is about what was sent, and never a failure of ours."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.context import RequestContext
from fyr.core.errors import FyrError
from fyr.core.interactions import Incoming
from fyr.core.interactions.answer import Answer

CLIENTS_FAULTS = tuple(kind for kind in FyrError.__subclasses__() if kind.status < 500)

NAMES = (
    "resourceType id meta reference text div status request method url resource fullUrl"
    " ifMatch ifNoneMatch ifNoneExist ifModifiedSince parameter name part valueString"
    " identifier value managingOrganization extension"
).split()
TEXTS = (
    "Patient Bundle Parameters Binary GET POST PUT PATCH DELETE HEAD Patient/a"
    " Patient?identifier=x Patient/$validate Patient/a/$validate Patient/_search a"
    ' _history Patient/a/_history/1 urn:uuid:a W/"1" * identifier=x resource mode'
    " https://fyr.example.org/fhir/Patient/a % ?"
).split(" ")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(TEXTS),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), below, max_size=4)
    ),
    max_leaves=8,
)
resources = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(("Patient", "Parameters", "Binary", "Bundle"))},
    optional={name: values for name in ("id", "meta", "identifier", "parameter")},
)
requests = st.fixed_dictionaries(
    {"method": st.sampled_from(METHODS), "url": st.sampled_from(TEXTS)},
    optional={
        name: st.sampled_from(TEXTS)
        for name in ("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince")
    },
)
entries = st.fixed_dictionaries(
    {"request": requests},
    optional={"resource": resources | values, "fullUrl": st.sampled_from(TEXTS)},
)


def answered(
    ask: Callable[..., Answer], context: RequestContext, source: dict[str, Any]
) -> dict[str, Any]:
    """Give the answer, or nothing when what was sent is refused as the client's fault."""
    with suppress(*CLIENTS_FAULTS):
        return ask(context, Incoming(source)).resource()
    return {}


@given(
    kind=st.sampled_from(("batch", "transaction")), sent=st.lists(entries, max_size=4)
)
@settings(max_examples=200, deadline=None)
def test_no_bundle_makes_the_server_fail(lasting, kind, sent) -> None:
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind, "entry": sent}
    answer = answered(
        lasting.interactions.bundle, lasting.context("transaction"), bundle
    )

    told = answer.get("entry", [])
    assert all(one["response"]["status"] < "5" for one in told)


@given(parameter=values)
@settings(max_examples=150, deadline=None)
def test_no_parameters_make_validate_fail(lasting, parameter) -> None:
    source = {"resourceType": "Parameters", "parameter": parameter}
    context = lasting.context("operation", "Patient", operation="validate")
    answer = answered(lasting.interactions.operate, context, source)

    assert answer.get("resourceType") in (None, "OperationOutcome")
