"""How far an export or import is, its manifest and its files, over HTTP.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html#bulk-data-status-request. Only for who
asked for it; for anybody else it is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from fyr.core import Forbidden, FyrError, Invalid, NotFound, Refused, Route
from fyr.core.clock import instant, to_millis
from fyr.core.errors import TooLarge
from fyr.core.rest.blob_content import give_content
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.http_dates import http_date
from fyr.plugins.bulk_data import describing
from fyr.plugins.bulk_data.asked import Asked
from fyr.plugins.bulk_data.callers import owner_of
from fyr.plugins.bulk_data.exporting import NDJSON
from fyr.plugins.bulk_data.scope import Scope, task_context
from fyr.plugins.bulk_data.tasks import (
    ACTIVE,
    FAILED,
    GIVEN_UP,
    File,
    Task,
    Tasks,
    issues_of,
)

if TYPE_CHECKING:
    from fyr.core import Application, RequestContext
    from fyr.plugins.bulk_data.settings import BulkDataSettings

BASE = "/bulk-data"
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NAME = re.compile(r"[A-Za-z]{1,64}-([0-9]{1,9})\.ndjson", re.ASCII)
#: What an export or import that failed is answered as.
_FAILURES: dict[int, type[FyrError]] = {
    400: Invalid,
    403: Forbidden,
    404: NotFound,
    413: TooLarge,
    422: Refused,
}
_SHOWN = ("output", "deleted", "error")


class Serving:
    """What the resources share."""

    def __init__(
        self, application: Application, tasks: Tasks, settings: BulkDataSettings
    ) -> None:
        """Take where tasks and files are."""
        self.application = application
        self.tasks = tasks
        self.settings = settings
        self._public_url = application.settings.server.public_url.rstrip("/")

    def routes(self) -> Iterator[Route]:
        """Tell where each resource is."""
        one = f"{BASE}/{{task_id}}"
        yield Route(
            one,
            _Status(self),
            "How far it is; cancel it.",
            decides=True,
            operations=describing.STATUS,
        )
        yield Route(
            f"{one}/{{name}}",
            _File(self),
            "A file.",
            decides=True,
            operations=describing.FILE,
        )

    def mine(self, req: FyrRequest, task_id: str) -> Task:
        """Find a task of the caller's, who may still do such a thing.

        :raises NotFound: there is none of this caller.
        :raises Forbidden: the caller may not any more.
        """
        caller = caller_of(req)
        if not _ID.fullmatch(task_id):
            raise NotFound("there is no such export or import, or its time is over")
        task = self.tasks.get(task_id)
        over = task.expires < to_millis(self.application.clock())
        if over or task.owner != owner_of(caller.principal):
            raise NotFound("there is no such export or import, or its time is over")
        context = task_context(self.application, task, caller.principal)
        context.parent = caller
        self.application.interactions.admit(context)
        return task

    def require_content(self, req: FyrRequest, task: Task, file: File) -> None:
        """Ask anew for what a file holds, with the caller's rights and context of now.

        What has been collected stays for hours, and its caller may have another context
        by then, or have left a care team.

        :raises Forbidden: the caller may not search for it any more, or would find
            something else.
        """
        if task.kind != "export" or file.kind == "error":
            return
        asked = Asked.of(task.asked)
        context = task_context(self.application, task, caller_of(req).principal)
        now = Scope(self.application, self.application.interactions, context, asked)
        then = Scope.of_task(self.application, task, asked)
        if file.kind == "output" and not (
            file.type == "Provenance" and asked.associated
        ):
            kinds = [file.type]
            refused = now.refused(kinds)
        else:
            # All types together: those that the call was given and this caller is not.
            kinds = now.types()
            refused = now.refused(kinds)
            given = self._given(task, asked)
            for kind in then.refused([one for one in refused if one not in given]):
                del refused[kind]
                kinds.remove(kind)
        if refused:
            raise next(iter(refused.values()))
        _require_same_bounds(now, then, kinds)

    def _given(self, task: Task, asked: Asked) -> set[str]:
        """Tell the types that are known to be in it, whatever its caller may see now."""
        files = [one for one in self.tasks.files(task) if one.kind == "output"]
        given = {*asked.types, *(one.type for one in files)}
        return given - {"Provenance"} if asked.associated else given

    def root(self, req: FyrRequest) -> str:
        """Tell what stands before the paths of this server."""
        return self._public_url or f"{req.scheme}://{req.netloc}"

    def manifest(self, req: FyrRequest, task: Task) -> dict[str, Any]:
        """Tell which files there are."""
        files = [one for one in self.tasks.files(task) if one.kind in _SHOWN]
        moment = task.progress.get("moment", task.moment)
        told: dict[str, Any] = {
            "transactionTime": instant(moment),
            "request": task.request,
            "requiresAccessToken": self.application.settings.security.mode != "open",
            # Of an import, what was stored of each of its files.
            "output": [*task.progress.get("output", ())],
            "error": [],
        }
        if task.asked.get("since") is not None:
            told["deleted"] = []
        for file in files:
            told[file.kind].append(self._entry(req, task, file))
        return told

    def _entry(self, req: FyrRequest, task: Task, file: File) -> dict[str, Any]:
        url = f"{self.root(req)}{BASE}/{task.id}/{file.name}"
        entry: dict[str, Any] = {"type": file.type, "url": url, "count": file.count}
        if file.source:
            entry["inputUrl"] = file.source
        return entry


class _Status:
    """``/bulk-data/{id}``."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def on_get(self, req: FyrRequest, resp: FyrResponse, task_id: str) -> None:
        """Tell how far it is, or which files there are."""
        task = self._serving.mine(req, task_id)
        resp.add({"cache-control": "no-store"})
        if task.state == ACTIVE:
            self._going_on(resp, task)
        elif task.state == FAILED:
            status = task.error.get("status", 500)
            raise _FAILURES.get(status, FyrError)(issues_of(task))
        else:
            resp.data = orjson.dumps(self._serving.manifest(req, task))
            expires = http_date(task.expires // 1000)
            resp.add({"content-type": "application/json", "expires": expires})

    def on_delete(self, req: FyrRequest, resp: FyrResponse, task_id: str) -> None:
        """Cancel it, or remove its files before their time."""
        self._serving.tasks.cancel(self._serving.mine(req, task_id))
        resp.status = 202

    def _going_on(self, resp: FyrResponse, task: Task) -> None:
        job = self._serving.application.jobs.state(task.job)
        if job.state == "failed":
            raise FyrError(GIVEN_UP)
        told = job.note or "waiting"
        if task.kind == "export" and task.total:
            # What is in files stays there, whatever happens to the worker.
            told = f"{task.done:,} of {task.total:,} resources"
        if away := task.progress.get("away"):
            told += f"; file {away['file']} was tried {away['tries']} times: {away['reason']}"
        seconds = str(self._serving.settings.poll_seconds)
        resp.status = 202
        resp.add({"retry-after": seconds, "x-progress": told})


class _File:
    """``/bulk-data/{id}/{name}``."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def on_get(
        self, req: FyrRequest, resp: FyrResponse, task_id: str, name: str
    ) -> None:
        """Answer the lines, or some bytes of them."""
        serving = self._serving
        task = serving.mine(req, task_id)
        file = self._find(task, name)
        serving.require_content(req, task, file)
        blobs = serving.application.blobs
        blob = blobs.find(file.blob)
        if blob is None:
            raise NotFound("the file has just been removed")
        give_content(
            req,
            resp,
            blobs,
            blob,
            content_type=NDJSON,
            etag=f'"{blob.sha256[:32]}"',
            updated=task.ended,
            pack=True,
        )

    on_head = on_get

    def _find(self, task: Task, name: str) -> File:
        match = _NAME.fullmatch(name)
        if match and task.state != ACTIVE:
            for file in self._serving.tasks.files(task):
                if file.name == name and file.kind in _SHOWN:
                    return file
        raise NotFound(f"there is no file {name[:80]!r}")


def _require_same_bounds(now: Scope, then: Scope, kinds: Sequence[str]) -> None:
    """Refuse what was collected by searches that were kept inside of something else.

    Those that have to name a context name that of then, and are refused in another one;
    those that are made narrower by themselves name none.
    """
    for kind in kinds:
        if now.bounds(kind) != then.bounds(kind):
            raise Forbidden(
                f"{kind} was exported in another context, or with other rights: export"
                " it again"
            )


def caller_of(req: FyrRequest) -> RequestContext:
    """Tell who asks; routes that are not public are admitted first."""
    caller = req.context.caller
    assert caller is not None
    return caller
