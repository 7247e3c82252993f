"""What goes into an interaction and what comes out of it, without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fyr.core.errors import Issue
from fyr.core.store.port import Stored

if TYPE_CHECKING:
    from fyr.core.model.patch import Patch  # noqa: F401 - named in a text below
    from fyr.core.model.resource import Resource

T = TypeVar("T")


class Source(Generic[T]):
    """A body that is parsed when it is asked for, once its sender has been admitted."""

    __slots__ = ("_given", "alone")

    def __init__(self, given: T | Callable[[], T]) -> None:
        """Take what was sent, or a function that reads and parses it."""
        self._given = given
        #: type of the one resource that was sent in place of the Parameters that an
        #: operation takes; empty: Parameters were sent, or it is not parsed yet
        self.alone = ""

    def parse(self) -> T:
        """Give what was sent.

        :raises fyr.core.errors.FyrError: it cannot be read or parsed.
        """
        if callable(self._given):
            self._given = self._given()
        return self._given


#: A resource that a client sends: ``Incoming(resource)`` or ``Incoming(function)``.
Incoming = Source[dict[str, Any]]
#: A patch that a client sends.
IncomingPatch = Source["Patch"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of an interaction that was done; one that was not raises an error."""

    #: HTTP status: https://hl7.org/fhir/R4/http.html#summary
    status: int
    #: the resource to show, in JSON; stored bytes as they are wherever that is possible
    body: bytes | None = None
    #: the version that the answer is about, for ETag and Last-Modified
    stored: Stored | None = None
    #: URL of the version that a write made or found; empty for other answers
    location: str = ""
    #: what is to be told beside success: warnings, and parameters that were ignored
    issues: tuple[Issue, ...] = ()
    #: HTTP headers of its own, of an operation that answers some
    headers: Mapping[str, str] = field(default_factory=dict)

    def resource(self) -> Resource:
        """Parse the body.

        :raises ValueError: there is none.
        """
        if self.body is None:
            raise ValueError(f"an answer {self.status} without a resource")
        from fyr.core.model.json import own

        return own(self.body)
