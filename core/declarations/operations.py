"""Operations that plugins offer: ``$name`` at system, type or instance level.

https://hl7.org/fhir/R4/operations.html. What an operation takes and gives is declared,
and its OperationDefinition and the checks of its input are made from that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from fyr.config.neighbours import neighbour
from fyr.core.errors import NotFound
from fyr.core.errors.plugins import PluginError

if TYPE_CHECKING:
    from fyr.core.context import RequestContext
    from fyr.core.errors import Issue
    from fyr.core.interactions import Interactions
    from fyr.core.interactions.acting import Acting
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Session

Level = Literal["system", "type", "instance"]


@dataclass(frozen=True, slots=True)
class OperationParameter:
    """One parameter, as https://hl7.org/fhir/R4/operationdefinition.html declares it.

    ``type`` is a FHIR type code (``string``, ``Coding``, ``Patient``, ``Resource``);
    empty for a parameter that is made of ``parts``.
    """

    name: str
    type: str = ""
    min: int = 0
    max: str = "1"
    use: Literal["in", "out"] = "in"
    documentation: str = ""
    parts: tuple[OperationParameter, ...] = ()
    #: another type that it is taken in, as earlier versions had it
    also: str = ""


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One call of an operation: who asks, about what, with which parameters."""

    context: RequestContext
    operation: Operation
    #: a ``Parameters`` resource, also when the call came by GET or with a plain body
    parameters: Resource
    #: does FHIR's interactions on behalf of the caller, with all their hooks
    interactions: Interactions
    resource_type: str | None = None
    resource_id: str | None = None
    #: the transaction of an operation that affects state
    session: Session | None = None
    #: what :attr:`Operation.prepare` has given
    prepared: Any = None
    #: texts that are not of their type, by the name of their parameter; only for an
    #: operation that judges what is unknown, which has to refuse them with all else
    malformed: Mapping[str, Issue] = field(default_factory=dict)

    def values(self, name: str) -> list[Any]:
        """Tell the values or resources of all parameters of a name, in their order."""
        return [
            _value(parameter)
            for parameter in self.parameters.get("parameter", [])
            if parameter.get("name") == name
        ]

    def value(self, name: str, default: Any = None) -> Any:
        """Tell the first value of a parameter; ``default`` when it was not given."""
        return next(iter(self.values(name)), default)

    def place(self, name: str) -> str:
        """Tell where the first parameter of a name stands, as FHIRPath for an issue.

        Without such a parameter it is the element that would hold it.
        """
        for number, parameter in enumerate(self.parameters.get("parameter", [])):
            if parameter.get("name") == name:
                return f"Parameters.parameter[{number}]"
        return "Parameters.parameter"

    def acting(self) -> Acting:
        """Read, find and store as Fyr itself, in the operation's transaction.

        One that does not affect state has none: it reads and finds.
        """
        return self._acting(as_caller=False)

    def on_behalf(self) -> Acting:
        """Do the same with the rights of the caller, by the rule of this operation."""
        return self._acting(as_caller=True)

    def _acting(self, *, as_caller: bool) -> Acting:
        from fyr.core.interactions.acting import Acting

        return Acting(
            self.interactions, self.session, cause=self.context, as_caller=as_caller
        )

    def shows(self, resource: Resource) -> None:
        """Say that the answer tells of a stored resource that is not in it.

        So that the hook :func:`~fyr.core.hooks.specs.answered`, hence an audit log,
        knows of it; what is in the answer, with its version, is known anyway.
        """
        self.interactions.note_shown(resource)

    def subject(self) -> Resource:
        """Read the resource that the operation was called on, as the caller may see it.

        :raises fyr.core.errors.FyrError: it is not there, gone, or not the caller's.
        """
        reading = self.context.inner("read", self.context.resource_type)
        return self.interactions.read(reading).resource()


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers that says more than a resource can.

    For one that goes on after its answer: 202, and where to ask how far it is.
    """

    status: int
    resource: Resource | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[OperationCall], "Resource | Reply | None"]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation and the function that does it.

    The handler answers a resource (``Parameters``, or the one resource that the
    operation returns), ``None`` for an answer without a body, or a :class:`Reply`; it
    raises the errors of :mod:`fyr.core.errors`.
    """

    #: without the ``$``
    name: str
    handler: Handler
    levels: frozenset[Level]
    #: resource types; empty: all of them, for the levels type and instance
    types: frozenset[str] = frozenset()
    #: whether it changes what is kept; one that does is called by POST only
    affects_state: bool = False
    #: whether one that does may be called by GET, too, to be told what it would do: its
    #: call has no transaction then
    previews: bool = False
    #: whether it tells itself what is wrong with the resources that it is given;
    #: otherwise a malformed one is refused before it is called
    judges_resources: bool = False
    #: whether it tells itself of parameters that are not declared, which it is then given
    #: as strings; otherwise one is refused, or left out if it begins with ``_``. It tells
    #: of ``OperationCall.malformed``, too, so that all problems are told at once
    judges_unknown: bool = False
    #: tells what else is wrong with ``Parameters`` that are not as declared, which it may
    #: be given with anything in them that is well formed, so that all is told at once
    judge: Callable[[Resource], Iterable[Issue]] | None = None
    #: does what takes long and needs no transaction, before that of an operation which
    #: affects state begins: others wait while it runs. Refuses by raising
    prepare: Callable[[OperationCall], Any] | None = None
    #: request headers that it goes by, found in ``call.context.headers``
    headers: tuple[str, ...] = ()
    #: canonical URL of its OperationDefinition; empty: the server's own
    definition: str = ""
    documentation: str = ""
    parameters: tuple[OperationParameter, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an operation that nobody could call.

        :raises ValueError: no level, or a name that is not one in a URL.
        """
        if not self.levels:
            raise ValueError(f"${self.name}: an operation needs a level")
        if not self.name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(
                f"{self.name!r}: give the name without $, in letters, digits, -"
            )

    @property
    def by_get(self) -> bool:
        """Whether it may be called by GET."""
        return self.previews or not self.affects_state

    @property
    def inputs(self) -> tuple[OperationParameter, ...]:
        """The parameters that a caller may give."""
        return tuple(one for one in self.parameters if one.use == "in")

    def serves(self, level: Level, resource_type: str | None) -> bool:
        """Whether it can be called at this level of this type."""
        if level not in self.levels:
            return False
        return level == "system" or not self.types or resource_type in self.types


class Operations:
    """The operations of an application."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        """Take what all plugins registered.

        :raises PluginError: two have one name for one type and level.
        """
        self._all = tuple(operations)
        problems = [
            f"two operations ${one.name} for one type and level"
            for one, other in combinations(self._all, 2)
            if _clash(one, other)
        ]
        if problems:
            raise PluginError(problems)

    def __iter__(self) -> Iterator[Operation]:
        """Go through all of them, in the order of registration."""
        return iter(self._all)

    def at(self, level: Level, resource_type: str | None = None) -> Sequence[Operation]:
        """Tell what can be called at a level of a type, by name."""
        found = [one for one in self._all if one.serves(level, resource_type)]
        return sorted(found, key=lambda one: one.name)

    def find(
        self, name: str, level: Level, resource_type: str | None = None
    ) -> Operation:
        """Tell the operation of a name (without ``$``) at a level of a type.

        :raises NotFound: there is none; the message names a neighbour.
        """
        offered = {one.name: one for one in self.at(level, resource_type)}
        if name not in offered:
            hint = neighbour(name, offered, "$")
            place = f"{level} level" + (f" of {resource_type}" if resource_type else "")
            raise NotFound(f"no operation ${name} at {place}{hint}")
        return offered[name]


def _clash(one: Operation, other: Operation) -> bool:
    if one.name != other.name:
        return False
    levels = one.levels & other.levels
    types_meet = not one.types or not other.types or bool(one.types & other.types)
    return "system" in levels or (bool(levels) and types_meet)


def _value(parameter: Resource) -> Any:
    """Tell what a parameter holds: value, resource, or its parts as they are."""
    for key, value in parameter.items():
        if key.startswith("value") or key in ("resource", "part"):
            return value
    return None
