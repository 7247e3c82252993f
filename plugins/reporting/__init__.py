"""Reporting: what analysts ask of the reporting index, at ``/reporting``.

The language, and all that answers it, is :mod:`fyr.search.reporting.asking`; here is who
may ask (``asking``), HTTP (``serving``), ``Observation/$lastn`` (``last_measurements``) and the command
line (``commands``). For those who
ask: ``docs/reporting.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import Manifest, Operation, Plugin, Route, hookimpl
from fyr.plugins.reporting.asking import Questions
from fyr.plugins.reporting.last_measurements import lastn
from fyr.plugins.reporting.serving import routes
from fyr.plugins.reporting.settings import ReportingPluginSettings

if TYPE_CHECKING:
    import click

    from fyr.core import Application

__all__ = ["ReportingPlugin"]


class ReportingPlugin(Plugin):
    """Answers questions about what is stored, from the reporting index."""

    manifest = Manifest(
        "Answers analysts' questions from the reporting index, at /reporting.",
        settings=ReportingPluginSettings,
    )
    settings: ReportingPluginSettings

    def start(self, application: Application) -> None:
        """Take the application; the index is looked for when it is asked."""
        self.questions = Questions(application, self.settings)

    def problem(self) -> str:
        """Tell when there is no index to ask."""
        return self.questions.problem() if hasattr(self, "questions") else ""

    @hookimpl
    def register_operations(self) -> Iterable[Operation]:
        """Offer ``Observation/$lastn``, which the index makes quick."""
        return [lastn(lambda: self.questions)]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve the language, and what may be asked."""
        return routes(self.questions, self.settings)

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        """Offer ``fyr report``."""
        from fyr.plugins.reporting.commands import report

        return [report]
