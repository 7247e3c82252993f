"""Who asks, and what they may know; the index of the running server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from fyr.core import NotSupported
from fyr.search import Search
from fyr.search.reporting.asking.desk import Caller, Desk, Told

if TYPE_CHECKING:
    from fyr.core import Application, Principal, RequestContext
    from fyr.plugins.reporting.settings import ReportingPluginSettings


class Questions:
    """Answers questions at one application."""

    def __init__(
        self, application: Application, settings: ReportingPluginSettings
    ) -> None:
        """Take where the index is to be found, and who may know what."""
        self._application = application
        self._settings = settings
        self._desk: Desk | None = None
        self._lock = threading.Lock()

    def answer(self, data: bytes, caller: Caller) -> Told:
        """Answer a question as it was sent; raises what :meth:`Desk.answer` does."""
        return self.desk().answer(data, caller)

    def answer_request(self, data: bytes, context: RequestContext) -> Told:
        """Answer a question of a request, of which an audit log is told before."""
        caller = self.of_request(context)
        context.patients = patients_of(data, caller.relative)
        told = self.answer(data, caller)
        noted = replace(
            context, interaction="operation", operation=NAME, resource_type=told.type
        )
        self._application.answered(noted, None, 200)
        return told

    def projections(self, caller: Caller) -> Iterator[dict[str, Any]]:
        """Tell what may be asked about, by type."""
        known = self.desk().known(caller)
        for one in known.projections.values():
            columns = [
                {
                    "name": column.name,
                    "type": column.type,
                    "many": column.many,
                    "description": column.description,
                    **({"personal": column.personal} if column.personal else {}),
                }
                for column in one.all
                if not known.is_hidden(column)
            ]
            yield {"type": one.type, "patients": bool(one.patient), "columns": columns}

    def of_request(self, context: RequestContext) -> Caller:
        """Tell who sends a request."""
        principal = context.principal
        name = f"{principal.issuer} {principal.user_type} {principal.user_id}"
        return Caller(name, self._least(principal), self._relative(context))

    def of_operator(self, *, anonymized: bool) -> Caller:
        """Give the caller of a command line."""
        least = self._settings.least_patients if anonymized else 0
        return Caller("fyr", least)

    def problem(self) -> str:
        """Tell when there is no index to ask."""
        return "" if self._search().reporting else _NO_INDEX

    def desk(self) -> Desk:
        """Give where questions are answered.

        :raises NotSupported: this server has no reporting index.
        """
        with self._lock:
            if self._desk is None:
                search = self._search()
                if search.reporting is None:
                    raise NotSupported(_NO_INDEX)
                self._desk = Desk(
                    search.reporting,
                    search.engine.cursors,
                    self._application.clock,
                    self._settings.bounds,
                )
            return self._desk

    def _search(self) -> Search:
        if found := self._application.plugin(Search):
            return found
        raise NotSupported("this server has no plugin `search`, which has the index")

    def _least(self, principal: Principal) -> int:
        free = (
            principal.unrestricted
            or self._settings.non_anonymized_privilege in principal.privileges
        )
        return 0 if free else self._settings.least_patients

    def _relative(self, context: RequestContext) -> Callable[[str], str]:
        """Make what knows this deployment's own URLs, whatever they are asked by."""
        addresses = self._search().engine.addresses
        return lambda url: addresses.relative(context, url)


def patients_of(data: bytes, relative: Callable[[str], str]) -> tuple[str, ...]:
    """Tell the patients that the filter of a question names, as references.

    A question that cannot be read names none; it is refused by who reads it.
    """
    try:
        asked = orjson.loads(data)
    except orjson.JSONDecodeError:
        return ()
    criteria = asked.get("filter") if isinstance(asked, dict) else None
    if not isinstance(criteria, str):
        return ()
    naming = {"patient", "subject"}
    if asked.get("from") == "Patient":
        naming.add("_id")
    named = [
        _patient(relative(one))
        for name, value in parse_qsl(criteria)
        if name.partition(":")[0] in naming
        for one in value.split(",")
    ]
    return tuple(dict.fromkeys(filter(None, named)))[:_MOST_NAMED]


def _patient(value: str) -> str:
    kind, _, identity = value.rpartition("/")
    if not identity or (kind and kind.rpartition("/")[2] != "Patient"):
        return ""
    return value if kind else f"Patient/{identity}"


#: More patients of one question are not told one by one.
_MOST_NAMED = 100
#: What a question is called in an audit log.
NAME = "report-query"
_NO_INDEX = "this server has no reporting index: the setting reporting.url is empty"
