"""The plugins of a running application, and what can be told about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from fyr.config.load import ConfigError
from fyr.core.errors import FyrError
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.discovery import Candidate
from fyr.core.hooks.isolation import Implementation
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.plugin import Manifest, Plugin, PluginSettings
from fyr.core.hooks.watch import Watch
from fyr.core.store.migrating import migrate

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from fyr.config.settings import Settings
    from fyr.core.hooks.application import Application

log = structlog.get_logger(__name__)

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin that takes part: its origin, its object or module, its settings."""

    name: str
    distribution: str
    version: str
    manifest: Manifest
    target: object
    settings: PluginSettings


class PluginRegistry:
    """Plugins and their hooks; ``Hooks`` does the work, this knows who is who."""

    def __init__(
        self,
        plugins: Iterable[LoadedPlugin] = (),
        hooks: Hooks | None = None,
        idle: Iterable[Candidate] = (),
        watch: Watch | None = None,
    ) -> None:
        """Take the plugins that take part, and those that are only installed."""
        self.watch = watch or Watch()
        self.plugins: Sequence[LoadedPlugin] = tuple(plugins)
        self.hooks = hooks or Hooks()
        self._idle = tuple(idle)
        self._started: list[Plugin] = []

    def __iter__(self) -> Iterator[LoadedPlugin]:
        """Go through the plugins that take part."""
        return iter(self.plugins)

    def plugin(self, kind: type[P]) -> P | None:
        """Find the plugin of a class, if it takes part."""
        targets = (one.target for one in self.plugins)
        return next((one for one in targets if isinstance(one, kind)), None)

    def start(self, application: Application) -> None:
        """Make every plugin's tables and tell it that the application stands.

        Stops them all when one fails.
        """
        for plugin in self.plugins:
            _migrate(plugin, application)
            if isinstance(plugin.target, Plugin):
                self._started.append(plugin.target)
                try:
                    plugin.target.start(application)
                except Exception as error:
                    self.stop()
                    if isinstance(error, ConfigError | FyrError):
                        raise
                    sentence = f"cannot start: {type(error).__name__}: {error}"
                    log.debug("plugin cannot start", plugin=plugin.name, exc_info=True)
                    raise PluginError([f"plugin {plugin.name}: {sentence}"]) from error
                except BaseException:
                    self.stop()
                    raise

    def stop(self) -> None:
        """Tell every plugin that was started to end, the last one first."""
        while self._started:
            self._started.pop().stop()

    def quarantined(self) -> list[str]:
        """Tell the names of plugins of which a hook rests after failures."""
        return sorted(
            {one.plugin for one in self._implementations() if one.quarantine.until}
        )

    def missing(self, settings: Settings) -> Iterator[str]:
        """Tell what the settings lack without which a plugin does not start."""
        for one in self.plugins:
            if not isinstance(one.target, Plugin):
                continue
            try:
                yield from one.target.missing(settings)
            except Exception as error:
                yield f"plugin {one.name}: missing: {type(error).__name__}: {error}"

    def problems(self) -> dict[str, str]:
        """Tell, by plugin, what cannot be done at the moment."""
        told = {one.name: self._problem(one) for one in self.plugins}
        return {name: problem for name, problem in told.items() if problem}

    def report(self) -> list[dict[str, Any]]:
        """Tell all about each plugin as plain JSON values, secrets masked.

        ``state`` is ``active``, ``quarantined`` or, for one that is installed and
        not enabled, ``available``; times are seconds, instants ISO 8601.
        """
        return [self._active(plugin) for plugin in self.plugins] + [
            _idle(candidate) for candidate in sorted(self._idle, key=lambda c: c.name)
        ]

    def _implementations(self) -> Iterator[Implementation]:
        return (one for chain in self.hooks for one in chain)

    def _problem(self, plugin: LoadedPlugin) -> str:
        return _problem(plugin) or self.watch.standing().get(plugin.name, "")

    def _active(self, plugin: LoadedPlugin) -> dict[str, Any]:
        own = [one for one in self._implementations() if one.plugin == plugin.name]
        calls = sum(one.timing.calls for one in own)
        seconds = sum(one.timing.total_seconds for one in own)
        latest = max(own, key=_last_failure, default=None)
        rests = [one.quarantine.until for one in own if one.quarantine.until]
        return {
            "name": plugin.name,
            "version": plugin.version,
            "distribution": plugin.distribution,
            "summary": plugin.manifest.summary,
            "state": "quarantined" if rests else "active",
            "hooks": [self._hook(one) for one in own],
            "calls": calls,
            "failures": sum(one.timing.failures for one in own),
            "slow_calls": sum(one.timing.slow for one in own),
            "last_error": latest.timing.last_error if latest else "",
            "total_seconds": seconds,
            "mean_seconds": seconds / calls if calls else 0.0,
            "quarantined_until": max(rests).isoformat() if rests else None,
            "problem": self._problem(plugin),
            "settings": plugin.settings.model_dump(mode="json"),
        }

    def _hook(self, one: Implementation) -> dict[str, Any]:
        until = one.quarantine.until
        return {
            "hook": one.hook,
            "policy": str(one.rule.policy),
            "order": getattr(self.hooks, one.hook).plugins,
            "calls": one.timing.calls,
            "failures": one.timing.failures,
            "slow_calls": one.timing.slow,
            "last_error": one.timing.last_error,
            "total_seconds": one.timing.total_seconds,
            "mean_seconds": one.timing.mean_seconds,
            "quarantined_until": until.isoformat() if until else None,
        }


def _migrate(plugin: LoadedPlugin, application: Application) -> None:
    """Bring the tables of a plugin up to date.

    :raises PluginError: its migrations are not there, as when its wheel has none.
    """
    if package := plugin.manifest.migrations:
        migrate(
            application.database,
            namespace=plugin.name,
            folder=_folder(plugin.name, package),
            apply=application.settings.store.migrate,
        )


def _folder(name: str, package: str) -> Traversable:
    try:
        folder = files(package)
        there = any(one.name.endswith(".sql") for one in folder.iterdir())
    except ModuleNotFoundError:
        there = False
    if not there:
        raise PluginError(
            [
                f"plugin {name}: there are no migrations in {package}: does its"
                " distribution take the .sql files along?"
            ]
        )
    return folder


def _problem(plugin: LoadedPlugin) -> str:
    if not isinstance(plugin.target, Plugin):
        return ""
    try:
        return plugin.target.problem()
    except Exception as error:
        log.error("plugin cannot tell how it is", plugin=plugin.name, exc_info=error)
        return f"it cannot tell how it is: {type(error).__name__}"


def _last_failure(one: Implementation) -> float:
    at = one.timing.last_error_at
    return at.timestamp() if at else 0.0


def _idle(candidate: Candidate) -> dict[str, Any]:
    return {
        "name": candidate.name,
        "version": candidate.version,
        "distribution": candidate.distribution,
        "summary": "",
        "state": "available",
        "hooks": [],
        "calls": 0,
        "failures": 0,
        "slow_calls": 0,
        "last_error": "",
        "total_seconds": 0.0,
        "mean_seconds": 0.0,
        "quarantined_until": None,
        "problem": "",
        "settings": {},
    }
