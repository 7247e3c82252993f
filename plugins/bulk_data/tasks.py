"""Exports and imports as they are kept: who asked for what, how far it is, which files.

One worker at a time moves a task on. Each step is a transaction that asks for the step
before it, so that a worker which was thought dead cannot take one twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fyr.core import FyrError, Issue, NotFound, Session
from fyr.core.clock import to_millis
from fyr.core.errors import TooManyRequests
from fyr.core.jobs import Cancelled, Interrupted
from fyr.core.store.migrating import migrate
from fyr.plugins.bulk_data.callers import kept, owner_of

if TYPE_CHECKING:
    from fyr.core import Application, RequestContext
    from fyr.plugins.bulk_data.settings import BulkDataSettings

#: Namespace of the migrations.
NAME = "bulk_data"
ACTIVE, DONE, FAILED, CANCELLED = "active", "done", "failed", "cancelled"
GIVEN_UP = "it could not be done; the log of the server says why"
#: Later than any task expires.
_NEVER = 2**62

_COLUMNS = (
    "id, kind, owner, caller, service, base_url, request, asked, job, state, step,"
    " progress, moment, total, done, error, created, ended, expires"
)
_ADD = f"INSERT INTO bulk_task ({_COLUMNS}) VALUES ({', '.join('?' * 19)})"
_GET = f"SELECT {_COLUMNS} FROM bulk_task WHERE id = ?"
_COUNT = "SELECT COUNT(*) FROM bulk_task WHERE owner = ? AND state = 'active'"
_MOVE = """
    UPDATE bulk_task SET step = step + 1, progress = ?, moment = ?, total = ?, done = ?
    WHERE id = ? AND step = ? AND state = 'active'
"""
_STEP = "SELECT step, state FROM bulk_task WHERE id = ?"
_END = """
    UPDATE bulk_task SET state = ?, error = ?, ended = ?, expires = ?, progress = ?
    WHERE id = ? AND state = 'active'
"""
_ADD_FILE = """
    INSERT INTO bulk_file (task, number, kind, type, count, source, blob)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_FILE_COLUMNS = "number, kind, type, count, source, blob"
_FILES = f"SELECT {_FILE_COLUMNS} FROM bulk_file WHERE task = ? ORDER BY number"
_GIVEN_UP = """
    SELECT t.id FROM bulk_task t LEFT JOIN job j ON j.id = t.job
    WHERE t.state = 'active' AND (j.id IS NULL OR j.state NOT IN ('waiting', 'running'))
"""
_LISTED = """
    SELECT id, kind, owner, service, state, done, total, created FROM bulk_task
    ORDER BY created, id
"""
_EXPIRED = "SELECT id FROM bulk_task WHERE expires < ? ORDER BY expires LIMIT 100"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a task."""

    number: int
    #: ``output``, ``deleted`` or ``error``; ``keys`` and ``input`` are not shown
    kind: str
    type: str
    #: lines in it
    count: int
    #: of what an import did: the URL that it was fetched from
    source: str
    blob: str

    @property
    def name(self) -> str:
        """The last part of its URL."""
        return f"{self.type}-{self.number}.ndjson"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list of all tasks tells of one."""

    id: str
    kind: str
    owner: str
    service: str
    state: str
    done: int
    total: int
    #: milliseconds since 1970, UTC
    created: int


@dataclass(frozen=True, slots=True)
class Task:
    """One export or import; times in milliseconds since 1970, UTC, 0 for not yet."""

    id: str
    #: ``export`` or ``import``
    kind: str
    #: who may ask for it
    owner: str
    #: the principal, for the worker
    caller: dict[str, Any]
    service: str
    base_url: str
    #: the URL that was called
    request: str
    asked: dict[str, Any]
    job: str
    state: str
    step: int
    #: what the worker needs to go on
    progress: dict[str, Any]
    #: ``transactionTime``
    moment: int
    total: int
    done: int
    #: status and issues of what has failed
    error: dict[str, Any]
    created: int
    ended: int
    expires: int


class Tasks:
    """The tasks of a deployment."""

    def __init__(self, application: Application, settings: BulkDataSettings) -> None:
        """Take where they are kept, and bring their tables up to date."""
        self._application = application
        self._database = application.database
        self._settings = settings
        folder = files("fyr.plugins.bulk_data.migrations")
        apply = application.settings.store.migrate
        migrate(self._database, namespace=NAME, folder=folder, apply=apply)

    def begin(
        self,
        session: Session,
        context: RequestContext,
        *,
        kind: str,
        request: str,
        asked: dict[str, Any],
        files: Iterable[File] = (),
    ) -> str:
        """Note what somebody asks for, have a worker do it, and tell the id.

        :param files: that it brings.
        :raises TooManyRequests: this principal has enough going on.
        """
        owner = owner_of(context.principal)
        # Two that come at once are counted one after the other.
        self._application.resources.claim(session, f"bulk {owner}")
        if session.rows(_COUNT, (owner,))[0][0] >= self._settings.most_active:
            raise TooManyRequests(
                f"{self._settings.most_active} exports and imports are going on: wait"
                " for one to end, or cancel it",
                headers={"Retry-After": str(self._settings.poll_seconds)},
            )
        task_id = uuid4().hex
        job = self._application.jobs.submit(session, f"bulk-{kind}", {"task": task_id})
        caller = _dump(kept(context.principal))
        given = (task_id, kind, owner, caller, context.service.name)
        how = (context.base_url, request, _dump(asked), job, ACTIVE, 0, "{}")
        session.run(_ADD, (*given, *how, 0, 0, 0, "{}", self._now(), 0, _NEVER))
        for file in files:
            self.add_file(session, task_id, file)
        return task_id

    def get(self, task_id: str) -> Task:
        """Tell about a task.

        :raises NotFound: there is none, or its time is over.
        """
        rows = self._database.rows(_GET, (task_id,))
        if not rows:
            raise NotFound("there is no such export or import, or its time is over")
        row = list(rows[0])
        for place in (3, 7, 11, 15):
            row[place] = json.loads(row[place])
        return Task(*row)

    def listed(self) -> list[Listed]:
        """Tell of all tasks, whoever's they are, the oldest first."""
        return [Listed(*row) for row in self._database.rows(_LISTED)]

    def move(
        self,
        session: Session,
        task: Task,
        *,
        progress: dict[str, Any],
        moment: int,
        total: int,
        done: int,
    ) -> Task:
        """Take the next step of a task, with all else that the transaction does.

        :return: the task as it is once this is committed.
        :raises JobStopped: it was cancelled, or somebody else has taken this step.
        """
        told = (_dump(progress), moment, total, done)
        session.run(_MOVE, (*told, task.id, task.step))
        rows = session.rows(_STEP, (task.id,))
        if not rows or rows[0][1] != ACTIVE:
            raise Cancelled(task.id)
        if rows[0][0] != task.step + 1:
            raise Interrupted(task.id)
        return replace(
            task,
            step=task.step + 1,
            progress=progress,
            moment=moment,
            total=total,
            done=done,
        )

    def add_file(self, session: Session, task_id: str, file: File) -> None:
        """Keep a file for as long as the task is kept."""
        self._application.blobs.refer(session, file.blob, f"bulk/{task_id}")
        row = (file.number, file.kind, file.type, file.count, file.source, file.blob)
        session.run(_ADD_FILE, (task_id, *row))

    def files(self, task: Task) -> list[File]:
        """Tell the files of a task."""
        return [File(*row) for row in self._database.rows(_FILES, (task.id,))]

    def drop_files(self, session: Session, task_id: str, kinds: Iterable[str]) -> None:
        """Let files of some kinds go; none: all of them."""
        wanted = set(kinds)
        for row in session.rows(_FILES, (task_id,)):
            if not wanted or row[1] in wanted:
                self._application.blobs.release(session, row[5])
                sql = "DELETE FROM bulk_file WHERE task = ? AND number = ?"
                session.run(sql, (task_id, row[0]))

    def end(
        self,
        session: Session,
        task: Task,
        state: str,
        error: dict[str, Any] | None = None,
        summary: dict[str, Any] | None = None,
    ) -> None:
        """Say that a task has ended; what only its worker needed goes.

        :param summary: what is to be told of it beside its files.
        """
        now = self._now()
        expires = now + int(self._settings.keep_hours * 3_600_000)
        told = (state, _dump(error or {}), now, expires, _dump(summary or {}))
        session.run(_END, (*told, task.id))
        self.drop_files(session, task.id, ["keys", "input"])

    def fail(self, task: Task, error: FyrError) -> None:
        """Say that a task cannot be done, and why."""
        told = {"status": error.status, "issues": [_told(one) for one in error.issues]}

        def work(session: Session) -> None:
            self.drop_files(session, task.id, ())
            self.end(session, task, FAILED, told)

        self._database.write(work)

    def cancel(self, task: Task) -> None:
        """End a task and remove its files, at once."""

        def work(session: Session) -> None:
            self._application.jobs.cancel(session, task.job)
            self._remove(task.id, session)

        self._database.write(work)

    def expire(self) -> int:
        """Remove what nobody may ask for any more; tell how many tasks.

        What was tried in vain until its job was given up has ended, too.
        """
        count = 0
        for (task_id,) in self._database.rows(_GIVEN_UP):
            self.fail(self.get(task_id), FyrError(GIVEN_UP))
        while rows := self._database.rows(_EXPIRED, (self._now(),)):
            for (task_id,) in rows:
                self._database.write(partial(self._remove, task_id))
                count += 1
        return count

    def _remove(self, task_id: str, session: Session) -> None:
        self.drop_files(session, task_id, ())
        session.run("DELETE FROM bulk_refusal WHERE task = ?", (task_id,))
        session.run("DELETE FROM bulk_task WHERE id = ?", (task_id,))

    def _now(self) -> int:
        return to_millis(self._application.clock())


def issues_of(task: Task) -> Sequence[Issue]:
    """Tell why a task has failed."""
    return [Issue(*one) for one in task.error.get("issues", ())]


def _told(issue: Issue) -> list[Any]:
    return [issue.code, issue.diagnostics, list(issue.expression), issue.severity]


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
