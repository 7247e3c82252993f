"""Each hook by its name that is asked about a request: whom it is from, and what they may."""

import pytest

from fyr.core.context import Principal
from fyr.core.errors import Forbidden, Unauthenticated
from fyr.core.hooks.values.subjects import Subject
from fyr.core.searching import SearchAsked

from .plugins import hooks_of, raising

ADA = Principal("PRACTITIONER", "ada")


def test_hook_request_received_isolates_a_failure_and_lets_a_refusal_out(
    context,
) -> None:
    asked = []
    hooks = hooks_of(
        "request_received", raising(OSError()), lambda context: asked.append(context)
    )
    hooks.request_received(context=context)
    strict = hooks_of("request_received", raising(Forbidden("closed for today")))

    assert asked == [context]
    with pytest.raises(Forbidden):
        strict.request_received(context=context)


def test_hook_authenticate_asks_until_somebody_knows_the_sender(context) -> None:
    hooks = hooks_of("authenticate", lambda: None, lambda: ADA, raising(OSError()))

    assert hooks.authenticate(context=context) == ADA


def test_hook_authenticate_ends_at_credentials_that_do_not_hold(context) -> None:
    hooks = hooks_of("authenticate", raising(Unauthenticated("expired")), lambda: ADA)

    with pytest.raises(Unauthenticated):
        hooks.authenticate(context=context)


def test_hook_authorize_asks_all_and_one_refusal_decides(context) -> None:
    asked = []
    hooks = hooks_of(
        "authorize",
        lambda context: asked.append("a"),
        lambda context: asked.append("b"),
        raising(Forbidden("not on this ward")),
    )

    with pytest.raises(Forbidden, match="not on this ward"):
        hooks.authorize(context=context)
    assert asked == ["a", "b"]


def test_hook_narrow_search_hands_each_plugin_what_the_one_before_answered(
    context,
) -> None:
    hooks = hooks_of(
        "narrow_search",
        lambda params: [*params, ("organization", "1")],
        lambda params: None,
        lambda params, resource_type: [*params, ("active", "true")],
    )
    params = hooks.narrow_search(
        context=context, resource_type="Patient", params=[("name", "ada")]
    )

    assert params == [("name", "ada"), ("organization", "1"), ("active", "true")]


def test_hook_authorize_search_is_told_what_is_asked_and_may_refuse(context) -> None:
    asked = SearchAsked(("Patient",), frozenset({("Observation", "code")}))
    hooks = hooks_of(
        "authorize_search",
        lambda asked: context.state.update(touched=asked.touched),
        raising(Forbidden("not by what others measured")),
        lambda: context.state.update(last=True),
    )

    with pytest.raises(Forbidden, match="measured"):
        hooks.authorize_search(context=context, asked=asked, look=None)
    assert context.state == {"touched": {("Observation", "code")}}


def test_hook_authorize_resource_is_asked_of_all_and_one_refusal_decides(
    context,
) -> None:
    told = []
    subject = Subject("Patient", "1", 1, body=b'{"resourceType":"Patient"}')
    hooks = hooks_of(
        "authorize_resource",
        lambda subject, use: told.append((subject.resource["resourceType"], use)),
        raising(Forbidden("not this patient")),
        lambda: told.append("more"),
    )

    with pytest.raises(Forbidden, match="not this patient"):
        hooks.authorize_resource(
            context=context, subject=subject, use="include", look=None
        )
    assert told == [("Patient", "include")]


def test_hook_explain_access_collects_what_all_plugins_ask_for(context) -> None:
    hooks = hooks_of(
        "explain_access",
        lambda context: [f"a right to {context.interaction}"],
        lambda: None,
        lambda: iter(["good manners"]),
    )

    told = hooks.explain_access(context=context)
    assert told == [f"a right to {context.interaction}", "good manners"]
