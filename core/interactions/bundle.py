"""FHIR batch and transaction: https://hl7.org/fhir/R4/http.html#transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog

from fyr.core.clock import instant
from fyr.core.context import RequestContext
from fyr.core.errors import FyrError, Invalid, Issue, TooLarge
from fyr.core.interactions.admit import refuse_not_offered
from fyr.core.interactions.answer import Answer, Incoming
from fyr.core.interactions.entries import (
    Entry,
    entry_of,
    perform,
    place_of,
    refuse_criteria,
)
from fyr.core.interactions.outcomes import joined, outcome
from fyr.core.interactions.pages import bundle_of, response_entry, response_of
from fyr.core.interactions.show import full_url
from fyr.core.interactions.telling import tell
from fyr.core.interactions.transaction import refuse_late, transaction
from fyr.core.model import json
from fyr.core.model.validation import problems

if TYPE_CHECKING:
    from fyr.core.declarations.services import TransactionRules
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource

_IN_REQUEST = re.compile(r"Bundle\.entry\[(\d+)\]\.(request(?:\..*)?)")

log = structlog.get_logger("fyr.interactions")


def bundle(
    interactions: Interactions, context: RequestContext, source: Incoming, returns: str
) -> Answer:
    """Do what the entries ask for, each alone or all or none."""
    interactions.admit(context)
    sent = source.parse()
    kind = _kind(sent)
    context.interaction = kind
    refuse_not_offered(context)
    limits = context.service.transaction if kind == "transaction" else None
    raw, broken = _entries(interactions, sent, kind, limits)
    if kind == "batch":
        until = _until(interactions)
        answers = [
            _failed(Invalid.status, broken[number])
            if number in broken
            else _alone(interactions, context, number, one, returns, until)
            for number, one in enumerate(raw)
        ]
    else:
        entries = _understood(interactions, context, raw)
        done = transaction(interactions, entries, _until(interactions))
        answers = [
            told(entry, answer, returns)
            for entry, answer in zip(entries, done, strict=True)
        ]
    if interactions.hooks.answered:
        tell(interactions, context)
    return Answer(200, bundle_of(f"{kind}-response", answers))


def _until(interactions: Interactions) -> float:
    """Tell until when, by the monotonic clock, entries are begun."""
    return monotonic() + interactions.settings.fhir.bundle_seconds


def told(entry: Entry, answer: Answer, returns: str) -> bytes:
    """Make the entry of the answer that tells what became of an entry."""
    stored, body = answer.stored, answer.body
    about: Resource | None = outcome(answer.issues) if answer.issues else None
    if entry.writes:
        if returns != "representation":
            body = None
        if returns == "OperationOutcome":
            about = outcome(answer.issues)
    if entry.method == "HEAD":
        body = None
    name = full_url(entry.context, stored.type, stored.id) if stored and body else ""
    location = ""
    if stored is not None and not stored.deleted and entry.writes:
        location = f"{stored.type}/{stored.id}/_history/{stored.version}"
    response = response_of(
        answer.status,
        location=location,
        version=stored.version if stored else None,
        updated=instant(stored.updated) if stored else "",
        outcome=json.dump(about) if about else None,
    )
    return response_entry(response, name, body)


def _kind(sent: Resource) -> str:
    """Tell whether it is a batch or a transaction.

    :raises Invalid: it is neither.
    """
    kind = sent.get("type")
    if sent.get("resourceType") != "Bundle" or kind not in ("batch", "transaction"):
        raise Invalid(
            "what is sent to the base URL is a Bundle of type batch or transaction;"
            " to store a resource, send it to the URL of its type",
            expression=["Bundle.type"],
        )
    return str(kind)


def _entries(
    interactions: Interactions,
    sent: Resource,
    kind: str,
    limits: TransactionRules | None,
) -> tuple[list[Any], dict[int, list[Issue]]]:
    """Give the entries of a Bundle that is right but for the resources in it.

    :return: all entries, and the problems of those whose request is wrong, by number:
        entries of a batch fail alone, a transaction has none of them.
    :raises TooLarge: there are more than this server takes.
    :raises Invalid: its structure is wrong.
    """
    entries = sent.get("entry", [])
    most = interactions.settings.fhir.max_bundle_entries
    if limits is not None:
        most = min(most, limits.most_entries)
    if isinstance(entries, list) and len(entries) > most:
        raise TooLarge(f"the Bundle has {len(entries)} entries; {most} are allowed")
    frame = sent
    if isinstance(entries, list) and entries:
        frame = {**sent, "entry": [_without_resource(one) for one in entries]}
    found = problems(frame, expected_type="Bundle")
    broken = _of_requests(entries, found) if kind == "batch" else {}
    if len(found) > sum(len(issues) for issues in broken.values()):
        raise Invalid(found)
    return list(entries), broken


def _of_requests(entries: Any, found: Sequence[Issue]) -> dict[int, list[Issue]]:
    """Choose the problems that lie within the request of an entry, by its number."""
    chosen: dict[int, list[Issue]] = {}
    for issue in found:
        match = _IN_REQUEST.fullmatch(issue.expression[0]) if issue.expression else None
        if match is None or not isinstance(entries[int(match[1])]["request"], dict):
            continue
        inside = replace(issue, expression=(match[2],))
        chosen.setdefault(int(match[1]), []).append(inside)
    return chosen


def _without_resource(entry: Any) -> Any:
    if not isinstance(entry, dict) or "request" not in entry:
        return entry
    return {name: value for name, value in entry.items() if name != "resource"}


def _understood(
    interactions: Interactions, context: RequestContext, raw: Sequence[Resource]
) -> list[Entry]:
    entries: list[Entry] = []
    failures: list[tuple[str, FyrError]] = []
    for number, one in enumerate(raw):
        try:
            entry = entry_of(interactions, context, number, one)
            refuse_criteria(entry)
            entries.append(entry)
        except FyrError as error:
            failures.append((place_of(number), error))
    if failures:
        raise joined(failures)
    return entries


def _alone(
    interactions: Interactions,
    context: RequestContext,
    number: int,
    raw: Resource,
    returns: str,
    until: float,
) -> bytes:
    """Do what an entry of a batch asks for; what goes wrong is its own answer."""
    asked = context
    try:
        refuse_late(until)
        entry = entry_of(interactions, context, number, raw)
        asked = entry.context
        return told(entry, perform(interactions, entry), returns)
    except FyrError as error:
        failed, issues = error.status, error.issues
    except Exception as error:
        # The entries before it are done, and the client is to hear of them.
        log.error("bug in an entry of a batch", entry=number, exc_info=error)
        failed = 500
        issues = (Issue("exception", "the server failed on this entry"),)
    if interactions.hooks.answered:
        tell(interactions, asked, status=failed)
    return _failed(failed, issues)


def _failed(status: int, issues: Sequence[Issue]) -> bytes:
    response = response_of(status, outcome=json.dump(outcome(issues)))
    return response_entry(response, "", None)
