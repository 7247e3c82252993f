"""Waiting for a job that a worker runs, with a progress bar."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.jobs import JobState

_LOOK_SECONDS = 0.2


def wait_for(application: Application, job: str, label: str) -> JobState:
    """Wait for the end of a job.

    :param label: what it does, before the bar: ``Indexing``.
    :raises click.ClickException: it has failed, or somebody cancelled it.
    """
    pause = threading.Event()
    with click.progressbar(length=1000, label=label) as bar:
        while (found := application.jobs.state(job)).finished is None:
            bar.update(max(0, int(found.progress * 1000) - bar.pos))
            pause.wait(_LOOK_SECONDS)
        bar.update(1000 - bar.pos)
    if found.state != "done":
        raise click.ClickException(f"job {job} {found.state}: {found.error}")
    return found
