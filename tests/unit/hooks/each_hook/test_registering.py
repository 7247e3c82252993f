"""Each hook by its name that is asked at the start: what plugins bring."""

import click
import pytest

from fyr.core.blobs.port import BlobStore
from fyr.core.clock import utc_now
from fyr.core.declarations.operations import Operation
from fyr.core.declarations.projections import Projection
from fyr.core.declarations.routes import Route
from fyr.core.declarations.services import Service
from fyr.core.errors.catalogue import ErrorCode
from fyr.core.errors.plugins import PluginError
from fyr.core.events import Consumer
from fyr.core.jobs import Job
from fyr.core.messages import MessageSource
from fyr.core.outgoing import Sender
from fyr.core.searching import SearchEngine
from fyr.core.streams import Stream
from fyr.core.workflow import Machine, Step, Timer

from .plugins import hooks_of, raising


class Hello:
    def on_get(self, req, resp): ...


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
