"""Plugins brought up at start: those that the configuration names, checked, with hooks.

Everything that is wrong is told at once, and then the server does not start.
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import ModuleType

import structlog
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import ValidationError

from fyr.config.load import sentences
from fyr.config.neighbours import neighbour
from fyr.config.settings import Settings
from fyr.config.variables import with_json_read
from fyr.core.clock import Clock, utc_now
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.discovery import Candidate, at_hand, in_folder, installed
from fyr.core.hooks.isolation import Patience
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.plugin import Manifest, Plugin, PluginSettings
from fyr.core.hooks.registry import LoadedPlugin, PluginRegistry
from fyr.core.hooks.watch import Watch
from fyr.core.observability.masking import remember_secrets
from fyr.core.version import __version__

log = structlog.get_logger(__name__)


def load_plugins(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    plugins: Mapping[str, ModuleType | type[Plugin]] | None = None,
) -> PluginRegistry:
    """Load the plugins of a deployment, and join their hooks.

    Takes part what ``plugins.enabled`` names, and every file of ``plugins.folder``.

    :param plugins: more of them by name, at hand already; for tests and embedding.
    :raises PluginError: a plugin or a setting is unknown, does not fit this core,
        cannot be imported, or implements a hook that does not exist.
    """
    offered = installed()
    files = in_folder(settings.plugins.folder) if settings.plugins.folder else {}
    given = {name: at_hand(name, plugin) for name, plugin in (plugins or {}).items()}
    problems = _clashes(settings.plugins.enabled, offered, files)
    candidates = {**offered, **files, **given}
    chosen = list(dict.fromkeys([*settings.plugins.enabled, *files, *given]))
    problems += _unknown_tables(settings, candidates)
    loaded = []
    for name in chosen:
        try:
            loaded.append(_load(name, candidates, settings))
        except PluginError as error:
            problems += error.problems
    if problems:
        raise PluginError(problems)
    patience = Patience(
        settings.plugins.quarantine_after, settings.plugins.quarantine_seconds
    )
    objects = {plugin.name: plugin.target for plugin in loaded}
    hooks = Hooks(objects, patience=patience, clock=clock)
    idle = [one for name, one in candidates.items() if name not in objects]
    watch = Watch(settings.plugins.slow_hook_seconds)
    return PluginRegistry(loaded, hooks, idle, watch)


def _clashes(
    enabled: Iterable[str],
    offered: Mapping[str, Candidate],
    files: Mapping[str, Candidate],
) -> list[str]:
    return [
        f"plugin {name}: offered by {offered[name].distribution} and by"
        f" {files[name].distribution}"
        for name in enabled
        if name in offered and name in files
    ]


def _unknown_tables(
    settings: Settings, candidates: Mapping[str, Candidate]
) -> list[str]:
    return [
        f"plugin.{name}: no such plugin{neighbour(name, candidates)}"
        for name in settings.plugin
        if name not in candidates
    ]


def _load(
    name: str, candidates: Mapping[str, Candidate], settings: Settings
) -> LoadedPlugin:
    """Import one plugin and make it with its settings."""
    if name not in candidates:
        hint = neighbour(name, candidates)
        offered = ", ".join(sorted(candidates)) or "none"
        raise PluginError(
            [f"plugins.enabled: no such plugin: {name}{hint} (installed: {offered})"]
        )
    candidate = candidates[name]
    try:
        target = _checked(candidate.load())
    except Exception as error:
        log.debug("plugin cannot be loaded", plugin=name, exc_info=True)
        raise PluginError(
            [f"plugin {name}: cannot be loaded: {type(error).__name__}: {error}"]
        ) from error
    manifest = target.manifest if hasattr(target, "manifest") else Manifest()
    if not isinstance(manifest, Manifest):
        raise PluginError([f"plugin {name}: its manifest is not a Manifest"])
    _check_core(name, manifest)
    values = _settings(name, manifest, target, settings)
    remember_secrets(values)
    if manifest.version:
        candidate = replace(candidate, version=manifest.version)
    return LoadedPlugin(
        name=name,
        distribution=candidate.distribution,
        version=candidate.version,
        manifest=manifest,
        target=_made(name, target, values),
        settings=values,
    )


def _made(
    name: str, target: ModuleType | type[Plugin], values: PluginSettings
) -> ModuleType | Plugin:
    if isinstance(target, ModuleType):
        return target
    try:
        return target(values)
    except PluginError:
        raise
    except Exception as error:
        log.debug("plugin cannot be made", plugin=name, exc_info=True)
        raise PluginError(
            [f"plugin {name}: cannot be made: {type(error).__name__}: {error}"]
        ) from error


def _checked(target: object) -> ModuleType | type[Plugin]:
    if isinstance(target, ModuleType):
        return target
    if inspect.isclass(target) and issubclass(target, Plugin):
        return target
    raise TypeError(f"{target!r} is neither a module nor a subclass of Plugin")


def _check_core(name: str, manifest: Manifest) -> None:
    try:
        wanted = SpecifierSet(manifest.core)
    except InvalidSpecifier as error:
        raise PluginError([f"plugin {name}: manifest.core: {error}"]) from None
    if not wanted.contains(__version__, prereleases=True):
        raise PluginError(
            [f"plugin {name}: needs core {manifest.core}, and this is {__version__}"]
        )


def _settings(
    name: str, manifest: Manifest, target: ModuleType | type[Plugin], settings: Settings
) -> PluginSettings:
    values = settings.plugin.get(name, {})
    if isinstance(target, ModuleType) and manifest.settings is not PluginSettings:
        raise PluginError(
            [f"plugin {name}: a module has no settings; make it a subclass of Plugin"]
        )
    try:
        return manifest.settings(**with_json_read(manifest.settings, values))
    except ValidationError as error:
        raise PluginError(
            sentences(error, manifest.settings, ("plugin", name))
        ) from None
