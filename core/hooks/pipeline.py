"""The hooks of one application, each the row of plugins that implement it.

Built once at start. A hook that nobody implements is empty and hence false, so that
``if hooks.before_store: hooks.before_store(context=context, ...)`` costs one test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy

from fyr.config.neighbours import neighbour
from fyr.core.clock import Clock, utc_now
from fyr.core.context import Principal
from fyr.core.errors import Issue
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks import specs, start_specs
from fyr.core.hooks.in_turn import Alone, InTurn
from fyr.core.hooks.isolation import PATIENCE, Implementation, Patience
from fyr.core.hooks.markers import PROJECT, Answer, order_of
from fyr.core.hooks.order import arranged
from fyr.core.hooks.specs import RULES, SPECIFICATIONS, Params

if TYPE_CHECKING:
    import click

    from fyr.core.blobs.port import BlobStore
    from fyr.core.declarations.operations import Operation
    from fyr.core.declarations.projections import Projection
    from fyr.core.declarations.routes import Route
    from fyr.core.declarations.services import Service
    from fyr.core.errors.catalogue import ErrorCode
    from fyr.core.events import Change, Consumer
    from fyr.core.hooks.values.kept import KeptContent
    from fyr.core.hooks.values.persons import RegisteredPerson
    from fyr.core.hooks.values.rules import RuleOutcome
    from fyr.core.jobs import Job
    from fyr.core.messages import MessageSource
    from fyr.core.model.resource import Resource
    from fyr.core.outgoing import Sender
    from fyr.core.searching import SearchEngine
    from fyr.core.streams import Stream
    from fyr.core.workflow import Machine, Timer

R = TypeVar("R")


class HookChain(tuple[Implementation, ...], Generic[R]):
    """The implementations of one hook in the order in which they are asked.

    Call it with all arguments of the hook, by name.
    """

    name: str
    arguments: tuple[str, ...]
    #: The same with a dictionary of exactly these arguments, which is not looked at: for
    #: hooks that each read passes, where the call would cost as much as the answer.
    ask: Callable[[dict[str, Any]], R]
    _number: int

    @classmethod
    def of(cls, name: str, implementations: Iterable[Implementation]) -> HookChain[R]:
        """Join implementations that are already in order."""
        chain = cls(implementations)
        chain.name = name
        chain.arguments = _arguments(name)
        chain._number = len(chain.arguments)
        chain.ask = _asking(chain, RULES[name].answer)
        return chain

    def __call__(self, **arguments: Any) -> R:
        """Ask the plugins by the hook's rule."""
        if len(arguments) != self._number:
            missing = ", ".join(sorted(arguments.keys() ^ set(self.arguments)))
            raise TypeError(f"{self.name}: missing or unknown arguments: {missing}")
        return self.ask(arguments)

    @property
    def plugins(self) -> list[str]:
        """Names of the plugins, first to last."""
        return [one.plugin for one in self]


def _asking(chain: HookChain[Any], answer: Answer) -> Callable[[dict[str, Any]], Any]:
    """Tell how implementations are asked; most hooks have one, and requests pass many.

    Methods and not the objects themselves, which take twice as long to call.
    """
    if len(chain) == 1:
        (one,) = chain
        if Alone.fits(one):
            return Alone(one).__call__
        if answer is Answer.FIRST:
            return one.ask
    if answer is Answer.NONE:
        return InTurn(chain).__call__
    return partial(_COMBINE[answer], chain)


def _first(chain: HookChain[Any], arguments: dict[str, Any]) -> Any:
    for one in chain:
        answer = one.ask(arguments)
        if answer is not None:
            return answer
    return None


def _collect(chain: HookChain[Any], arguments: dict[str, Any]) -> list[Any]:
    return [item for one in chain for item in one.ask(arguments) or ()]


def _replace(chain: HookChain[Any], arguments: dict[str, Any]) -> Any:
    argument = RULES[chain.name].replaces
    for one in chain:
        answer = one.ask(arguments)
        if answer is not None:
            arguments[argument] = answer
    return arguments[argument]


_COMBINE: Mapping[Answer, Callable[[HookChain[Any], dict[str, Any]], Any]] = {
    Answer.FIRST: _first,
    Answer.COLLECT: _collect,
    Answer.REPLACE: _replace,
}


class Hooks:
    """All hooks of one application; ``Hooks()`` has no plugin."""

    register_services: HookChain[list[Service]]
    register_operations: HookChain[list[Operation]]
    register_routes: HookChain[list[Route]]
    register_error_codes: HookChain[list[ErrorCode]]
    register_machines: HookChain[list[Machine]]
    register_search_parameters: HookChain[list[Resource]]
    register_projections: HookChain[list[Projection]]
    register_consumers: HookChain[list[Consumer]]
    register_message_sources: HookChain[list[MessageSource]]
    register_streams: HookChain[list[Stream]]
    register_jobs: HookChain[list[Job]]
    register_timers: HookChain[list[Timer]]
    register_senders: HookChain[list[Sender]]
    register_commands: HookChain[list[click.Command]]
    provide_search: HookChain[SearchEngine | None]
    provide_blob_store: HookChain[BlobStore | None]
    request_received: HookChain[None]
    authenticate: HookChain[Principal | None]
    authorize: HookChain[None]
    narrow_search: HookChain[Params]
    authorize_search: HookChain[None]
    authorize_resource: HookChain[None]
    explain_access: HookChain[list[str]]
    before_interaction: HookChain[None]
    validate: HookChain[list[Issue]]
    before_store: HookChain[None]
    stored: HookChain[None]
    look_up_person: HookChain[RegisteredPerson | None]
    look_up_content: HookChain[KeptContent | None]
    describe_service: HookChain[Resource]
    before_show: HookChain[Resource]
    answered: HookChain[None]
    deliver: HookChain[None]
    evaluate_rules: HookChain[RuleOutcome | None]
    completed: HookChain[None]

    def __init__(
        self,
        plugins: Mapping[str, object] | None = None,
        *,
        patience: Patience = PATIENCE,
        clock: Clock = utc_now,
    ) -> None:
        """Find the implementations of plugins and put them in order.

        :param plugins: modules or objects by plugin name.
        :raises PluginError: an unknown hook or argument, or a cycle in the order.
        """
        manager = pluggy.PluginManager(PROJECT)
        for module in (start_specs, specs):
            manager.add_hookspecs(module)
        problems = [
            problem
            for name, plugin in (plugins or {}).items()
            for problem in _register(manager, name, plugin)
        ]
        for hook in RULES:
            try:
                found = _implementations(manager, hook, patience, clock)
                setattr(self, hook, HookChain.of(hook, found))
            except PluginError as error:
                problems += error.problems
        if problems:
            raise PluginError(problems)

    def __iter__(self) -> Iterator[HookChain[Any]]:
        """Go through the hooks in the order of their specifications."""
        return (getattr(self, name) for name in RULES)

    def on_failure(self, told: Callable[[str, str], None]) -> None:
        """Have each failure told, by plugin and hook; a refusal is none."""
        for chain in self:
            for implementation in chain:
                implementation.on_failure = told

    def deliveries(self) -> dict[str, Callable[[Change], None]]:
        """Tell, by plugin, how to hand it a change; each raises what the plugin raises.

        For the relay, which gives every plugin a cursor of its own.
        """
        return {one.plugin: partial(_hand_over, one) for one in self.deliver}


def _hand_over(implementation: Implementation, change: Change) -> None:
    implementation.attempt({"change": change})


def _arguments(hook: str) -> tuple[str, ...]:
    return tuple(inspect.signature(SPECIFICATIONS[hook]).parameters)


def _register(manager: pluggy.PluginManager, name: str, plugin: object) -> list[str]:
    """Register a plugin, or tell all that is wrong with its hooks."""
    problems = [
        f"plugin {name}: {problem}"
        for attribute in dir(plugin)
        if (options := manager.parse_hookimpl_opts(plugin, attribute)) is not None
        for problem in _faults(attribute, getattr(plugin, attribute), options)
    ]
    if not problems:
        manager.register(plugin, name)
    return problems


def _faults(
    hook: str, function: Callable[..., Any], options: pluggy.HookimplOpts
) -> Iterator[str]:
    if hook not in RULES:
        yield f"no such hook: {hook}{neighbour(hook, RULES)}"
        return
    if options.get("wrapper") or options.get("hookwrapper"):
        yield f"{hook}: wrappers are not supported"
    offered = _arguments(hook)
    for argument in inspect.signature(function).parameters:
        if argument not in offered:
            has = ", ".join(offered) or "none"
            yield f"{hook}: no such argument: {argument} (it has: {has})"


def _implementations(
    manager: pluggy.PluginManager, hook: str, patience: Patience, clock: Clock
) -> list[Implementation]:
    found = {
        one.plugin_name: one for one in getattr(manager.hook, hook).get_hookimpls()
    }
    orders = {name: order_of(one.function) for name, one in found.items()}
    return [
        Implementation(
            name,
            hook,
            RULES[hook],
            found[name].function,
            found[name].argnames,
            patience=patience,
            clock=clock,
        )
        for name in arranged(hook, orders)
    ]
