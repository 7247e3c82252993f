"""Where a resource stands: its state, what may come next and for whom, what waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fyr.core.clock import to_millis
from fyr.core.context import SYSTEM, Principal, RequestContext
from fyr.core.errors import FyrError, Gone, Issue, NotFound
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.json import own
from fyr.core.workflow.machine import ANYBODY, Machine, Step
from fyr.core.workflow.schedules import Planned, planned
from fyr.core.workflow.timers import TimerState
from fyr.core.workflow.transition import Transition

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Session


@dataclass(frozen=True, slots=True)
class Next:
    """A row that may be next, and what stands in its way."""

    step: Step
    #: users to whom the same is told
    users: tuple[str, ...]
    #: nothing: it may be made now
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A resource in one machine."""

    machine: Machine
    state: str
    following: Sequence[Next]
    planned: Sequence[Planned]


@dataclass(frozen=True, slots=True)
class Access:
    """What plugins say that users need to write a resource; nothing: they may not."""

    service: str
    #: ``update``, or ``$name`` of an operation
    interaction: str
    user: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A resource in all machines that hold for it, and its timers."""

    reference: str
    #: what it is called: text, display or code of its ``code``, or title or description
    title: str
    version: int
    standings: Sequence[Standing]
    #: its own, then those of others that will act on it
    timers: Sequence[TimerState]
    #: what plugins say of it, were it stored again as it is
    told: Sequence[Issue] = ()
    #: by whom it may be written, beside what the tables say
    access: Sequence[Access] = ()


def explain(
    application: Application, reference: str, users: Set[str] = ANYBODY
) -> Explained:
    """Tell where a resource stands; nothing is changed.

    Guards are asked with a made-up user of each type that a row names, and the resource
    as it is with another state: what an edit beside it would bring they cannot know.
    Access control tells what it asks for: whether somebody has it depends on their token.

    :param reference: ``Task/1``, or the URL of it here. Of a version, the newest one is
        told: a resource stands nowhere else.
    :param users: types of users who are told of.
    :raises NotFound: there is no such resource.
    :raises Gone: it has been deleted.
    """
    reference, asked = _local(application, reference), reference
    kind, _, identity = reference.partition("/")
    stored = application.resources.read(kind, identity)
    if stored is None:
        is_local = kind in RESOURCE_TYPES and identity and "/" not in identity
        hint = "" if is_local else ": name a resource of this server, such as Task/1"
        raise NotFound(f"no {asked}{hint}")
    if stored.body is None:
        raise Gone(f"{reference} has been deleted")
    resource = own(stored.body)

    def work(session: Session) -> list[Standing]:
        return [
            _standing(application, session, machine, resource, users)
            for machine in application.machines.about(resource)
        ]

    standings = application.database.read(work)
    timers = [*application.timers.of(reference), *_elsewhere(application, resource)]
    told = _told(application, resource)
    access = [
        *_access(application, resource, standings),
        *_calls(application, resource, users),
    ]
    return Explained(
        reference, _title(resource), stored.version, standings, timers, told, access
    )


def _elsewhere(application: Application, resource: Resource) -> Iterator[TimerState]:
    """Tell the timers of others that will act on a resource, by time."""
    from fyr.core.interactions.acting import Acting

    reading, found = Acting(application.interactions), []
    for kind in application.timers.kinds.values():
        for subject in kind.acts_on(reading, resource) if kind.acts_on else ():
            waiting = application.timers.of(subject)
            found += [one for one in waiting if one.name == kind.name]
    yield from sorted(found, key=lambda one: (one.failed, one.due, one.id))


def _local(application: Application, reference: str) -> str:
    """Give ``Task/1`` for a URL of this server, and for a version; else what was given."""
    services = application.services
    base = f"{application.settings.server.root}/{services.everything.path}"
    found = services.own(reference, services.everything, base) or reference
    match found.split("/"):
        case [kind, identity, "_history", version] if version:
            return f"{kind}/{identity}"
    return found


def _access(
    application: Application, resource: Resource, standings: Sequence[Standing]
) -> Iterator[Access]:
    """Ask what users need to make what may be next, at each service that offers it."""
    following = [one for standing in standings for one in standing.following]
    asked = {
        (interaction, user)
        for one in following
        for interaction in (("update", "patch") if one.step.end else ("delete",))
        for user in one.users
    }
    ask, kind = application.hooks.explain_access, resource["resourceType"]
    for service in application.services if ask else ():
        for interaction, user in sorted(asked):
            if service.offers(kind, interaction):
                writing = _writing(application, resource, interaction, _made_up(user))
                needs = ask(context=replace(writing, service=service))
                yield Access(service.name, interaction, user, tuple(needs))


def _calls(
    application: Application, resource: Resource, users: Set[str]
) -> Iterator[Access]:
    """Ask what users need to call the operations on it that change what is kept."""
    ask, kind = application.hooks.explain_access, resource["resourceType"]
    found = application.operations.at("instance", kind)
    names = [one.name for one in found if one.affects_state]
    for service in application.services if ask else ():
        for name in names if kind in service.types else ():
            for user in sorted(users) if service.offers_operation(name, kind) else ():
                calling = replace(
                    _writing(application, resource, "operation", _made_up(user)),
                    service=service,
                    operation=name,
                )
                needs = tuple(ask(context=calling))
                yield Access(service.name, f"${name}", user, needs)


def _made_up(user: str) -> Principal:
    return SYSTEM if user == "SYSTEM" else Principal(user, "explained")


def _told(application: Application, resource: Resource) -> Sequence[Issue]:
    ask = application.hooks.validate
    return (
        ask(context=_writing(application, resource), resource=resource) if ask else ()
    )


def _writing(
    application: Application,
    resource: Resource,
    interaction: str = "update",
    principal: Principal = SYSTEM,
) -> RequestContext:
    return RequestContext(
        application.services.everything,
        interaction,
        resource["resourceType"],
        resource["id"],
        principal=principal,
        now=application.clock(),
    )


def _title(resource: Resource) -> str:
    concept = resource.get("code")
    if not isinstance(concept, dict):
        said = resource.get("title") or resource.get("description")
        return said if isinstance(said, str) else ""
    codings = concept.get("coding", [])
    found = (concept.get("text"), *(one.get("display") for one in codings))
    codes = (one.get("code") for one in codings)
    return str(next(filter(None, (*found, *codes)), ""))


def _standing(
    application: Application,
    session: Session,
    machine: Machine,
    resource: Resource,
    users: Set[str],
) -> Standing:
    state = machine.state_of(resource)
    following = [
        one
        for step in machine.after(state)
        for one in _next(application, session, machine, resource, step, users)
    ]
    plan = planned(resource, machine.schedule) if machine.schedule is not None else []
    return Standing(machine, state, following, plan)


def _next(
    application: Application,
    session: Session,
    machine: Machine,
    resource: Resource,
    step: Step,
    users: Set[str],
) -> list[Next]:
    """Ask the guards of a row for each type of user, and join those who hear the same."""
    heard: dict[tuple[str, ...], list[str]] = {}
    for user in sorted(step.by & users):
        problems = _asked(application, session, machine, resource, step, user)
        heard.setdefault(problems, []).append(user)
    return [Next(step, tuple(names), told) for told, names in heard.items()]


def _asked(
    application: Application,
    session: Session,
    machine: Machine,
    resource: Resource,
    step: Step,
    user: str,
) -> tuple[str, ...]:
    new = None
    if step.end is not None:
        new = deepcopy(resource)
        try:
            machine.set_state(new, step.end)
        except TypeError:
            return ("nobody can say without the write itself",) if step.when else ()
    kind, identity = resource["resourceType"], resource["id"]
    transition = Transition(
        machine=machine,
        step=step,
        context=_writing(
            application,
            resource,
            "update" if new is not None else "delete",
            _made_up(user),
        ),
        session=session,
        old=resource,
        new=new,
        start=step.start,
        end=step.end,
        now=to_millis(application.clock()),
        interactions=application.interactions,
        together={f"{kind}/{identity}": new},
    )
    guards = [*step.when, *(machine.when if new is not None else ())]
    try:
        found = [problem for guard in guards for problem in guard(transition)]
    except Exception as error:
        return (f"a guard cannot be asked without the write ({type(error).__name__})",)
    return tuple(text for problem in found for text in _sentences(problem))


def _sentences(problem: FyrError | Issue) -> list[str]:
    issues = problem.issues if isinstance(problem, FyrError) else (problem,)
    return [_sentence(one) for one in issues]


def _sentence(issue: Issue) -> str:
    """Tell a problem with its path and its code, where it has them."""
    beside = [*issue.expression, *([issue.error_code] if issue.error_code else [])]
    return f"{issue.diagnostics} ({', '.join(beside)})" if beside else issue.diagnostics
