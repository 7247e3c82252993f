"""Every hook, in the order in which a server and then a request meet them.

Those of the start are in :mod:`fyr.core.hooks.start_specs`.

``docs/hooks.md`` is generated from here: a docstring says what an implementation
gives, when it is called, who else is asked, what its answer and its exception do.
A resource is parsed JSON, a ``dict``; its decimals keep the digits they were sent with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fyr.core.hooks import start_specs
from fyr.core.hooks.markers import Rule, hookspec, rule_of

if TYPE_CHECKING:
    from fyr.core.context import Principal, RequestContext, Touched
    from fyr.core.declarations.services import Service
    from fyr.core.errors import Issue
    from fyr.core.events import Change
    from fyr.core.hooks.values.kept import KeptContent
    from fyr.core.hooks.values.persons import RegisteredPerson
    from fyr.core.hooks.values.rules import RuleInput, RuleLimits, RuleOutcome
    from fyr.core.hooks.values.subjects import Look, Subject, Use
    from fyr.core.model.resource import Resource
    from fyr.core.searching import SearchAsked
    from fyr.core.store.port import Session

Params = Sequence[tuple[str, str]]


@hookspec("isolate")
def request_received(context: RequestContext) -> None:
    """Look at a request before anything is known about its sender, or turn it away.

    Called once for each HTTP request to a service, before :func:`authenticate`, and
    not for the entries of a bundle. All plugins are asked in turn. A
    :class:`~fyr.core.errors.FyrError` ends the request; any other exception is
    isolated and the request goes on, so what must hold belongs to
    :func:`authenticate` or :func:`authorize`.

    :param context: service, interaction and query; the principal is not known yet.
    """


@hookspec("abort", "first")
def authenticate(context: RequestContext) -> Principal | None:
    """Tell who sends a request, or that this plugin cannot tell.

    Called once for each request after :func:`request_received`, and not for the
    entries of a bundle, which inherit the principal. The first answer decides;
    without any, a server in open mode goes on with the anonymous principal and a
    closed one answers 401. Raise :class:`~fyr.core.errors.Unauthenticated` for
    credentials that do not hold: nobody else is asked.

    :param context: ``authorization`` is the header as it was sent.
    """


@hookspec("abort")
def authorize(context: RequestContext) -> None:
    """Refuse what the principal may not do.

    Called for every interaction, the entries of a bundle each on its own, before
    anything is read or parsed. All plugins are asked and all must let it pass; the
    first to raise :class:`~fyr.core.errors.Forbidden` ends it. Which rows a search
    may find is for :func:`narrow_search`, what of a resource may be seen for
    :func:`before_show`.

    :param context: principal, interaction, type and id.
    """


@hookspec("abort", "replace", replaces="params")
def narrow_search(
    context: RequestContext, resource_type: str | None, params: Params
) -> Params | None:
    """Give the parameters of a search in another form, for instance narrower.

    Called for every search, that of conditional interactions included, before the
    query is parsed. Each plugin is given what the one before it answered; ``None``
    leaves it. An exception ends the search.

    :param context: ``compartment`` is the type and id of what a search is limited to.
    :param resource_type: the type that is searched; ``None`` for a search over all.
    :param params: names and values as sent, ``_count`` and the like included.
    """


@hookspec("abort")
def authorize_search(context: RequestContext, asked: SearchAsked, look: Look) -> None:
    """Refuse a search by what it is about, once it is understood.

    Called for every search, that of conditional interactions and conditional references
    included, after the query was parsed and before anything is found. ``asked`` is taken
    from the criteria as the engine will answer them, so nothing that decides about the
    matches is missing in it. All plugins are asked; the first to raise
    :class:`~fyr.core.errors.Forbidden` ends the search.

    :param asked: types, parameters and includes, and the references that each match has
        to have. ``asked.types`` is what is searched, which for a conditional reference
        is not ``context.resource_type``.
    :param look: reads and searches other resources, unguarded, in the same snapshot.
    """


@hookspec("abort")
def authorize_resource(
    context: RequestContext, subject: Subject, use: Use, look: Look
) -> None:
    """Refuse a resource that the principal may not see, or may not write so.

    Called with ``use`` ``read`` and ``vread`` (an old version, then the newest one),
    ``history`` (the same for each entry), ``include`` (each resource that a search
    includes), ``result`` (each resource with an id that an operation answers), and inside
    the transaction of a write with ``old`` or ``delete`` before anything of the stored
    version is told, and ``new`` for what has been stored. All plugins are asked.

    :class:`~fyr.core.errors.Forbidden` ends a read or rolls a write back. It leaves an
    included resource out, with an OperationOutcome that says so, and an entry out of a
    history; the history of one resource that may not be seen now is refused. Matches of
    a search are for :func:`authorize_search`. Any other exception ends the request.

    A write that fails for what it holds is asked about as ``new``, too, with a ``subject``
    that is :class:`~fyr.core.Failing`: whoever might not have made it is told that, and not
    what is wrong with it.

    :param subject: type, id and version; ``subject.resource`` parses it when asked.
    :param look: reads and searches other resources, unguarded, in the write's
        transaction; it sees what was stored before ``new`` is judged.
    """


@hookspec("abort", "collect", moment="command")
def explain_access(context: RequestContext) -> Iterable[str] | None:
    """Tell what a user needs for an interaction, in words for whoever runs the server.

    Called by ``fyr workflow explain`` for each way to write a resource, operations on it
    that affect state among them (``context.operation``), and never for a request:
    :func:`authorize` and :func:`authorize_resource` decide. A plugin that has
    rules tells them in a few words, such as ``the privilege CarePlan.update``; no words
    mean that it lets nobody of this type do it. The answers of all are told.

    :param context: service, interaction, type and id; of the principal the type of user
        alone, as there is no token.
    """


@hookspec("abort")
def before_interaction(context: RequestContext) -> None:
    """Prepare for an interaction that has been admitted, or refuse it.

    Called for every interaction after :func:`authorize` and before its body is
    parsed or the store is asked. All plugins are asked in turn; an exception ends it.

    :param context: ``state`` is the room for what later hooks of this plugin need.
    """


@hookspec("abort", "collect")
def validate(context: RequestContext, resource: Resource) -> Iterable[Issue] | None:
    """Tell what is wrong with a resource, beyond the structure that FHIR asks for.

    Called for each resource that is to be created, updated or patched, and by
    ``$validate``, after the structure was found right and before the transaction.
    All plugins are asked and all their issues go into one OperationOutcome; an issue
    of severity ``error`` or ``fatal`` refuses the resource. It must not be altered.
    """


@hookspec("abort")
def before_store(
    context: RequestContext,
    session: Session,
    old: Resource | None,
    new: Resource | None,
) -> None:
    """Complete what is about to be stored, or refuse it.

    Called inside the write's transaction, after validation and before the version
    row, on every way in: REST, bundle entry, operation, job, import. Plugins are
    asked in turn and see each other's edits to ``new``; the first to raise
    :class:`~fyr.core.errors.Refused` rolls the transaction back. It runs again when
    the transaction is repeated, so what it does elsewhere must bear repetition.

    :param session: the transaction.
    :param old: the stored version, not to be altered; ``None`` for a create.
    :param new: what will be stored, to be edited in place; ``None`` for a delete.
        Its ``id`` is final; ``meta.versionId`` and ``meta.lastUpdated`` are set later.
        What plugins make of it is not validated again.
    """


@hookspec("abort")
def stored(
    context: RequestContext,
    session: Session,
    old: Resource | None,
    new: Resource | None,
) -> None:
    """Add to the transaction what belongs to a write that has been made.

    Called inside the transaction, after version, index and outbox rows were written:
    for a plugin's own tables and events. All plugins are asked in turn; an exception
    rolls the transaction back. Nothing is committed yet: tell the world in
    :func:`deliver`.

    :param session: the transaction.
    :param old: the version before; ``None`` for a create.
    :param new: the version as stored, not to be altered; ``None`` for a delete.
    """


@hookspec("abort", "first")
def look_up_person(system: str, number: str) -> RegisteredPerson | None:
    """Tell what a national register knows of the person with a number.

    Called when somebody is to be matched or to become a patient (``Person/$match``,
    ``Patient/$createPatient``), for the number as it was given and never for all of a
    list. ``None`` means that this register knows nobody with it; the first other answer
    decides. Without any there is no such person. Raise
    :class:`~fyr.core.errors.Unavailable` when the register cannot be asked: the answer
    is then 503, and not that somebody does not exist.

    A patient is created in a transaction, which lasts as long as the register takes, so
    give up early. Numbers and names must not come into logs, URLs of others or metrics.

    :param system: identifier system, for CPR numbers ``urn:oid:1.2.208.176.1.2``.
    :param number: without spaces or hyphens; valid now, or once so.
    """


@hookspec("abort", "first")
def look_up_content(context: RequestContext, url: str) -> KeptContent | None:
    """Tell what a plugin keeps behind a URL of this server, beside the FHIR services.

    Called when a DocumentReference of material is written whose content is given by its
    URL, in the write's transaction: give up early. ``None`` means that the URL is none of
    this plugin's; the first other answer decides. What no plugin knows is kept elsewhere.
    An exception refuses the write.

    :param context: of the write; ``base_url`` is how its client calls this server.
    :param url: as it was sent.
    """


@hookspec("isolate", "replace", replaces="statement")
def describe_service(service: Service, statement: Resource) -> Resource | None:
    """Say more in a service's CapabilityStatement than what is registered.

    For what clients must know and the core cannot, such as where tokens are had
    (``rest.security``). Called when a statement is made, which is kept for its base URL:
    say nothing here that changes. Each plugin is given what the one before it answered;
    ``None`` leaves it as it is, so copy before you change. After an exception the
    statement is served without what the plugin would have said.

    :param statement: https://hl7.org/fhir/R4/capabilitystatement.html
    """


@hookspec("abort", "replace", replaces="resource")
def before_show(context: RequestContext, resource: Resource) -> Resource | None:
    """Give a resource in the form in which this principal may see it.

    Called for each resource of an answer: read, the entries of searches and
    histories, what a write returns. Each plugin is given what the one before it
    answered; ``None`` leaves it as it is, so copy before you change. An exception
    ends the request: a plugin that masks must not fail open.

    A server with an implementation of this hook parses each resource that it serves.
    """


@hookspec("abort")
def answered(
    context: RequestContext,
    session: Session | None,
    status: int,
    touched: Sequence[Touched],
) -> None:
    """Take notice of what an interaction has shown or made, before that is answered.

    Called once for each interaction that succeeds, the entries of a bundle each on its
    own; a write inside its transaction, so that what is kept of it stands or falls with
    it. An operation is told of once, with all that its interactions have touched and the
    stored versions in its answer. All plugins are asked in turn; an exception ends the
    interaction, and nothing is shown or kept. An entry of a batch that is refused is told
    of with its status, and a bundle after its entries, with nothing touched; a request
    that is refused as a whole is for :func:`completed`. A plugin's route that is not
    public is told of once it has made its answer, with the interaction ``route``, unless
    it has told of itself (``Application.answered``).

    :param session: the transaction that is running; ``None`` when there is none.
    :param status: HTTP status of the answer, as far as it is known by then.
    :param touched: keys and versions only; nothing is parsed for this hook.
    """


@hookspec("isolate", moment="event")
def deliver(change: Change) -> None:
    """Act on a change that has been committed.

    Called by a worker for each stored version, in the order of commits for each
    resource, at least once. Every plugin has a cursor of its own, so that one that is
    slow or fails delays nobody else: an exception brings this event back later, with
    growing waits, and in the end makes it a dead letter; later events of the same
    resource wait. Raise :class:`~fyr.core.errors.Unavailable` when what you need is
    down: then all events wait for it, and none is given up.

    :param change: type, id, version and method, with old and new resource at hand.
    """


@hookspec("abort", "first", moment="event")
def evaluate_rules(
    library: Resource, asked: RuleInput, limits: RuleLimits
) -> RuleOutcome | None:
    """Run the rules of a Library on measurements, or say that this plugin cannot.

    Called after the commit for each rule of what was submitted, and when somebody asks
    to evaluate one (``Library/$evaluate``). ``None`` means that the library has no
    content of a type that this engine runs; the first other answer decides. Without
    any, the library stays stored and whoever asked says that it cannot be run.

    Also called with no measurements, to know whether anybody runs a library at all: an
    engine of its type answers anything but ``None``.

    Rules that are faulty, find too little or take too much are told as problems of the
    outcome and are no exception: an exception brings the event back later. An engine
    keeps to the limits whatever the source says, stores nothing and sends nothing.

    :param library: ``content`` holds the source by ``contentType``, base64 in ``data``.
    :param asked: what the rules judge; not to be altered.
    :param limits: time and memory for all rules of the library together.
    """


@hookspec("swallow")
def completed(context: RequestContext, status: int, seconds: float) -> None:
    """Take notice of a request that has been answered.

    Called once for each HTTP request to a service, also when it was refused. All
    plugins are asked; no exception goes anywhere but into the log and the counters.

    :param status: the HTTP status of the answer.
    :param seconds: how long the request took.
    """


def _found(names: Mapping[str, object]) -> dict[str, Callable[..., Any]]:
    return {
        name: value
        for name, value in names.items()
        if callable(value) and rule_of(value) is not None
    }


#: hook name -> its specification, in the order in which a server and then a request
#: meet them
SPECIFICATIONS: Mapping[str, Callable[..., Any]] = {
    **_found(vars(start_specs)),
    **_found(globals()),
}
#: hook name -> its rule, in that order
RULES: Mapping[str, Rule] = {
    name: rule
    for name, value in SPECIFICATIONS.items()
    if (rule := rule_of(value)) is not None
}
