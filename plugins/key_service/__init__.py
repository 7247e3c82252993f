"""Key Service: keys that citizens' apps encrypt their tokens with, given for a secret.

``secrets`` hashes, ``attempts`` counts and locks, ``keys`` keeps, ``serving`` is the API.
For those who call: ``docs/key-service.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import (
    ErrorCode,
    Job,
    JobContext,
    Manifest,
    Plugin,
    Reading,
    Route,
    hookimpl,
    read_error_codes,
)
from fyr.plugins.key_service.keys import Keys
from fyr.plugins.key_service.secrets import Secrets
from fyr.plugins.key_service.serving import Serving
from fyr.plugins.key_service.settings import KeyServiceSettings

if TYPE_CHECKING:
    from fyr.core import Application

__all__ = ["KeyService"]

CLEANUP = "key-service-cleanup"


class KeyService(Plugin):
    """Gives keys for secrets, at ``/keyservice/api``."""

    manifest = Manifest(
        "Keeps keys of citizens' apps and gives them for a secret, at /keyservice/api.",
        settings=KeyServiceSettings,
        migrations="fyr.plugins.key_service.migrations",
    )
    settings: KeyServiceSettings

    def start(self, application: Application) -> None:
        """Take where keys are kept, and what they are sealed with.

        :raises ConfigError: there is no master key.
        """
        self._secrets = Secrets(application.sealer("key_service"), self.settings)
        self.keys = Keys(application, self._secrets, self.settings)
        attempts = application.metrics.counter(
            "fyr_key_service_attempts", "Attempts to get a key, by answer.", ["status"]
        )
        application.metrics.add_source(self._readings)
        self._serving = Serving(application, self.keys, attempts)

    def problem(self) -> str:
        """Tell when keys were found that cannot be opened."""
        return self._secrets.problem if hasattr(self, "_secrets") else ""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve the API, once there is something to serve."""
        return self._serving.routes() if hasattr(self, "_serving") else ()

    @hookimpl
    def register_error_codes(self) -> Iterable[ErrorCode]:
        """Offer what this plugin refuses."""
        return read_error_codes(__package__).values()

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        """Remove keys that are too old, or that nobody has used for long."""

        def run(context: JobContext) -> dict[str, int]:
            return self.keys.clean_up(context.progress)

        return [Job(CLEANUP, run, every=self.settings.cleanup_seconds)]

    def _readings(self) -> Iterable[Reading]:
        yield Reading("fyr_key_service_keys", "Keys that are kept.", self.keys.count())
