"""A server for the story: the application, a real port, a clock that is moved, and people.

Tokens are those of the development issuer, had by its own command as anybody would.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from fyr.core.app import build
from fyr.core.rest.app import create_wsgi
from fyr.core.serving.http import HttpWorker, reserve
from fyr.plugins.demo.clock import Clock
from fyr.plugins.demo.listening import Heard, Listener, broker, listening

if TYPE_CHECKING:
    import click

    from fyr.config.settings import Settings
    from fyr.core import Resource
    from fyr.core.app import Application

#: Where each service lies below the server's own URL.
SERVICES: Mapping[str, str] = {
    "Patient": "patient",
    "Person": "patient",
    "Library": "library",
    "Questionnaire": "questionnaire",
    "ActivityDefinition": "plan",
    "PlanDefinition": "plan",
    "Organization": "organization",
    "CareTeam": "organization",
    "Practitioner": "organization",
    "Observation": "measurement",
    "QuestionnaireResponse": "measurement",
    "Media": "measurement",
    "ValueSet": "terminology",
    "Task": "task",
    "ClinicalImpression": "task",
}
#: Code of the telemedicine solution, which marks what belongs to it.
TAG = "xa"
#: The telemedicine solution that everybody in the story works with.
SOLUTION = f"http://ehealth.sundhed.dk/cs/ehealth-system|{TAG}"


class StoryError(Exception):
    """The server did not do what the story says; the text tells what it answered."""


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Stage:
    """A server, and what is needed to play on it."""

    application: Application
    #: ``http://127.0.0.1:8080``
    url: str
    clock: Clock
    #: hears what is published; ``None``: there is no broker
    listener: Listener | None = None
    _pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    def __post_init__(self) -> None:
        """Take a worker, which works when it is told to."""
        self._worker = self.application.worker()
        offered = self.application.hooks.register_commands()
        self._dev: click.Command = next(one for one in offered if one.name == "dev")

    def service(self, name: str) -> str:
        """Tell the base URL of a service: its own, or below the server's."""
        told = self.application.settings.services.get(name)
        if told is not None and told.public_url:
            return told.public_url
        return f"{self.url}/{name}/fhir"

    def home(self, kind: str) -> str:
        """Tell the base URL of the service that a type is at."""
        return self.service(SERVICES.get(kind, "careplan"))

    def work(self) -> None:
        """Let the worker do all that is due."""
        self._worker.drain()

    def news(self) -> list[Heard]:
        """Give what was published since this was asked last."""
        return self.listener.news() if self.listener is not None else []

    def notifications(self) -> Iterator[Any]:
        """Read what the national notification service is to be told, from the file."""
        own = self.application.settings.plugin.get("notifications", {})
        file = self.application.settings.data_dir / str(own.get("file", ""))
        if file.is_file():
            yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())

    def wait_until(self, moment: datetime) -> None:
        """Let time pass, an hour at a time, so that all that is due happens in time."""
        while self.clock() < moment:
            self.clock.go_to(min(moment, self.clock() + timedelta(hours=1)))
            self.work()

    def token(self, kind: str, **told: str) -> str:
        """Have the development issuer make a token."""
        arguments = ["token", "--as", kind, "--expires", "90d"]
        arguments += ["--scope", f"openid {SOLUTION}"]
        for name, value in told.items():
            arguments += [f"--{name.replace('_', '-')}", value]
        out = StringIO()
        with redirect_stdout(out):
            self._dev.main(
                arguments,
                obj=self.application.settings,
                standalone_mode=False,
                prog_name="dev",
            )
        return out.getvalue().strip()


@dataclass(frozen=True)
class Person:
    """Somebody in the story, with their token."""

    stage: Stage
    token: str

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """Call the server, whatever it answers.

        :param url: absolute.
        """
        kind = "application/fhir+json"
        if isinstance(body, list):
            kind = "application/json-patch+json"
        sent = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": kind,
            **headers,
        }
        answer = self.stage._pool.request(
            method,
            url,
            body=None if body is None else json.dumps(body).encode(),
            headers=sent,
        )
        parsed = json.loads(answer.data) if answer.data else None
        return Answer(answer.status, parsed, dict(answer.headers))

    def does(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        """Call the server, and give what it answers.

        :raises StoryError: it refuses.
        """
        answer = self.send(method, url, body, **headers)
        if answer.status >= 300:
            issues = (answer.body or {}).get("issue", [])
            told = "; ".join(one.get("diagnostics", "") for one in issues)
            raise StoryError(f"{method} {url}: {answer.status} {told}")
        return answer.body

    def create(self, resource: Resource) -> str:
        """Store something new, and tell its URL."""
        kind = resource["resourceType"]
        base = self.stage.home(kind)
        made = self.does("POST", f"{base}/{kind}", resource)
        return f"{base}/{kind}/{made['id']}"

    def find(self, kind: str, **criteria: str) -> list[Any]:
        """Search, and give the matches."""
        query = "&".join(f"{name}={value}" for name, value in criteria.items())
        bundle = self.does("GET", f"{self.stage.home(kind)}/{kind}?{query}&_count=100")
        return [entry["resource"] for entry in bundle.get("entry", ())]

    def call(self, url: str, *parameters: tuple[str, str, Any]) -> Any:
        """Call an operation: name, kind of value and value of each parameter."""
        given = [{"name": name, kind: value} for name, kind, value in parameters]
        return self.does(
            "POST", url, {"resourceType": "Parameters", "parameter": given}
        )


@contextmanager
def playing(settings: Settings, clock: Clock) -> Iterator[Stage]:
    """Build a server and answer at its port, until the end.

    :param settings: of a closed server with the development issuer. Services with public
        URLs of their own are answered at those hosts, which are this machine's, unless
        another process has them (``enabled = false``).
    :raises StoryError: the store, the blobs or what a plugin needs cannot be had.
    :raises OSError: an address is taken, or the broker refuses.
    """
    with ExitStack() as ending:
        settings = ending.enter_context(broker(settings))
        application = build(settings, clock=clock)
        ending.callback(application.close)
        _refuse_what_is_down(application)
        for host in _hosts(settings):
            bound = reserve(host, settings.server.port)
            worker = HttpWorker(create_wsgi(application), bound, settings.server)
            thread = threading.Thread(target=worker.run, name=f"fyr-demo-{host}")
            thread.start()
            ending.callback(thread.join)
            ending.callback(worker.stop)
        host, port = settings.server.host, settings.server.port
        listener = ending.enter_context(listening(settings))
        yield Stage(application, f"http://{host}:{port}", clock, listener)


def _refuse_what_is_down(application: Application) -> None:
    """Say so before the story begins, which would wait for what is not there."""
    down = [
        application.database.health(),
        application.blobs.store.health(),
        *application.plugins.problems().values(),
    ]
    if told := "; ".join(filter(None, down)):
        raise StoryError(told)


def _hosts(settings: Settings) -> list[str]:
    """Tell the addresses that clients of all services call."""
    urls = [one.public_url for one in settings.services.values() if one.enabled]
    others = [host for url in urls if (host := urlsplit(url).hostname)]
    return list(dict.fromkeys([settings.server.host, *others]))


def codes(resources: Sequence[Resource], path: str) -> list[str]:
    """Tell the code in a CodeableConcept of each resource."""
    found = []
    for one in resources:
        concept = one.get(path, {})
        first = concept[0] if isinstance(concept, list) else concept
        found.append(shown(first))
    return found


def shown(concept: Mapping[str, Any]) -> str:
    """Tell a CodeableConcept in words, where it has some; else by its first code."""
    codings = concept.get("coding", [{}])
    words = (one.get("display") for one in codings)
    return str(
        next(filter(None, (concept.get("text"), *words)), codings[0].get("code", ""))
    )
