"""The job of an import: files are fetched first, then their lines are stored in groups.

A group is one transaction with how far the file has been read, so that a line is stored
once, however often a worker is killed. What cannot be stored is told by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from fyr.core import FyrError, Issue, JobContext, Refused, Session, Unavailable
from fyr.core.blobs import Blob
from fyr.core.clock import to_millis
from fyr.core.interactions.outcomes import outcome
from fyr.core.model import json
from fyr.core.store.statistics import refresh
from fyr.plugins.bulk_data.callers import restored
from fyr.plugins.bulk_data.exporting import NDJSON
from fyr.plugins.bulk_data.fetching import Fetching, SourceAway
from fyr.plugins.bulk_data.lines import Line, lines_of
from fyr.plugins.bulk_data.scope import task_context
from fyr.plugins.bulk_data.storing import Group, Planned, Refusal
from fyr.plugins.bulk_data.tasks import ACTIVE, DONE, File, Task, Tasks

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.plugins.bulk_data.settings import BulkDataSettings

IMPORT = "bulk-import"
#: After so many resources a database should look at its tables anew.
_MANY = 1000
_ADD_REFUSAL = """
    INSERT INTO bulk_refusal (task, input, line, outcome) VALUES (?, ?, ?, ?)
"""
_REFUSALS = """
    SELECT line, outcome FROM bulk_refusal
    WHERE task = ? AND input = ? AND line > ? ORDER BY line LIMIT 500
"""


class Importing:
    """Does imports."""

    def __init__(
        self, application: Application, tasks: Tasks, settings: BulkDataSettings
    ) -> None:
        """Take where tasks are kept."""
        self._application = application
        self._tasks = tasks
        self._settings = settings
        self.fetching = Fetching(application.settings, settings)

    def run(self, context: JobContext) -> str:
        """Do an import, or what is left of it."""
        task = self._tasks.get(context.arguments["task"])
        try:
            if task.state == ACTIVE and not task.progress:
                task = self._moved(task, _beginning(task))
            while task.state == ACTIVE:
                task = self._next(task, context)
        except Unavailable:
            raise
        except FyrError as error:
            self._tasks.fail(task, error)
            return "failed"
        return task.state

    def _next(self, task: Task, context: JobContext) -> Task:
        """Fetch what is not here yet, store a file, or end."""
        here = {one.number for one in self._tasks.files(task) if one.kind == "input"}
        inputs = task.asked["inputs"]
        missing = [n for n in range(len(inputs)) if n not in here]
        given_up = task.progress["refused"] >= self._settings.import_refusals
        if missing and not task.progress["input"]:
            return self._fetch(task, missing[0], context)
        if task.progress["input"] < len(inputs) and not given_up:
            return self._store(task, context)
        self._end(task, context, given_up)
        return self._tasks.get(task.id)

    def _fetch(self, task: Task, number: int, context: JobContext) -> Task:
        """Fetch one file, whole, before anything is stored."""
        source = task.asked["inputs"][number]
        chunks = _watched(self.fetching.chunks(source["url"]), number, context)
        try:
            blob = self._application.blobs.put(chunks, content_type=NDJSON)
        except SourceAway as error:
            self._note_try(task, number, error)
            raise
        file = File(number, "input", source["type"], 0, source["url"], blob.id)
        total = task.total + blob.size
        left = {key: one for key, one in task.progress.items() if key != "away"}
        return self._moved(task, left, total=total, file=file)

    def _note_try(self, task: Task, number: int, error: SourceAway) -> None:
        """Note for those who ask why there is nothing yet.

        :raises Refused: it was tried often enough.
        """
        tries = task.progress.get("away", {}).get("tries", 0) + 1
        if tries >= self._settings.import_fetch_tries:
            raise Refused(f"{error}; it was tried {tries} times") from error
        away = {"file": number + 1, "tries": tries, "reason": error.reason}
        self._moved(task, {**task.progress, "away": away})

    def _store(self, task: Task, context: JobContext) -> Task:
        """Store the lines of one file, from where it has been read to."""
        number = task.progress["input"]
        source = task.asked["inputs"][number]
        blob = self._blob(task, number)
        total = task.total or blob.size
        scope = task_context(self._application, task, restored(task.caller))
        group = Group(
            self._application.interactions,
            scope,
            source["type"],
            task.asked["match_by"],
        )
        for part in _ahead(group, self._groups(task, blob)):
            left = [part]
            while left:
                done, sofar = task.progress, task.done / max(total, 1)
                told = f"{done['stored']:,} stored, {done['refused']:,} refused"
                context.progress(min(sofar, 1.0), told)
                task, more = self._grouped(task, group, left.pop(0), total)
                left = more + left
                if task.progress["refused"] >= self._settings.import_refusals:
                    return task
        following = {**task.progress, "input": number + 1, "line": 0, "offset": 0}
        return self._moved(task, following, total=total)

    def _groups(self, task: Task, blob: Blob) -> Iterator[list[Line]]:
        lines = self._lines(task, blob)
        while group := list(islice(lines, self._settings.import_group)):
            yield group

    def _lines(self, task: Task, blob: Blob) -> Iterator[Line]:
        offset, number = task.progress["offset"], task.progress["line"]
        chunks = self._application.blobs.read(blob, offset, blob.size - offset)
        try:
            limit = self._settings.import_line_bytes
            yield from lines_of(chunks, limit, number=number, offset=offset)
        finally:
            chunks.close()

    def _grouped(
        self, task: Task, group: Group, part: Planned, total: int
    ) -> tuple[Task, list[Planned]]:
        """Store lines with how far that is; tell what of them is left."""
        moved: list[Task] = []

        def also(
            session: Session, last: Line, stored: int, refused: Sequence[Refusal]
        ) -> None:
            before = task.progress
            done = task.done + last.end - before["offset"]
            counts = [*before["counts"]]
            counts[before["input"]] += stored
            after = {
                **before,
                "line": last.number,
                "offset": last.end,
                "counts": counts,
                "stored": before["stored"] + stored,
                "refused": before["refused"] + len(refused),
            }
            session.run_many(
                _ADD_REFUSAL,
                [
                    (
                        task.id,
                        before["input"],
                        one.line,
                        json.dump(one.outcome()).decode(),
                    )
                    for one in refused
                ],
            )
            moved[:] = [self._move(session, task, after, total, done)]

        left = group.store(part, also)
        return moved[0], left

    def _move(
        self,
        session: Session,
        task: Task,
        progress: dict[str, Any],
        total: int,
        done: int,
    ) -> Task:
        return self._tasks.move(
            session, task, progress=progress, moment=0, total=total, done=done
        )

    def _moved(
        self,
        task: Task,
        progress: dict[str, Any],
        *,
        total: int | None = None,
        file: File | None = None,
    ) -> Task:
        def work(session: Session) -> Task:
            if file is not None:
                self._tasks.add_file(session, task.id, file)
            whole = task.total if total is None else total
            return self._move(session, task, progress, whole, task.done)

        return self._application.database.write(work)

    def _blob(self, task: Task, number: int) -> Blob:
        for one in self._tasks.files(task):
            if one.kind == "input" and one.number == number:
                blob = self._application.blobs.find(one.blob)
                if blob is not None:
                    return blob
        raise FyrError("a file to be imported is gone")

    def _end(self, task: Task, context: JobContext, given_up: bool) -> None:
        """Write the files of what was refused, and say that all is done."""
        inputs, counts = task.asked["inputs"], task.progress["counts"]
        if task.progress["stored"] >= _MANY:
            refresh(self._application.database)
        last = task.progress["input"] if given_up else -1
        files = [
            file
            for number, one in enumerate(inputs)
            if (file := self._refusals(task, number, one["url"], number == last))
        ]
        summary = {
            "moment": to_millis(self._application.clock()),
            "output": [
                {"type": one["type"], "inputUrl": one["url"], "count": count}
                for one, count in zip(inputs, counts, strict=True)
            ],
        }

        def work(session: Session) -> None:
            for file in files:
                self._tasks.add_file(session, task.id, file)
            session.run("DELETE FROM bulk_refusal WHERE task = ?", (task.id,))
            self._tasks.end(session, task, DONE, summary=summary)
            context.finish(session, "done")

        self._application.database.write(work)

    def _refusals(
        self, task: Task, number: int, url: str, given_up: bool
    ) -> File | None:
        """Write what was refused of one file; ``None``: nothing was."""
        counted = 0

        def outcomes() -> Iterator[bytes]:
            nonlocal counted
            after = -1
            while rows := self._application.database.rows(
                _REFUSALS, (task.id, number, after)
            ):
                after = rows[-1][0]
                counted += len(rows)
                yield b"".join(text.encode() + b"\n" for _, text in rows)
            if given_up:
                counted += 1
                told = f"given up after {task.progress['refused']} refusals"
                yield json.dump(outcome([Issue("too-costly", told)])) + b"\n"

        if not self._application.database.rows(_REFUSALS, (task.id, number, -1)):
            return None
        blob = self._application.blobs.put(outcomes(), content_type=NDJSON)
        place = len(task.asked["inputs"]) + number
        return File(place, "error", "OperationOutcome", counted, url, blob.id)


def _beginning(task: Task) -> dict[str, Any]:
    counts = [0] * len(task.asked["inputs"])
    place = {"input": 0, "line": 0, "offset": 0}
    return {**place, "counts": counts, "stored": 0, "refused": 0}


def _watched(
    chunks: Iterator[bytes], number: int, context: JobContext
) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        context.progress(0.0, f"file {number + 1}: {size:,} bytes fetched")
        yield chunk


def _ahead(group: Group, groups: Iterator[list[Line]]) -> Iterator[Planned]:
    """Receive each group while the one before it is stored: the database takes its time."""
    with ThreadPoolExecutor(1, thread_name_prefix="fyr-import") as pool:
        waiting: list[Future[list[Planned]]] = []
        for lines in groups:
            waiting.append(pool.submit(group.plan, lines))
            if len(waiting) > 1:
                yield from waiting.pop(0).result()
        for last in waiting:
            yield from last.result()
