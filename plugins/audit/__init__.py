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
    FyrError,
    Manifest,
    MessageSource,
    Plugin,
    RequestContext,
    Resource,
    Session,
    Touched,
    hookimpl,
)
from fyr.core.hooks.errors import PluginError
from fyr.plugins.audit.events import AuditEvents
from fyr.plugins.audit.facts import Facts, facts_of, is_audited
from fyr.plugins.audit.keeping import Buffer, Keeping
from fyr.plugins.audit.lines import LinesFile
from fyr.plugins.audit.patients import Patients
from fyr.plugins.audit.settings import AuditSettings
from fyr.plugins.audit.sinks import to_broker, to_file, to_minlog, to_store

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.app import Application
    from fyr.core.events import Change

__all__ = ["Audit"]

log = structlog.get_logger("fyr.audit")


class Audit(Plugin):
    """Notes each request of a person, and tells of it as AuditEvents."""

    manifest = Manifest("Keeps an audit log as AuditEvents.", settings=AuditSettings)
    settings: AuditSettings

    def start(self, application: Application) -> None:
        """Take where facts are kept, and what AuditEvents are made with."""
        self._application = application
        self._keeping = Keeping(application.outbox)
        self._buffer = Buffer(
            self._keeping.all,
            size=self.settings.buffer,
            seconds=self.settings.flush_seconds,
        )
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
        facts = facts_of(context, status, touched)
        if session is not None:
            self._keeping.within(session, facts)
            return
        self._keep(facts, refuse=self.settings.required and status < 400)

    @hookimpl
    def completed(self, context: RequestContext, status: int) -> None:
        """Note what was refused; nothing has been shown that could be withheld."""
        if status >= 400 and is_audited(context, self.settings.user_types):
            self._keep(facts_of(context, status), refuse=False)

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
            yield to_store(lambda: self._application, self._made)
        if own.minlog_file:
            yield to_minlog(_file(settings, own.minlog_file), self._made, self._patient)

    def _keep(self, facts: Facts, *, refuse: bool) -> None:
        try:
            if self.settings.durable:
                self._keeping.now(facts)
            else:
                self._buffer.add(facts)
        except FyrError as error:
            log.error("an entry of the audit log is missing", problem=str(error))
            if refuse:
                raise

    def _made(self, change: Change) -> list[Resource]:
        return self._events.of(change)

    def _base(self, service: str, kind: str, base_url: str) -> str:
        services = self._application.services
        home = next((one for one in services if one.name == service), None)
        return services.base_of(kind, home, base_url) if home else base_url

    def _patient(self, reference: str) -> Resource | None:
        """Read a patient of this server by the end of an absolute reference."""
        kind, identity = reference.split("/")[-2:]
        stored = self._application.resources.read(kind, identity)
        if stored is None or stored.body is None:
            return None
        from fyr.core.model import json

        return json.parse(stored.body)


def _file(settings: Settings, path: Path) -> LinesFile:
    return LinesFile(settings.data_dir / path)
