"""What can go wrong: errors as types, and the catalogue of refusals by published names.

How each looks on the wire is told by :mod:`fyr.core.rest.outcomes`. Every error carries
the issues of one OperationOutcome, all the problems that were found and not the first of
them: https://hl7.org/fhir/R4/operationoutcome.html.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Issue:
    """One ``OperationOutcome.issue``.

    ``code`` is from https://hl7.org/fhir/R4/valueset-issue-type.html, ``expression``
    holds FHIRPath locations such as ``Patient.name[0].given[1]``, ``details`` a
    code of somebody else's system as ``(system, code, display)``. ``error_code`` is a
    name of the catalogue (:mod:`fyr.core.errors.catalogue`), which answers show on request.
    """

    code: str
    diagnostics: str
    expression: tuple[str, ...] = ()
    severity: str = "error"
    details: tuple[str, str, str] | None = None
    error_code: str = ""


class FyrError(Exception):
    """A request that cannot be done, told in the user's words.

    Raise a subclass with a sentence, or with ready issues when there are several.
    """

    #: HTTP status of the answer: https://hl7.org/fhir/R4/http.html
    status: ClassVar[int] = 500
    #: issue code used when the error is raised with a sentence
    code: ClassVar[str] = "exception"

    def __init__(
        self,
        problem: str | Iterable[Issue],
        *,
        expression: Iterable[str] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        """Take one sentence (and where it applies), or the issues themselves."""
        if isinstance(problem, str):
            problem = [Issue(self.code, problem, tuple(expression))]
        self.issues = tuple(problem)
        self.headers = headers or {}
        super().__init__("; ".join(issue.diagnostics for issue in self.issues))


class Invalid(FyrError):
    """Cannot be parsed, or breaks the rules of FHIR's own structure."""

    status = 400
    code = "invalid"


class NotSupported(FyrError):
    """Understood, but not offered here: a parameter, a modifier, a feature."""

    status = 400
    code = "not-supported"


class Unauthenticated(FyrError):
    """Nobody, or somebody whose credentials do not hold.

    Asks for a bearer token unless ``headers`` has a challenge of its own, as each 401
    has to: https://www.rfc-editor.org/rfc/rfc9110.html#name-401-unauthorized.
    """

    status = 401
    code = "login"

    def __init__(
        self,
        problem: str | Iterable[Issue],
        *,
        expression: Iterable[str] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        """Take what every error takes."""
        challenge = {"WWW-Authenticate": 'Bearer realm="fyr"'}
        super().__init__(
            problem, expression=expression, headers={**challenge, **(headers or {})}
        )


class Forbidden(FyrError):
    """Known, and not allowed."""

    status = 403
    code = "forbidden"


class NotFound(FyrError):
    """No such resource, type, operation or page."""

    status = 404
    code = "not-found"


class MethodNotAllowed(FyrError):
    """The service does not offer this interaction on this type."""

    status = 405
    code = "not-supported"


class NotAcceptable(FyrError):
    """None of the formats that the client accepts can be made."""

    status = 406
    code = "not-supported"


class Conflict(FyrError):
    """Another writer was faster, again and again, or a reference holds it back."""

    status = 409
    code = "conflict"


class Gone(FyrError):
    """It was there and has been deleted, or its time is over."""

    status = 410
    code = "deleted"


class PreconditionFailed(FyrError):
    """``If-Match``, ``If-None-Match`` or conditional criteria do not hold."""

    status = 412
    code = "conflict"


class VersionConflict(PreconditionFailed):
    """The stored version is not the one that the client has read."""


class MultipleMatches(PreconditionFailed):
    """Conditional criteria match more than one resource."""

    code = "multiple-matches"


class TooLarge(FyrError):
    """More bytes than this server takes."""

    status = 413
    code = "too-long"


class UnsupportedMediaType(FyrError):
    """A body in a format that is not read here."""

    status = 415
    code = "not-supported"


class Refused(FyrError):
    """Well-formed, and against a business rule; what plugins raise."""

    status = 422
    code = "business-rule"


class PreconditionRequired(FyrError):
    """A write that has to say by ``If-Match`` what it replaces, and does not.

    https://www.rfc-editor.org/rfc/rfc6585#section-3
    """

    status = 428
    code = "conflict"


class TooManyRequests(FyrError):
    """Somebody asks too often; ``Retry-After`` in ``headers`` says when to come back."""

    status = 429
    code = "throttled"


class TookTooLong(FyrError):
    """The server has given up what would have held others back."""

    status = 503
    code = "timeout"


class Unavailable(FyrError):
    """A part of the server that this request needs is down."""

    status = 503
    code = "transient"


def one_error(found: Sequence[FyrError | Issue]) -> FyrError:
    """Make one error of errors and issues.

    Those that say that something is not allowed stand alone: whoever may not do it is
    told nothing of what else is wrong. Without any, the first error decides its kind.
    """
    told = [one for one in found if isinstance(one, Forbidden)] or found
    errors = [one for one in told if isinstance(one, FyrError)]
    issues = [
        issue
        for one in told
        for issue in (one.issues if isinstance(one, FyrError) else (one,))
    ]
    if not errors:
        return Refused(issues)
    return type(errors[0])(issues, headers=errors[0].headers)
