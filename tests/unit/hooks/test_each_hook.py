"""Each hook by its name: when its plugins are asked, what becomes of their answers."""

import click
import pytest

from fyr.core import hookimpl
from fyr.core.blobs.port import BlobStore
from fyr.core.clock import utc_now
from fyr.core.context import Principal, Touched
from fyr.core.declarations.operations import Operation
from fyr.core.declarations.projections import Projection
from fyr.core.declarations.routes import Route
from fyr.core.declarations.services import Service
from fyr.core.errors import Forbidden, Issue, Refused, Unauthenticated, Unavailable
from fyr.core.errors.catalogue import ErrorCode
from fyr.core.errors.plugins import PluginError
from fyr.core.events import Consumer
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.values.kept import KeptContent
from fyr.core.hooks.values.persons import RegisteredPerson
from fyr.core.hooks.values.rules import RuleFinding, RuleInput, RuleLimits, RuleOutcome
from fyr.core.hooks.values.subjects import Subject
from fyr.core.jobs import Job
from fyr.core.messages import MessageSource
from fyr.core.outgoing import Sender
from fyr.core.searching import SearchAsked, SearchEngine
from fyr.core.streams import Stream
from fyr.core.workflow import Machine, Step, Timer

ADA = Principal("PRACTITIONER", "ada")


class Hello:
    def on_get(self, req, resp): ...


def plugin(**implementations):
    """Make a plugin of functions named as hooks."""
    functions = {
        name: staticmethod(hookimpl(body)) for name, body in implementations.items()
    }
    return type("Made", (), functions)()


def hooks_of(hook, *functions):
    """Make hooks of plugins a, b, c, ... that implement one hook each."""
    return Hooks(
        {
            name: plugin(**{hook: body})
            for name, body in zip("abcd", functions, strict=False)
        }
    )


def raising(error):
    def body():
        raise error

    return body


def ask_rules(hooks):
    return hooks.evaluate_rules(
        library={"resourceType": "Library"},
        asked=RuleInput([], utc_now()),
        limits=RuleLimits(),
    )


def test_hook_register_services_collects_from_all_plugins() -> None:
    one, other = (Service(name, name, name, types={}) for name in ("plan", "task"))
    hooks = hooks_of("register_services", lambda settings: [one], lambda: [other])

    assert hooks.register_services(settings=None) == [one, other]


def test_hook_register_operations_collects_what_a_generator_gives() -> None:
    greet = Operation("greet", lambda call: None, frozenset({"system"}))

    def generator():
        yield greet

    hooks = hooks_of("register_operations", generator, lambda: None)

    assert hooks.register_operations() == [greet]


def test_hook_register_operations_that_fails_stops_the_start_and_names_the_plugin() -> (
    None
):
    hooks = hooks_of("register_operations", raising(ValueError("no name")))

    with pytest.raises(PluginError) as told:
        hooks.register_operations()
    assert told.value.problems == ["plugin a: register_operations: ValueError: no name"]


def test_hook_register_routes_collects_from_all_plugins() -> None:
    route = Route("/hello", Hello(), "Says hello.")
    hooks = hooks_of("register_routes", lambda: [route], lambda: [])

    assert hooks.register_routes() == [route]


def test_hook_register_error_codes_collects_from_all_plugins() -> None:
    one, other = (ErrorCode(f"GATE_{name}", 422, "no", "gate") for name in "AB")
    hooks = hooks_of("register_error_codes", lambda: [one], lambda: [other])

    assert hooks.register_error_codes() == [one, other]


def test_hook_register_machines_collects_from_all_plugins() -> None:
    one, other = (Machine(name, "Task", (Step(None, "draft"),)) for name in "ab")
    hooks = hooks_of("register_machines", lambda: [one], lambda: [other])

    assert hooks.register_machines() == [one, other]


def test_hook_register_search_parameters_collects_resources() -> None:
    parameter = {"resourceType": "SearchParameter", "code": "eye-colour"}
    hooks = hooks_of("register_search_parameters", lambda: [parameter])

    assert hooks.register_search_parameters() == [parameter]


def test_hook_register_projections_collects_from_all_plugins() -> None:
    one, other = Projection("Patient", ()), Projection("Task", ())
    hooks = hooks_of("register_projections", lambda: [one], lambda: [other])

    assert hooks.register_projections() == [one, other]


def test_hook_register_consumers_collects_from_all_plugins() -> None:
    one, other = (Consumer(name, lambda change: None) for name in "ab")
    hooks = hooks_of("register_consumers", lambda: [one], lambda: [other])

    assert hooks.register_consumers(settings=None, database=None) == [one, other]


def test_hook_register_message_sources_collects_from_all_plugins() -> None:
    one, other = (MessageSource(name, lambda change: ()) for name in "ab")
    hooks = hooks_of("register_message_sources", lambda: [one], lambda: [other])

    assert hooks.register_message_sources(settings=None) == [one, other]


def test_hook_register_streams_collects_from_all_plugins() -> None:
    one, other = (Stream(f"/{name}", "", lambda _: (), None) for name in "ab")
    hooks = hooks_of("register_streams", lambda: [one], lambda: [other])

    assert hooks.register_streams() == [one, other]


def test_hook_register_jobs_collects_from_all_plugins() -> None:
    nightly = Job("nightly", lambda context: None)
    hooks = hooks_of("register_jobs", lambda: [nightly], lambda: None)

    assert hooks.register_jobs() == [nightly]


def test_hook_register_timers_collects_from_all_plugins() -> None:
    one, other = (Timer(name, lambda acting, fired: None) for name in "ab")
    hooks = hooks_of("register_timers", lambda: [one], lambda: [other])

    assert hooks.register_timers() == [one, other]


def test_hook_register_senders_collects_from_all_plugins() -> None:
    webhook = Sender("webhook", lambda messages: None)
    hooks = hooks_of("register_senders", lambda: [webhook], lambda: None)

    assert hooks.register_senders() == [webhook]


def test_what_is_no_item_of_a_hook_is_refused_with_the_name_of_the_plugin() -> None:
    hooks = hooks_of("register_senders", lambda: [], lambda: ["webhook"])

    with pytest.raises(PluginError, match=r"plugin b: .* gives a str, not a Sender"):
        hooks.register_senders()


def test_hook_register_commands_collects_click_commands() -> None:
    command = click.Command("sms")
    hooks = hooks_of("register_commands", lambda: [command])

    assert hooks.register_commands() == [command]


def shaped_as(port):
    """Make an object that has all the names of a port."""
    names = {name: None for name in vars(port) if name[0] != "_"}
    return type("Shaped", (), names)()


def test_hook_provide_search_takes_the_first_engine() -> None:
    engine = shaped_as(SearchEngine)
    hooks = hooks_of(
        "provide_search", lambda: None, lambda database: engine, raising(OSError())
    )
    given = hooks.provide_search(
        settings=None, database="sqlite", clock=utc_now, search_parameters=[]
    )

    assert given is engine


def test_hook_provide_blob_store_takes_the_first_store() -> None:
    tape = shaped_as(BlobStore)
    hooks = hooks_of(
        "provide_blob_store", lambda: None, lambda: tape, raising(OSError())
    )

    assert hooks.provide_blob_store(settings=None) is tape


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
