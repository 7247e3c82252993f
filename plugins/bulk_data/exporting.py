"""The job of an export: the list first, then a file after the other.

Each file is kept in a transaction with how far the list has been written, so that a
worker which is killed loses one file and whoever comes next goes on behind the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fyr.core import FyrError, Issue, JobContext, Session, Unavailable
from fyr.core.interactions.outcomes import outcome
from fyr.core.model import json
from fyr.plugins.bulk_data.asked import Asked
from fyr.plugins.bulk_data.collecting import Collecting
from fyr.plugins.bulk_data.scope import Scope
from fyr.plugins.bulk_data.tasks import ACTIVE, DONE, File, Task, Tasks
from fyr.plugins.bulk_data.writing import (
    Deletes,
    Lines,
    Versions,
    elements_for,
    read_keys,
    teller,
)

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.plugins.bulk_data.settings import BulkDataSettings

EXPORT = "bulk-export"
NDJSON = "application/fhir+ndjson"


class Exporting:
    """Does exports."""

    def __init__(
        self, application: Application, tasks: Tasks, settings: BulkDataSettings
    ) -> None:
        """Take where tasks are kept."""
        self._application = application
        self._tasks = tasks
        self._settings = settings

    def run(self, context: JobContext) -> str:
        """Do an export, or what is left of it."""
        task = self._tasks.get(context.arguments["task"])
        try:
            if task.state == ACTIVE and not task.progress:
                task = self._collect(task, context)
            while task.state == ACTIVE:
                task = self._next(task, context)
        except Unavailable:
            raise
        except FyrError as error:
            self._tasks.fail(task, error)
            return "failed"
        return task.state

    def _scope(self, task: Task) -> Scope:
        return Scope.of_task(self._application, task, Asked.of(task.asked))

    def _collect(self, task: Task, context: JobContext) -> Task:
        """Find what will be in the files, and keep the list."""
        application = self._application
        collecting = Collecting(
            application,
            self._scope(task),
            context,
            self._settings.settle_seconds,
        )
        fence = collecting.fence()
        blob = application.database.read(
            lambda session: application.blobs.put(
                collecting.keys(session, fence), content_type="application/octet-stream"
            )
        )
        found = collecting.found
        issues = [[one.code, one.diagnostics, one.severity] for one in found.issues]
        progress = {
            "sections": found.kept(),
            "section": 0,
            "offset": 0,
            "files": 1,
            "gone": 0,
            "without": 0,
            "issues": issues,
        }
        keys = File(0, "keys", "keys", found.total, "", blob.id)

        def work(session: Session) -> Task:
            self._tasks.add_file(session, task.id, keys)
            return self._tasks.move(
                session,
                task,
                progress=progress,
                moment=found.moment,
                total=found.total,
                done=0,
            )

        return application.database.write(work)

    def _next(self, task: Task, context: JobContext) -> Task:
        """Write the next file, or end."""
        progress = task.progress
        if progress["section"] < len(progress["sections"]):
            return self._write(task, context)
        self._end(task, context)
        return self._tasks.get(task.id)

    def _write(self, task: Task, context: JobContext) -> Task:
        progress = dict(task.progress)
        section = progress["sections"][progress["section"]]
        lines = self._lines(task, section, context)
        blob = self._application.blobs.put(lines, content_type=NDJSON)
        progress["offset"] += lines.taken
        progress["gone"] += lines.gone
        progress["without"] += lines.without
        if progress["offset"] >= section["count"]:
            progress["section"], progress["offset"] = progress["section"] + 1, 0
        kind = section["type"] if section["kind"] == "output" else "Bundle"
        number = progress["files"]
        file = File(number, section["kind"], kind, lines.count, "", blob.id)
        progress["files"] += bool(lines.count)

        def work(session: Session) -> Task:
            if lines.count:
                self._tasks.add_file(session, task.id, file)
            return self._tasks.move(
                session,
                task,
                progress=progress,
                moment=task.moment,
                total=task.total,
                done=task.done + lines.taken,
            )

        return self._application.database.write(work)

    def _lines(self, task: Task, section: dict[str, Any], context: JobContext) -> Lines:
        """Give the lines of what is left of a section."""
        interactions = self._application.interactions
        offset = task.progress["offset"]
        (list_file,) = (one for one in self._tasks.files(task) if one.kind == "keys")
        blob = self._application.blobs.find(list_file.blob)
        if blob is None:
            raise FyrError("the list of an export is gone")
        parts = read_keys(
            interactions, blob, section["start"] + offset, section["count"] - offset
        )
        keys = _watched(parts, task, context)
        limit, kind = self._settings.file_bytes, section["type"]
        if section["kind"] == "deleted":
            return Deletes(keys, limit, kind, interactions)
        scope = self._scope(task)
        shown = scope.search(kind, ())
        # Asked again, as rights may have changed since, and for what hides a part.
        if kind != "Provenance" or not scope.asked.associated:
            shown.mask = self._application.database.read(
                lambda session: scope.mask(session, kind)
            )
        elements = elements_for(kind, scope.asked.elements)
        told = teller(interactions, scope.context, kind)
        return Versions(keys, limit, interactions, shown, elements, told)

    def _end(self, task: Task, context: JobContext) -> None:
        """Say that all files are there."""
        progress = task.progress
        issues = [
            Issue(code, text, severity=severity)
            for code, text, severity in progress["issues"]
        ]
        if progress["gone"]:
            text = f"{progress['gone']} versions were removed while this was written"
            issues.append(Issue("deleted", text, severity="warning"))
        if progress["without"]:
            text = f"{progress['without']} resources point at content that is not there"
            issues.append(Issue("incomplete", text, severity="warning"))
        blob = None
        if issues:
            line = json.dump(outcome(issues)) + b"\n"
            blob = self._application.blobs.put([line], content_type=NDJSON)

        def work(session: Session) -> None:
            if blob is not None:
                number = progress["files"]
                file = File(number, "error", "OperationOutcome", 1, "", blob.id)
                self._tasks.add_file(session, task.id, file)
            self._tasks.end(session, task, DONE)
            context.finish(session, "done")

        self._application.database.write(work)


def _watched(parts: Any, task: Task, context: JobContext) -> Any:
    """Pass keys on, telling how far it is."""
    done = task.done
    for part in parts:
        told = f"{done:,} of {task.total:,} resources"
        context.progress(done / max(task.total, 1), told)
        yield part
        done += len(part)
