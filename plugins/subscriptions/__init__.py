"""Subscriptions: changes told to those who asked, over the channel that they named.

https://hl7.org/fhir/R4/subscription.html and the topic-based ones of
https://hl7.org/fhir/uv/subscriptions-backport/. For those who subscribe:
``docs/subscriptions.md``; why it is as it is: ``docs/decisions/subscriptions.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fyr.core import (
    Away,
    Change,
    Consumer,
    Issue,
    Job,
    JobContext,
    Manifest,
    Operation,
    Outgoing,
    Plugin,
    RequestContext,
    Resource,
    Sender,
    Session,
    hookimpl,
)
from fyr.core.context import SYSTEM
from fyr.core.errors.plugins import PluginError
from fyr.core.observability.metrics import Reading
from fyr.core.outgoing import HttpSender
from fyr.core.streams import Stream, stream_url
from fyr.plugins.subscriptions.channels.email import Email
from fyr.plugins.subscriptions.channels.message import MessageChannel
from fyr.plugins.subscriptions.channels.mqtt import MqttChannel
from fyr.plugins.subscriptions.channels.rest_hook import RestHook
from fyr.plugins.subscriptions.channels.smtp import MailServer
from fyr.plugins.subscriptions.channels.websocket import WebsocketChannel
from fyr.plugins.subscriptions.describing import with_topics
from fyr.plugins.subscriptions.directory import Directory, Understanding
from fyr.plugins.subscriptions.guard import Guard
from fyr.plugins.subscriptions.operations import SubscriptionOperations, operations_of
from fyr.plugins.subscriptions.rights import Rights
from fyr.plugins.subscriptions.sending import AT_ONCE, Sending
from fyr.plugins.subscriptions.settings import SubscriptionsSettings
from fyr.plugins.subscriptions.states import CONSUMER, JOB, KIND, SENDER, TEND, States
from fyr.plugins.subscriptions.streaming import PATH, Websockets
from fyr.plugins.subscriptions.table import Table
from fyr.plugins.subscriptions.telling import Telling
from fyr.plugins.subscriptions.topicbook import TopicBook
from fyr.plugins.subscriptions.writing import Writing, hide

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core import Application
    from fyr.core.sealing import Sealer
    from fyr.plugins.subscriptions.channels.channel import Channel

__all__ = ["Subscriptions"]


class Subscriptions(Plugin):
    """Tells changes to those who subscribed."""

    manifest = Manifest(
        "Tells changes of resources to those who subscribed.",
        settings=SubscriptionsSettings,
        migrations="fyr.plugins.subscriptions.migrations",
    )
    settings: SubscriptionsSettings

    def missing(self, settings: Settings) -> Iterable[str]:
        """Tell that mails have no server, or that its certificates are not there."""
        if "email" in self.settings.channels and not self.settings.smtp_url:
            yield "plugin.subscriptions.smtp_url: `email` needs a mail server"
        ca = self.settings.smtp_tls_ca
        if ca and not ca.is_file():
            yield f"plugin.subscriptions.smtp_tls_ca: there is no file {ca}"

    def reach(self, deployment: Settings) -> Iterable[str]:
        """Tell why the mail server does not take mails of ours."""
        if "email" in self.settings.channels and self.settings.smtp_url:
            try:
                MailServer(self.settings, deployment.outgoing).check(login=True)
            except Away as away:
                yield f"smtp_url: {away}"

    def start(self, application: Application) -> None:
        """Join the parts.

        :raises PluginError: there is no search to understand criteria with, or mails
            are to be sent and no server is named.
        """
        self._check(application)
        settings, clock = self.settings, application.clock
        self._websocket_url = stream_url(application.settings, PATH, "websocket")
        self._http = HttpSender(application.settings.outgoing)
        self.channels = self._made_channels(application)
        table = Table(application.database, _sealer(application))
        guard = Guard(application)
        book = TopicBook(application, settings.topics)
        understanding = Understanding(guard, book.find)
        rights = Rights(application.database, clock, settings.rights_days)
        self.states = States(application, table, self.channels, settings, rights)
        engine = application.search
        assert engine is not None, "checked before"
        directory = Directory(table, understanding, engine.edition, self.states.broken)
        self.telling = Telling(application, table, directory, guard, self.states.take)
        carrying = frozenset(settings.full_resource)
        self.sending = Sending(
            table, guard, self.channels, self.states, carrying, clock
        )
        self.writing = Writing(
            table, understanding, self.channels, settings, clock, rights
        )
        application.metrics.add_source(lambda: _readings(table))
        self.websockets = Websockets(application, table, self.sending)
        self._operations = SubscriptionOperations(
            application,
            table,
            guard,
            settings,
            self._websocket_url,
            rights,
        )

    def stop(self) -> None:
        """Give connections back."""
        if hasattr(self, "channels"):
            for channel in self.channels.values():
                channel.close()
            self._http.close()

    @hookimpl
    def describe_service(self, statement: Resource) -> Resource | None:
        """Name the topics of the settings, where subscriptions are written."""
        return with_topics(statement, self.settings.topics)

    @hookimpl(quick=True)
    def authorize(self, context: RequestContext) -> None:
        """Let persons write no subscriptions."""
        if context.resource_type == KIND:
            self.writing.authorize(context)

    @hookimpl
    def validate(
        self, context: RequestContext, resource: Resource
    ) -> Iterable[Issue] | None:
        """Tell what is wrong with a subscription, or with a topic."""
        if resource["resourceType"] == "Basic":
            return list(self.writing.topic_problems(resource))
        if resource["resourceType"] != KIND:
            return None
        return list(self.writing.problems(context, resource))

    @hookimpl
    def before_store(
        self,
        context: RequestContext,
        session: Session,
        old: Resource | None,
        new: Resource | None,
    ) -> None:
        """Note whose a subscription is, and hide its headers."""
        if new is None or new["resourceType"] != KIND:
            return
        if context.principal is SYSTEM:
            hide(new)
        else:
            self.writing.prepare(context, session, old, new)

    @hookimpl
    def stored(
        self, context: RequestContext, session: Session, new: Resource | None
    ) -> None:
        """Note who has written a version of a subscription."""
        if new is not None and new["resourceType"] == KIND:
            self.writing.stored(context, session, new)

    @hookimpl
    def register_consumers(self) -> Iterable[Consumer]:
        """Tell every change to whom it is told."""

        def handle_many(changes: Sequence[Change]) -> None:
            self.telling.handle_many(changes)

        yield Consumer(
            CONSUMER, lambda change: handle_many([change]), handle_many=handle_many
        )

    @hookimpl
    def register_senders(self) -> Iterable[Sender]:
        """Send what is in the queues of subscriptions."""

        def send(messages: Sequence[Outgoing]) -> int:
            return self.sending.send(messages)

        yield Sender(
            SENDER,
            send,
            at_once=AT_ONCE,
            sent=lambda session, messages: self.sending.sent(session, messages),
            failed=lambda session, messages, failures: self.sending.failed(
                session, messages, failures
            ),
            held_up=lambda session, messages: self.sending.held_up(session, messages),
            host=lambda destination: self.sending.host(destination),
        )

    @hookimpl
    def register_streams(self) -> Iterable[Stream]:
        """Tell events on websockets."""
        if "websocket" in self.settings.channels:
            yield self.websockets.stream()

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        """Change states, and look after ends and heartbeats."""

        def run(context: JobContext) -> object:
            return self.states.run(context)

        def tend(context: JobContext) -> object:
            return self.states.tend(context)

        return [Job(JOB, run), Job(TEND, tend, every=self.settings.tend_seconds)]

    @hookimpl
    def register_operations(self) -> Iterable[Operation]:
        """Offer what the guide has, and ``$resend``."""
        return operations_of(lambda: self._operations)

    def _made_channels(self, application: Application) -> dict[str, Channel]:
        settings, messages = self.settings, application.settings.messages
        outgoing = application.settings.outgoing
        made: dict[str, Channel] = {
            "rest-hook": RestHook(self._http),
            "message": MessageChannel(self._http),
            "websocket": WebsocketChannel(self._websocket_url),
            "email": Email(settings, MailServer(settings, outgoing)),
            "mqtt": MqttChannel(messages, settings.mqtt_topic),
        }
        return {name: made[name] for name in settings.channels}

    def _check(self, application: Application) -> None:
        problems = []
        if application.search is None:
            problems.append("plugin.subscriptions: criteria need the plugin search")
        problems += self.missing(application.settings)
        if problems:
            raise PluginError(problems)


def _sealer(application: Application) -> Sealer | None:
    """Give what seals headers, where the deployment has a master key."""
    if not application.blobs.keys.there:
        return None
    sealer = application.sealer(SENDER)
    # Its key is made now, and not in the transaction of the first subscription.
    sealer.seal(b"", "start")
    return sealer


def _readings(table: Table) -> Iterable[Reading]:
    """Tell Prometheus how many subscriptions are in which state."""
    for status, count in table.counts().items():
        labels = (("status", status),)
        yield Reading("fyr_subscriptions", "Subscriptions by status.", count, labels)
