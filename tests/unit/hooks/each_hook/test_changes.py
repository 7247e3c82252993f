"""Each hook by its name that is asked about what is written, shown and told."""

import pytest

from fyr.core.clock import utc_now
from fyr.core.context import Touched
from fyr.core.errors import Issue, Refused, Unavailable
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.values.kept import KeptContent
from fyr.core.hooks.values.persons import RegisteredPerson
from fyr.core.hooks.values.rules import RuleFinding, RuleInput, RuleLimits, RuleOutcome

from .plugins import hooks_of, raising


def ask_rules(hooks):
    return hooks.evaluate_rules(
        library={"resourceType": "Library"},
        asked=RuleInput([], utc_now()),
        limits=RuleLimits(),
    )


def test_hook_before_interaction_prepares_or_refuses(context) -> None:
    hooks = hooks_of(
        "before_interaction",
        lambda context: context.state.update(a="ready"),
        raising(Refused("not on Sundays")),
    )

    with pytest.raises(Refused):
        hooks.before_interaction(context=context)
    assert context.state == {"a": "ready"}


def test_hook_validate_collects_the_issues_of_all_plugins(context) -> None:
    issues = [Issue("invalid", text) for text in ("one", "two", "three")]
    hooks = hooks_of(
        "validate", lambda: issues[:2], lambda: None, lambda resource: issues[2:]
    )

    assert hooks.validate(context=context, resource={}) == issues


def test_hook_before_store_sees_the_edits_of_earlier_plugins(context) -> None:
    seen = []
    hooks = hooks_of(
        "before_store",
        lambda new: new.update(active=True),
        lambda old, new: seen.append(dict(new)),
    )
    new = {"resourceType": "Patient"}
    hooks.before_store(context=context, session=None, old=None, new=new)

    assert seen == [{"resourceType": "Patient", "active": True}]


def test_hook_before_store_refuses_at_the_first_plugin_that_raises(context) -> None:
    asked = []
    hooks = hooks_of(
        "before_store", raising(Refused("deceased")), lambda: asked.append("b")
    )

    with pytest.raises(Refused):
        hooks.before_store(context=context, session=None, old=None, new={})
    assert asked == []


def test_hook_stored_gets_the_session_and_a_failure_goes_out(context) -> None:
    sessions = []
    hooks = hooks_of(
        "stored",
        lambda session: sessions.append(session),
        raising(ValueError("broken")),
    )

    with pytest.raises(ValueError, match="broken"):
        hooks.stored(context=context, session="transaction", old=None, new={})
    assert sessions == ["transaction"]


def test_hook_look_up_person_takes_the_first_register_that_knows_the_number() -> None:
    known = RegisteredPerson({"resourceType": "Patient"}, earlier=("6101700001",))
    hooks = hooks_of(
        "look_up_person",
        lambda number: None,
        lambda system, number: known if number == "6101700002" else None,
        lambda: RegisteredPerson({}),
    )

    found = hooks.look_up_person(system="cpr", number="6101700002")

    assert found is known
    assert "61017" not in repr(found)


def test_hook_look_up_person_lets_out_that_a_register_cannot_be_asked() -> None:
    hooks = hooks_of("look_up_person", raising(Unavailable("register")), lambda: 1)

    with pytest.raises(Unavailable):
        hooks.look_up_person(system="cpr", number="6101700002")


def test_hook_look_up_content_takes_the_first_plugin_that_knows_the_url() -> None:
    kept = KeptContent(there=True, patient="Patient/1", episode="EpisodeOfCare/1")
    hooks = hooks_of(
        "look_up_content",
        lambda url: None,
        lambda context, url: kept if url == f"{context}/1" else None,
        lambda: KeptContent(there=False),
    )

    assert hooks.look_up_content(context="here", url="here/1") is kept
    assert hooks.look_up_content(context="here", url="here/2") == KeptContent(
        there=False
    )


def test_hook_describe_service_goes_on_without_a_plugin_that_fails() -> None:
    hooks = hooks_of(
        "describe_service",
        lambda service, statement: {**statement, "publisher": service},
        raising(KeyError("rest")),
        lambda statement: None,
    )
    kept = {"name": "Fhir"}

    told = hooks.describe_service(service="ward", statement=kept)

    assert told == {"name": "Fhir", "publisher": "ward"}
    assert kept == {"name": "Fhir"}


def test_hook_before_show_replaces_what_is_shown_and_never_fails_open(context) -> None:
    def mask(resource):
        return {**resource, "name": "masked"}

    hooks = hooks_of("before_show", mask, lambda resource: None)
    broken = hooks_of("before_show", raising(KeyError("name")), mask)
    kept = {"name": "Ada"}

    assert hooks.before_show(context=context, resource=kept) == {"name": "masked"}
    assert kept == {"name": "Ada"}
    with pytest.raises(KeyError):
        broken.before_show(context=context, resource=kept)


def test_hook_answered_asks_all_and_an_exception_goes_out(context) -> None:
    told = []
    hooks = hooks_of(
        "answered",
        lambda touched: told.append(touched),
        raising(Unavailable("no room for the log")),
    )
    version = Touched("Patient", "1", 2, "read")

    with pytest.raises(Unavailable, match="no room"):
        hooks.answered(context=context, session=None, status=200, touched=(version,))

    assert told == [(version,)]


def test_hook_deliver_gives_the_relay_one_function_for_each_plugin() -> None:
    got = []
    hooks = hooks_of(
        "deliver", raising(OSError("down")), lambda change: got.append(change)
    )
    deliveries = hooks.deliveries()
    deliveries["b"]("a change")

    assert list(deliveries) == ["a", "b"]
    assert got == ["a change"]
    with pytest.raises(OSError, match="down"):
        deliveries["a"]("a change")
    assert hooks.deliver[0].timing.failures == 1


def test_hook_evaluate_rules_takes_the_answer_of_the_first_engine_that_runs_a_source() -> (
    None
):
    red = RuleOutcome([RuleFinding("Observation/1", {"text": "red"})])
    hooks = hooks_of(
        "evaluate_rules", lambda library: None, lambda: red, lambda: RuleOutcome()
    )

    assert ask_rules(hooks) is red


def test_hook_evaluate_rules_without_an_engine_for_a_source_answers_nothing() -> None:
    assert ask_rules(hooks_of("evaluate_rules", lambda library: None)) is None
    assert ask_rules(Hooks()) is None


def test_hook_completed_swallows_everything(context) -> None:
    told = []
    hooks = hooks_of(
        "completed",
        raising(Refused("too late")),
        raising(OSError()),
        lambda status, seconds: told.append((status, seconds)),
    )
    hooks.completed(context=context, status=201, seconds=0.25)

    assert told == [(201, 0.25)]
