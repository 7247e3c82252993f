"""Gaps between alarm ranges that are only in how they are written: pure.

A value that lies in no range is green. Of ``RAL ..250`` and ``GAL 251..`` that holds for
250.5, which nobody meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from fyr.core import Issue, Resource
from fyr.plugins.rules.ranges import AlarmRange, alarm_ranges

#: Ranges that are looked at; no activity has as many.
_MOST = 200
_OPEN = Decimal("-Infinity"), Decimal("Infinity")


def gaps(activity: Resource) -> Iterator[Issue]:
    """Warn of two ranges that one step of their last digit lies between.

    :param activity: an ActivityDefinition or a ServiceRequest.
    """
    ranges = sorted(alarm_ranges(activity)[:_MOST], key=_alike)
    for _, alike in groupby(ranges, key=_alike):
        for below, above in _neighbours(list(alike)):
            if _is_one_step(below, above):
                text = (
                    f"a value between {below.high} and {above.low} lies in no alarm range,"
                    f" and is green: {below.text()} ends before {above.text()} begins"
                )
                where = (f"{activity.get('resourceType')}.extension",)
                yield Issue("business-rule", text, where, severity="warning")


def _alike(one: AlarmRange) -> tuple[bool, list[str], list[tuple[str, str]]]:
    """Tell what ranges have in common that values are held against together."""
    return one.relative, sorted(one.units), sorted(one.codes)


def _neighbours(ranges: list[AlarmRange]) -> Iterator[tuple[AlarmRange, AlarmRange]]:
    """Go through ranges by their beginning; the one below is that which ends last."""
    lowest, highest = _OPEN
    ranges.sort(key=lambda one: lowest if one.low is None else one.low)
    below = ranges[0]
    for above in ranges[1:]:
        yield below, above
        ends = [highest if one.high is None else one.high for one in (below, above)]
        below = above if ends[1] >= ends[0] else below


def _is_one_step(below: AlarmRange, above: AlarmRange) -> bool:
    if below.high is None or above.low is None:
        return False
    exponents = [int(end.as_tuple().exponent) for end in (below.high, above.low)]
    step = Decimal(1).scaleb(min(max(exponents), 0))
    return Decimal(0) < above.low - below.high <= step
