"""The audit log: who has seen or changed whose data, when, and for whom.

On the way of a request only ``facts`` are noted and ``keeping`` puts them into the outbox;
a worker makes AuditEvents of them (``events``, ``patients``) and hands them on (``sinks``).
What is promised and what it costs: ``docs/decisions/audit.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from fyr.core import (
    Consumer,
    Forbidden,
    FyrError,
    Manifest,
    MessageSource,
    Plugin,
    RequestContext,
    Resource,
    Service,
    Session,
    Touched,
    Unavailable,
    hookimpl,
)
from fyr.core.context import ANONYMOUS, SYSTEM, TOLD
from fyr.core.errors.plugins import PluginError
from fyr.core.interactions import Incoming
from fyr.core.json_lines import LinesFile
from fyr.core.model import json
from fyr.plugins.audit.events import AuditEvents
from fyr.plugins.audit.facts import (
    BUNDLES,
    STRANGER,
    Facts,
    facts_of,
    is_access,
    is_audited,
)
from fyr.plugins.audit.keeping import Buffer, Keeping
from fyr.plugins.audit.patients import Patients
from fyr.plugins.audit.settings import AuditSettings
from fyr.plugins.audit.sinks import to_broker, to_file, to_minlog, to_store
from fyr.plugins.audit.strangers import Strangers

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core import Application
    from fyr.core.events import Change

__all__ = ["Audit"]

log = structlog.get_logger("fyr.audit")

#: Where a batch's request keeps the facts of its entries.
_ENTRIES = "audit.entries"
_KIND = "AuditEvent"
#: What routes of plugins have for a service.
_ROUTES = "routes"
_WRITES = frozenset({"create", "update", "patch", "delete"})


class Audit(Plugin):
    """Notes each request of a person, and tells of it as AuditEvents."""

    manifest = Manifest("Keeps an audit log as AuditEvents.", settings=AuditSettings)
    settings: AuditSettings

    def start(self, application: Application) -> None:
        """Take where facts are kept, and what AuditEvents are made with.

        :raises PluginError: AuditEvents are to be stored, and no service has them.
        """
        self._application = application
        if self.settings.store and self._storing() is None:
            raise PluginError(
                ["plugin.audit.store: no service of this deployment has AuditEvent"]
            )
        self._keeping = Keeping(application.outbox)
        self._buffer = Buffer(
            self._keeping.all,
            size=self.settings.buffer,
            seconds=self.settings.flush_seconds,
        )
        self._strangers = Strangers(self._keeping.all)
        self._events = AuditEvents(
            patients=Patients(application.resources),
            bases=self._base,
            source=self.settings.source,
            internal=frozenset(self.settings.internal),
        )

    def stop(self) -> None:
        """Keep what waits."""
        if hasattr(self, "_buffer"):
            self._buffer.close()
            self._strangers.close()

    @hookimpl(quick=True)
    def authorize(self, context: RequestContext) -> None:
        """Let nobody write, change or delete what the log keeps in the store.

        :raises Forbidden: somebody else than Fyr itself would.
        """
        writes = context.resource_type == _KIND and context.interaction in _WRITES
        if writes and self.settings.store and context.principal is not SYSTEM:
            raise Forbidden("AuditEvents are kept by this server itself, and stay")

    @hookimpl
    def answered(
        self,
        context: RequestContext,
        session: Session | None,
        status: int,
        touched: Sequence[Touched],
    ) -> None:
        """Note what is about to be answered, in the write's own transaction."""
        if not is_audited(context, self.settings.user_types):
            return
        if context.interaction in BUNDLES and status < 400:
            self._keep(context.state.pop(_ENTRIES, ()))
            return
        facts = facts_of(context, status, touched)
        if session is not None:
            self._keeping.within(session, facts)
        elif context.parent is not None:
            # All entries of a batch at once, before it is answered.
            context.state.setdefault(_ENTRIES, []).append(facts)
        else:
            self._keep([facts])

    @hookimpl
    def completed(self, context: RequestContext, status: int) -> None:
        """Note what was refused; nothing has been shown that could be withheld."""
        # Who asks too often is turned away for less than a row costs.
        if status < 400 or status == 429:
            return
        # A route that told of its own refusal has done so in its transaction.
        if context.state.get(TOLD) == status:
            return
        if status == 401 and context.principal is ANONYMOUS:
            self._note_stranger(context, status)
        elif is_audited(context, self.settings.user_types):
            waiting = context.state.pop(_ENTRIES, [])
            self._keep([*waiting, facts_of(context, status)], refuse=False)

    def _note_stranger(self, context: RequestContext, status: int) -> None:
        how = self.settings.strangers
        if how == "none" or not is_access(context):
            return
        if how == "counted":
            self._strangers.add(context)
        else:
            self._keep([{**facts_of(context, status), **STRANGER}], refuse=False)

    @hookimpl
    def register_message_sources(self) -> Iterable[MessageSource]:
        """Publish to the broker, if there is one."""
        yield to_broker(self.settings.topic, self._made)

    @hookimpl
    def register_consumers(self, settings: Settings) -> Iterable[Consumer]:
        """Hand on to wherever the settings say.

        :raises PluginError: they say nowhere.
        """
        own = self.settings
        if not (own.file or own.store or settings.messages.url):
            raise PluginError(
                [
                    "plugin.audit: nobody would be told: set file, store, or the"
                    " broker in messages.url"
                ]
            )
        if own.file:
            yield to_file(_file(settings, own.file), self._made)
        if own.store:
            yield to_store(self._store, self._made)
        if own.minlog_file:
            yield to_minlog(_file(settings, own.minlog_file), self._made, self._patient)

    def _keep(self, rows: Sequence[Facts], *, refuse: bool = True) -> None:
        """Keep facts outside of any transaction.

        :raises Unavailable: they cannot be kept, and the answer is to be held back.
        """
        if not rows:
            return
        try:
            if self.settings.durable:
                self._keeping.all(rows)
            else:
                self._buffer.add(rows)
        except FyrError as error:
            log.error(
                "entries of the audit log are missing",
                entries=len(rows),
                problem=str(error),
            )
            if refuse and self.settings.required:
                raise Unavailable(
                    "the audit log cannot be written, and without it this is not"
                    " answered; try again later"
                ) from error

    def _made(self, change: Change) -> list[Resource]:
        return self._events.of(change)

    def _base(self, service: str, kind: str, base_url: str) -> str:
        home, base = self._place(service, base_url)
        services = self._application.services
        found = services.base_of(kind, home, base) if home else ""
        return found or base

    def _place(self, service: str, base_url: str) -> tuple[Service | None, str]:
        """Tell where references of a request lead; routes of plugins have no types."""
        if service != _ROUTES:
            return self._named(service), base_url
        default = self._application.services.default
        below = f"{base_url.rstrip('/')}/{default.path.strip('/')}"
        return default, default.public_base or below

    def _named(self, service: str) -> Service | None:
        """Find a service; the request may be older than the configuration."""
        services = self._application.services
        return next((one for one in services if one.name == service), None)

    def _storing(self) -> Service | None:
        services = self._application.services
        return next((one for one in services if one.offers(_KIND, "update")), None)

    def _store(self, change: Change, event: Resource) -> None:
        """Keep an AuditEvent as a resource, with references to this server relative."""
        facts = change.payload
        context = RequestContext(
            self._storing() or self._application.services.default,
            "update",
            _KIND,
            event["id"],
            principal=SYSTEM,
            trace_id=change.trace_id,
            base_url=self._base(facts["service"], _KIND, facts["base"]),
        )
        self._application.interactions.update(context, Incoming(event), None, ("*",))

    def _patient(self, change: Change, reference: str) -> Resource | None:
        """Read a patient of an AuditEvent, if it is one of this server."""
        facts = change.payload
        service, base = self._place(facts["service"], facts["base"])
        if service is None:
            return None
        own = self._application.services.own(reference, service, base)
        if own is None:
            return None
        stored = self._application.resources.read(*own.split("/")[:2])
        if stored is None or stored.body is None:
            return None
        return json.own(stored.body)


def _file(settings: Settings, path: Path) -> LinesFile:
    return LinesFile(settings.data_dir / path)
