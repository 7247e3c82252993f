"""What a plugin says about itself, and the class that one with settings is made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from fyr.config.section import Section

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.hooks.application import Application


class PluginSettings(Section):
    """Base of a plugin's typed settings, its table ``[plugin.NAME]``.

    An unknown key or a wrong value stops the server and is named. Declare secrets as
    ``SecretStr``: they are shown masked, and ``<name>_file`` reads one from a file.
    """


@dataclass(frozen=True, slots=True)
class Manifest:
    """A plugin in one sentence, the core it needs, and the model of its settings.

    ``core`` is a range of core versions such as ``>=0.1,<1``
    (https://packaging.python.org/en/latest/specifications/version-specifiers/).
    ``migrations`` is the import path of a package with the SQL files that make the
    plugin's own tables (:mod:`fyr.core.store.migrating`); they are applied under the
    plugin's name before :meth:`Plugin.start`. Begin the names of tables with that name.
    Name and version are those of the entry point and of its distribution; a plugin
    that is a single file may give a ``version`` here. ``strips`` names resource types whose
    pictures lose place, camera and names when they are stored, unless the setting
    ``blobs.strip_pictures`` says which do.
    """

    summary: str = ""
    core: str = ""
    settings: type[PluginSettings] = PluginSettings
    version: str = ""
    migrations: str = ""
    strips: frozenset[str] = frozenset()


class Plugin:
    """A plugin that is an object: made once for each application, with its settings.

    Its hooks are methods marked with :func:`~fyr.core.hookimpl`. A plugin without
    settings and without state may be a module instead.
    """

    manifest: ClassVar[Manifest] = Manifest()
    settings: PluginSettings

    def __init__(self, settings: PluginSettings) -> None:
        """Take the settings, an instance of ``manifest.settings``.

        Open nothing here: :meth:`start` is told when everything stands.
        """
        self.settings = settings

    def missing(self, settings: Settings) -> Iterable[str]:
        """Tell what the settings lack without which this plugin does not start.

        Sentences that begin with the setting. Asked by ``fyr config check``, which opens
        and starts nothing.
        """
        return ()

    def start(self, application: Application) -> None:
        """Take what is needed of the application, before its first request."""

    def stop(self) -> None:
        """Give back what :meth:`start` opened."""

    def problem(self) -> str:
        """Tell what this plugin cannot do at the moment; empty when all is well.

        Asked by ``/health/ready``, which says what to administrators and to others only
        that there is something, and by ``/admin/plugins``. It is to wait for nobody.
        """
        return ""

    def cautions(self, deployment: Settings) -> Iterable[str]:
        """Tell what a deployer may not have meant by the settings, a sentence each.

        Asked by ``fyr config check``, without :meth:`start`, and once at the start of a
        server: it goes by the settings alone.

        :param deployment: all settings; those of this plugin are ``self.settings``.
        """
        return ()

    def reach(self, deployment: Settings) -> Iterable[str]:
        """Tell what is amiss with others, such as servers that the settings name.

        Asked by ``fyr config check --reach``, without :meth:`start`; it may take some
        seconds for each of them, and changes nothing there.

        :param deployment: as of :meth:`cautions`.
        """
        return ()
