"""What an answer has to be: each document looked at in turn."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cmp_to_key
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from .questions import METRICS, OUTPUTS, ROW_COLUMNS, Asking, Values, each

# What groups are, in the plainest words.


def period(at: int, interval: str, zone: str) -> str:
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date()
    year, week, _ = local.isocalendar()
    first = {
        "day": local,
        "week": date.fromisocalendar(year, week, 1),
        "month": date(local.year, local.month, 1),
        "quarter": date(local.year, [1, 4, 7, 10][(local.month - 1) // 3], 1),
        "year": date(local.year, 1, 1),
    }
    return first[interval].isoformat()


def keys_of(sent: dict[str, Any], values: Values) -> Iterator[tuple[Any, ...]]:
    choices = []
    for key in sent["groupBy"]:
        if "terms" in key:
            choices.append(each(values, key["terms"]) or [None])
        else:
            zone = key.get("timeZone", sent["timeZone"])
            found = each(values, key["dateHistogram"])
            choices.append(
                [period(at, key["interval"], zone) for at in found] or [None]
            )
    yield from product(*choices)


def instant(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


def percentile(values: list[float], percent: float) -> float:
    values = sorted(values)
    rank = (len(values) - 1) * percent / 100
    below = values[int(rank)]
    return below + (values[min(int(rank) + 1, len(values) - 1)] - below) * (rank % 1)


def numbers_of(group: list[Values]) -> dict[str, Any]:
    values = [one for values in group for one in each(values, "value")]
    found: dict[str, Any] = {
        "n": len(group),
        "patients": len({one for values in group for one in each(values, "patient")}),
        "codes": len({one for values in group for one in each(values, "code")}),
        "sum": math.fsum(values) if values else None,
        "avg": math.fsum(values) / len(values) if values else None,
        "low": min(values, default=None),
        "last": max(
            (one for values in group for one in each(values, "effective")), default=None
        ),
    }
    for percent in METRICS["p"]["percents"]:
        told = percentile(values, percent) if values else None
        found[f"p.{percent:g}"] = told
    return found


def having(wanted: dict[str, Any], numbers: dict[str, Any]) -> bool:
    if "and" in wanted:
        return all(having(one, numbers) for one in wanted["and"])
    if "or" in wanted:
        return any(having(one, numbers) for one in wanted["or"])
    if "not" in wanted:
        return not having(wanted["not"], numbers)
    value = numbers[wanted["metric"]]
    if value is None:
        return False
    tests = {
        "eq": value == wanted.get("eq"),
        "ne": value != wanted.get("ne"),
        "gt": value > wanted.get("gt", -math.inf),
        "ge": value >= wanted.get("ge", -math.inf),
        "lt": value < wanted.get("lt", math.inf),
        "le": value <= wanted.get("le", math.inf),
    }
    return all(tests[how] for how in wanted if how != "metric")


def compared(orders: list[tuple[int, bool]]) -> Callable[[Any, Any], int]:
    """Compare rows by some of their values; nulls are last, whatever the order."""

    def compare(one: list[Any], other: list[Any]) -> int:
        for at, down in orders:
            left, right = one[at], other[at]
            if left == right:
                continue
            if left is None or right is None:
                return 1 if left is None else -1
            return (1 if left > right else -1) * (-1 if down else 1)
        return 0

    return compare


def naive(asking: Asking, all_documents: list[Values]) -> list[list[Any]]:
    sent = asking.sent
    groups: dict[tuple[Any, ...], list[Values]] = {}
    if not sent["groupBy"]:
        groups[()] = []
    for values in all_documents:
        if asking.means(values):
            for key in keys_of(sent, values):
                groups.setdefault(key, []).append(values)
    names = [one.get("terms") or one["dateHistogram"] for one in sent["groupBy"]]
    rows = []
    for key, group in groups.items():
        numbers = numbers_of(group)
        if "having" not in sent or having(sent["having"], numbers):
            rows.append([*key, *(numbers[name] for name in OUTPUTS)])
    columns = [*names, *OUTPUTS]
    orders = [
        (columns.index(one["by"]), one["order"] == "desc") for one in sent["sort"]
    ]
    orders += [(at, False) for at in range(len(names))]
    rows.sort(key=cmp_to_key(compared(orders)))
    last = columns.index("last")
    for row in rows:
        row[last] = None if row[last] is None else instant(row[last])
    return rows


def same(found: Any, wanted: Any) -> bool:
    """Whether two values are equal, numbers but for what adding them up loses."""
    if isinstance(wanted, float) and isinstance(found, int | float):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-6)
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def naive_rows(asking: Asking, all_documents: list[Values]) -> list[list[Any]]:
    rows = []
    for values in filter(asking.means, all_documents):
        row = [values.get(name) for name in ROW_COLUMNS]
        row[ROW_COLUMNS.index("code")] = sorted(values.get("code", []))
        rows.append(row)
    orders = [
        (ROW_COLUMNS.index(one["by"]), one["order"] == "desc")
        for one in asking.sent["sort"]
    ]
    rows.sort(key=cmp_to_key(compared([*orders, (0, False)])))
    at = ROW_COLUMNS.index("effective")
    for row in rows:
        row[at] = None if row[at] is None else instant(row[at])
    return rows


def measured(number: int, **values: Any) -> Values:
    return {"id": f"o{number}", "version": 1, "lastUpdated": 0, **values}
