"""What goes wrong at Elasticsearch, in our words and without the values it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from elastic_transport import ConnectionTimeout, TransportError
from elasticsearch import ApiError, SerializationError

from fyr.core.errors import FyrError, Invalid, TookTooLong, Unavailable
from fyr.search.reporting.port import NoSuchGeneration

#: What Elasticsearch repeats of a document that it refuses.
_PREVIEW = re.compile(
    r"\. Preview of field's value: '.*'|; prefix of the first.*", re.DOTALL
)


def reason_of(error: Any) -> str:
    """Say what an error of Elasticsearch says, without the value that it is about."""
    if not isinstance(error, Mapping):
        return str(error)[:500]
    told = str(error.get("reason") or error.get("type") or "")
    cause = error.get("caused_by")
    if isinstance(cause, Mapping) and cause.get("type"):
        told = f"{told} ({cause['type']})"
    return _PREVIEW.sub("", told)[:500]


class Existing(FyrError):
    """An index of the name is there."""


@contextmanager
def in_our_words() -> Iterator[None]:
    """Let none of the client's exceptions out."""
    try:
        yield
    except ApiError as error:
        _tell(error)
    except ConnectionTimeout as error:
        raise TookTooLong("it takes Elasticsearch too long") from error
    except (TransportError, SerializationError) as error:
        raise Unavailable(
            f"Elasticsearch cannot be reached: {type(error).__name__}"
        ) from error


def _ran_out_of_time(told: Any) -> bool:
    """Whether a shard gave up by the ``timeout`` that it was asked with."""
    causes = told.get("root_cause", ()) if isinstance(told, Mapping) else ()
    return any(one.get("reason") == "Time exceeded" for one in causes)


def _tell(error: ApiError) -> NoReturn:
    status = error.status_code
    body = error.body if isinstance(error.body, Mapping) else {}
    told = body.get("error", {})
    kind = told.get("type", "") if isinstance(told, Mapping) else ""
    reason = reason_of(told)
    if kind == "resource_already_exists_exception":
        raise Existing(reason) from error
    if kind in ("index_not_found_exception", "search_context_missing_exception"):
        raise NoSuchGeneration(reason) from error
    if status in (401, 403):
        raise Unavailable("Elasticsearch refuses the credentials of [reporting]") from (
            error
        )
    if _ran_out_of_time(told):
        raise TookTooLong("it takes Elasticsearch too long") from error
    if status in (408, 429) or status >= 500:
        raise Unavailable(f"Elasticsearch cannot answer now: {reason}") from error
    if status == 400:
        raise Invalid(f"Elasticsearch refuses a request: {reason}") from error
    raise FyrError(f"Elasticsearch refuses a request: {reason}") from error
