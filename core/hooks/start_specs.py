"""The hooks that a server asks when it starts: what plugins offer.

A part of :mod:`fyr.core.hooks.specs`, which has the others and tells of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fyr.core.hooks.markers import hookspec

if TYPE_CHECKING:
    import click

    from fyr.config.settings import Settings
    from fyr.core.blobs.port import BlobStore
    from fyr.core.clock import Clock
    from fyr.core.declarations.operations import Operation
    from fyr.core.declarations.projections import Projection
    from fyr.core.declarations.routes import Route
    from fyr.core.declarations.services import Service
    from fyr.core.errors.catalogue import ErrorCode
    from fyr.core.events import Consumer
    from fyr.core.jobs import Job
    from fyr.core.messages import MessageSource
    from fyr.core.model.resource import Resource
    from fyr.core.outgoing import Sender
    from fyr.core.searching import SearchEngine
    from fyr.core.store.port import Database
    from fyr.core.streams import Stream
    from fyr.core.workflow import Machine, Timer


@hookspec("abort", "collect", moment="start")
def register_services(settings: Settings) -> Iterable[Service] | None:
    """Offer FHIR services, each with its own base URL and CapabilityStatement.

    Called once, when the server starts. What all plugins give is served together;
    two services with one name or path stop the server.

    :param settings: all settings of the deployment.
    """


@hookspec("abort", "collect", moment="start")
def register_operations() -> Iterable[Operation] | None:
    """Offer operations such as ``$greet``, at system, type or instance level.

    Called once, when the server starts. They are listed in the CapabilityStatement
    of each service that offers them; two plugins that offer one operation for one
    type and level stop the server.
    """


@hookspec("abort", "collect", moment="start")
def register_routes() -> Iterable[Route] | None:
    """Offer plain HTTP resources beside FHIR.

    Called once in each HTTP process, when it starts; two routes with one path, or a
    path that the server itself uses, stop it.
    """


@hookspec("abort", "collect", moment="start")
def register_error_codes() -> Iterable[ErrorCode] | None:
    """Offer rows of the error catalogue: what this plugin refuses, by published name.

    Called once, when the server starts. All that plugins give is one catalogue, with
    the general codes of the core; two rows with one name stop the server. What is
    raised is made by :meth:`ErrorCode.error`, with or without this hook; it is here
    so that callers can look a code up.
    """


@hookspec("abort", "collect", moment="start")
def register_machines() -> Iterable[Machine] | None:
    """Offer state machines: tables of who may bring a resource from state to state.

    Called once, when the server starts. A machine is asked inside the transaction of each
    write of its type, on every way in, after :func:`before_store` and before the version
    row: what is not in its table is refused. Several may hold for one type, each for the
    resources that it picks. Two with one name stop the server, as does a table with
    states that the type does not have or that nothing leads to.
    """


@hookspec("abort", "collect", moment="start")
def register_search_parameters() -> Iterable[Resource] | None:
    """Offer search parameters as ``SearchParameter`` resources.

    Called once, before the search engine is made; it gets what all plugins give.
    Resources that are already stored are found by a new one once a worker has indexed
    them; until then it is refused.
    """


@hookspec("abort", "collect", moment="start")
def register_projections() -> Iterable[Projection] | None:
    """Offer what reports may know of resources: flat columns, by resource type.

    Called once, when a server starts that has a reporting index. What all plugins give
    for a type is one projection, so that a plugin may add columns to another's; two
    columns with one name stop the server, as does one that tells who somebody is and
    not why (``personal``). After a change the index is made anew by a job.
    """


@hookspec("abort", "collect", moment="start")
def register_consumers(
    settings: Settings, database: Database
) -> Iterable[Consumer] | None:
    """Offer consumers of the outbox that need more than :func:`deliver` gives.

    A consumer chooses types and topics, has a name and a cursor of its own, and may
    begin with the oldest event. Called once in each process that runs a worker; two
    consumers with one name stop it.

    :param settings: all settings of the deployment.
    :param database: where a consumer may keep what it makes of the events.
    """


@hookspec("abort", "collect", moment="start")
def register_message_sources(settings: Settings) -> Iterable[MessageSource] | None:
    """Offer to tell committed changes as messages to a broker.

    A source gives the messages of a change and reads nothing else; the core makes a
    consumer of it, which publishes them at least once and in order for each resource,
    where ``messages.url`` names a broker. Called once in each process; two sources, or
    a source and a consumer, with one name stop it.

    :param settings: all settings of the deployment.
    """


@hookspec("abort", "collect", moment="start")
def register_streams() -> Iterable[Stream] | None:
    """Offer server-sent events and websockets, on the port of ``[streams]``.

    A stream makes items of committed changes, once for all clients of a process, and a
    listener for each client, which chooses among them. Called once in each process that
    serves streams, when it starts; two streams with one path stop it.
    """


@hookspec("abort", "collect", moment="start")
def register_jobs() -> Iterable[Job] | None:
    """Offer durable jobs, timed ones included.

    Called once in each process that runs a worker. A job runs once across all
    workers; two jobs with one name stop the server.
    """


@hookspec("abort", "collect", moment="start")
def register_timers() -> Iterable[Timer] | None:
    """Offer kinds of durable timers: what is to happen at a moment that data tells.

    Called once in each process. ``application.timers.arm`` makes one wait, in the
    transaction of what it comes from; it fires once, on one worker, and what it does is
    kept together with its going, also after a restart. Two with one name stop the server.
    """


@hookspec("abort", "collect", moment="start")
def register_senders() -> Iterable[Sender] | None:
    """Offer to send messages to receivers outside, such as webhooks.

    Called once in each process. A sender sends what its plugin has put into the queues of
    ``application.outgoing``, at least once and in order for each destination; what a
    destination does not take is sent again after growing waits and in the end given up.
    A worker sends to some destinations at a time, so that one that hangs delays no
    other. Two senders with one name stop the server.
    """


@hookspec("abort", "collect", moment="start")
def register_commands() -> Iterable[click.Command] | None:
    """Offer sub-commands of ``fyr``.

    ``fyr NAME --config FILE`` calls them, or ``fyr NAME`` where ``FYR_CONFIG`` names
    the file; the context's ``obj`` is all settings. ``--config`` and ``--data-dir`` are
    Fyr's, and do not reach the command. Called when the command line starts with a
    sub-command that is not Fyr's own, and for the help.
    """


@hookspec("abort", "first", moment="start", port="fyr.core.searching:SearchEngine")
def provide_search(
    settings: Settings,
    database: Database,
    clock: Clock,
    search_parameters: Sequence[Resource],
) -> SearchEngine | None:
    """Give the search engine of this server.

    Called once, when the server starts. The first plugin that gives one decides;
    without any the server keeps and reads resources, and finds none. One that lacks a
    method of the port stops the server.

    :param database: where resources and their index rows are kept; its schema is up
        to date.
    :param clock: tells the present time.
    :param search_parameters: what :func:`register_search_parameters` collected.
    """


@hookspec("abort", "first", moment="start", port="fyr.core.blobs.port:BlobStore")
def provide_blob_store(settings: Settings) -> BlobStore | None:
    """Give the place where bytes are kept that are too many for the database.

    Called once, when the server starts. The first plugin that gives one decides;
    without any it is what ``blobs.url`` names. One that lacks a method of the port stops
    the server. All processes must see the same bytes.
    The core closes it at the end. ``BlobStoreContract`` of
    :mod:`fyr.core.testing.contracts.blobs` is what any store is held against.

    :param settings: all settings of the deployment.
    """
