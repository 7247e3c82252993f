"""Searches for all that there is, without pages: exports, and criteria that stand alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fyr.core.errors import NotSupported
from fyr.core.searching import Extent
from fyr.search.tree import Criterion, Moment, Updated
from fyr.search.understanding.compartments import within_some
from fyr.search.understanding.known import Known
from fyr.search.understanding.offered import EVERYTHING
from fyr.search.understanding.results import shaping

#: Ids of one criterion.
MOST_OWNERS = 5000


def refuse_forms(params: Sequence[tuple[str, str]]) -> None:
    """Refuse what is about pages and the form of an answer.

    :raises NotSupported: it is among the parameters.
    """
    if wrong := shaping(params):
        raise NotSupported(
            f"criteria hold more than criteria: {', '.join(wrong)[:100]}"
        )


def extent_of(
    known: Known, extent: Extent, types: Sequence[str]
) -> Iterator[Criterion]:
    """Tell the criteria of an extent.

    :raises ValueError: it has more owners than one statement takes.
    """
    if len(extent.owners or ()) > MOST_OWNERS:
        raise ValueError(f"at most {MOST_OWNERS} owners at a time")
    if extent.owner:
        # What belongs together does so whatever the service lets be searched by.
        known = replace(known, offered=EVERYTHING)
        yield within_some(known, extent.owner, extent.owners, types)
    if extent.since is not None:
        yield Updated((Moment("ge", extent.since, extent.since),))
    if extent.until is not None:
        yield Updated((Moment("lt", extent.until, extent.until),))
