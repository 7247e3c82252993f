"""How implementations are found, asked and joined."""

import sys

import pytest

from fyr.core import hookimpl
from fyr.core.errors import Refused
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks import pipeline, specs, start_specs
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.specs import RULES


class Misspelt:
    @hookimpl
    def before_stor(self, new): ...

    @hookimpl
    def validate(self, ressource): ...


class Narrow:
    @hookimpl(after=["wide"])
    def authorize(self, context):
        context.state["asked"] = [*context.state.get("asked", []), "narrow"]


class Wide:
    @hookimpl
    def authorize(self, context):
        context.state["asked"] = [*context.state.get("asked", []), "wide"]


def test_the_class_names_every_specified_hook_and_no_other() -> None:
    assert list(Hooks.__annotations__) == list(RULES)


def test_every_specification_of_the_module_has_a_rule() -> None:
    written = [
        name
        for module in (start_specs, specs)
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "fyr_spec", None) is not None
    ]

    assert list(RULES) == written


def test_a_hook_that_nobody_implements_is_false() -> None:
    assert not any(Hooks())


def test_an_unused_hook_runs_no_python_code() -> None:
    """The guard of a hook is one test of an empty tuple, in C."""
    hooks = Hooks()
    entered = []
    sys.setprofile(lambda frame, event, arg: entered.append(event))
    used = bool(hooks.before_store)
    sys.setprofile(None)

    assert not used
    assert "call" not in entered


def test_a_misspelt_hook_or_argument_is_named_and_so_are_the_right_ones() -> None:
    with pytest.raises(PluginError) as told:
        Hooks({"mine": Misspelt()})

    assert told.value.problems == [
        "plugin mine: no such hook: before_stor; did you mean before_store?",
        "plugin mine: validate: no such argument: ressource (it has: context, resource)",
    ]


def test_all_plugins_problems_are_told_at_once() -> None:
    with pytest.raises(PluginError) as told:
        Hooks({"one": Misspelt(), "two": Misspelt()})

    assert len(told.value.problems) == 4


def test_plugins_are_asked_in_the_order_that_they_ask_for(context) -> None:
    hooks = Hooks({"narrow": Narrow(), "wide": Wide()})
    hooks.authorize(context=context)

    assert hooks.authorize.plugins == ["wide", "narrow"]
    assert context.state["asked"] == ["wide", "narrow"]


def test_a_cycle_stops_the_start() -> None:
    class Circular:
        @hookimpl(before=["narrow"], after=["narrow"])
        def authorize(self): ...

    with pytest.raises(PluginError, match="authorize: plugins wait for each other"):
        Hooks({"narrow": Narrow(), "circular": Circular()})


def test_a_call_without_an_argument_of_the_hook_is_a_programming_error(context) -> None:
    hooks = Hooks({"wide": Wide()})

    with pytest.raises(TypeError, match=r"before_store: .*: new"):
        hooks.before_store(context=context, session=None, old=None)
    with pytest.raises(TypeError, match=r"authorize: .*: contxt"):
        hooks.authorize(context=context, contxt=context)


def test_a_wrapper_of_pluggy_is_refused() -> None:
    class Wrapper:
        @pipeline.pluggy.HookimplMarker("fyr")(wrapper=True)
        def authorize(self):
            yield

    with pytest.raises(PluginError, match="authorize: wrappers are not supported"):
        Hooks({"wrapper": Wrapper()})


def test_two_applications_do_not_share_plugins_or_counters(context) -> None:
    plugin = Wide()
    one, other = Hooks({"wide": plugin}), Hooks({"wide": plugin})
    one.authorize(context=context)

    assert (one.authorize[0].timing.calls, other.authorize[0].timing.calls) == (1, 0)


def test_a_refusal_is_an_answer_and_not_a_failure_of_the_plugin(context) -> None:
    class Strict:
        @hookimpl
        def before_store(self, new):
            raise Refused("no")

    hooks = Hooks({"strict": Strict()})
    with pytest.raises(Refused):
        hooks.before_store(context=context, session=None, old=None, new={})

    timing = hooks.before_store[0].timing
    assert (timing.calls, timing.failures) == (1, 0)


def test_every_chain_declares_the_type_that_its_rule_gives() -> None:
    """A hook that collects gives a list, one that asks only gives nothing."""
    source = Hooks.__annotations__
    collecting = {name for name, rule in RULES.items() if rule.answer == "collect"}
    telling = {name for name, rule in RULES.items() if rule.answer == "none"}

    assert {name for name, text in source.items() if "[list[" in text} == collecting
    assert {
        name for name, text in source.items() if text == "HookChain[None]"
    } == telling
