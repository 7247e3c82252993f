"""A plugin that misbehaves in a hook of the start: what the others get.

What it gives is needed for the server to stand, so that a failure ends the start, with
the plugin's name; and nothing of it is left in a process that goes on.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Plugin, hookimpl
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.loading import load_plugins
from fyr.core.hooks.markers import Moment
from fyr.core.hooks.specs import RULES, SPECIFICATIONS
from fyr.core.testing import FakeClock
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.contracts.threads import left_since

HOOKS = [name for name, rule in RULES.items() if rule.moment is Moment.START]
#: Asked by who serves streams or has a reporting index, and by the command line.
ELSEWHERE = {"register_streams", "register_projections", "register_commands"}


def raises() -> Any:
    raise RuntimeError("no such file")


def gives_a_number() -> Any:
    return 7


def gives_odd_things() -> Any:
    return [object()]


def leaves() -> Any:
    sys.exit("good night")


def plugin_of(hook: str, body: Callable[[], Any]) -> type[Plugin]:
    """Make a plugin that has one hook, with all its arguments."""
    names = ", ".join(inspect.signature(SPECIFICATIONS[hook]).parameters)
    space: dict[str, Any] = {"body": body}
    exec(f"def {hook}({names}): return body()", space)
    return type("Bad", (Plugin,), {hook: staticmethod(hookimpl(space[hook]))})


def stands(folder: Path, plugins: dict[str, type[Plugin]]) -> list[int]:
    """Start a server, all of a worker included, and use it."""
    with application(settings_with({}, folder), FakeClock(), plugins) as built:
        client = client_of(built)
        put = client.put("/fhir/Patient/1", {"resourceType": "Patient", "id": "1"})
        built.worker().drain()
        return [put.status, client.get("/fhir/Patient/1").status]


@pytest.mark.parametrize("hook", sorted(set(HOOKS) - ELSEWHERE))
@pytest.mark.parametrize("misdeed", [raises, leaves, gives_a_number, gives_odd_things])
def test_a_server_does_not_start_with_it_and_says_whose_fault_it_is(
    tmp_path: Path, hook: str, misdeed: Callable[[], Any]
) -> None:
    with pytest.raises(PluginError, match=f"plugin bad: {hook}: ") as told:
        stands(tmp_path, {"bad": plugin_of(hook, misdeed)})

    assert len(told.value.problems) == 1
    assert stands(tmp_path, {}) == [201, 200]


@pytest.mark.parametrize(
    ("hook", "port"),
    [("provide_blob_store", "BlobStore"), ("provide_search", "SearchEngine")],
)
def test_what_is_no_port_is_told_with_what_it_lacks(
    tmp_path: Path, hook: str, port: str
) -> None:
    with pytest.raises(PluginError, match=f"gives a int, not a {port}: no "):
        stands(tmp_path, {"bad": plugin_of(hook, gives_a_number)})


@pytest.mark.parametrize("hook", sorted(ELSEWHERE))
def test_who_never_asks_it_stands(tmp_path: Path, hook: str) -> None:
    plugins = {"bad": plugin_of(hook, raises)}

    assert stands(tmp_path, plugins) == [201, 200]
    hooks = load_plugins(settings_with({}, tmp_path), plugins=plugins).hooks
    with pytest.raises(PluginError, match="bad"):
        getattr(hooks, hook)()


def test_threads_of_a_start_that_failed_are_gone(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    for hook in HOOKS:
        if hook not in ELSEWHERE:
            with pytest.raises(PluginError):
                stands(tmp_path, {"bad": plugin_of(hook, raises)})

    assert left_since(before) == set()
