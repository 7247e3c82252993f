"""One refusal made of several, where access is decided before content.

Whoever may not do something is told that, and nothing of what else is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from fyr.core import Forbidden, FyrError, Issue, Refused
from fyr.core.interactions.outcomes import joined


def together(found: Sequence[FyrError | Issue]) -> FyrError:
    """Make one error of errors and issues.

    Those that say that something is not allowed stand alone; without any, the first
    error decides its kind.
    """
    denied = [one for one in found if isinstance(one, Forbidden)]
    told = denied or found
    errors = [one for one in told if isinstance(one, FyrError)]
    issues = [
        issue
        for one in told
        for issue in (one.issues if isinstance(one, FyrError) else (one,))
    ]
    kind = type(errors[0]) if errors else Refused
    return kind(issues)


def of_places(failures: Sequence[tuple[str, FyrError]]) -> FyrError:
    """Make one error of those of several places, such as entries of a Bundle.

    :param failures: FHIRPath of the place and what is wrong there.
    """
    denied = [one for one in failures if isinstance(one[1], Forbidden)]
    return joined(denied or failures)
