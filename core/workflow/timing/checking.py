"""What is wrong with ``occurrence[x]``: all of it, each with its path.

The rules are those for a ServiceRequest that is active, on hold or completed:
http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-servicerequest. Whether an
occurrence has to be there at all is for others to say.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fyr.core.errors import Issue
from fyr.core.workflow.timing.reading import many, moment_of, part, time_of, whole

#: Days as FHIR writes them, Monday first.
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PERIOD_UNITS: Final = ("min", "h", "d", "wk", "mo", "a")
DURATION_UNITS: Final = ("s", "min", "h", "d", "wk", "a")
#: Units of a period that times of day go with.
_DAILY: Final = ("d", "wk", "mo", "a")
_EXACT = "must be a date with a time, to the minute, and a time zone"
_WHOLE = "must be a whole number above 0"


def problems(resource: Mapping[str, Any], place: str) -> list[Issue]:
    """Tell all that is wrong with when a request is to happen.

    :param resource: what has one of ``occurrenceDateTime``, ``occurrencePeriod`` and
        ``occurrenceTiming``, such as a ServiceRequest; one without them has no problem.
    :param place: FHIRPath of the resource, such as ``ServiceRequest``.
    :return: issues whose diagnostics are a clause; one of the code ``required`` is about
        an element that is missing.
    """
    at = f"{place}.occurrence"
    found: Iterator[Issue] = iter(())
    if "occurrenceDateTime" in resource:
        found = _of_moment(resource["occurrenceDateTime"], at)
    elif "occurrencePeriod" in resource:
        found = _of_period(part(resource, "occurrencePeriod"), at)
    elif "occurrenceTiming" in resource:
        found = _of_repeat(
            part(part(resource, "occurrenceTiming"), "repeat"), f"{at}.repeat"
        )
    return list(found)


def recurs(repeat: Mapping[str, Any]) -> bool:
    """Whether it is to happen again and again, or whenever it suits (ad hoc)."""
    return any(name in repeat for name in ("dayOfWeek", "timeOfDay", "period"))


def _of_moment(value: object, at: str) -> Iterator[Issue]:
    if moment_of(value) is None:
        yield Issue("value", f"{_name(at)} {_EXACT}", (at,))


def _of_start(period: Mapping[str, Any], at: str) -> Iterator[Issue]:
    if "start" not in period:
        yield _missing(f"{at}.start")
    else:
        yield from _of_moment(period["start"], f"{at}.start")


def _of_period(period: Mapping[str, Any], at: str) -> Iterator[Issue]:
    yield from _of_start(period, at)
    if "end" not in period:
        return
    yield from _of_moment(period["end"], f"{at}.end")
    start, end = moment_of(period.get("start")), moment_of(period["end"])
    if start and end and end < start:
        name = _name(at)
        text = f"{name}.end must not be before {name}.start"
        yield Issue("value", text, (f"{at}.end",))


def _of_repeat(repeat: Mapping[str, Any], at: str) -> Iterator[Issue]:
    yield from _of_period(part(repeat, "boundsPeriod"), f"{at}.bounds")
    yield from _of_number(repeat, "frequency", at)
    yield from _of_pair(repeat, "duration", DURATION_UNITS, at)
    yield from _of_pair(repeat, "period", PERIOD_UNITS, at)
    yield from _of_lists(repeat, at)
    if recurs(repeat):
        yield from _of_recurring(repeat, at)
    elif "countMax" in repeat and "count" not in repeat:
        yield _missing(f"{at}.count", " beside countMax")


def _of_number(repeat: Mapping[str, Any], name: str, at: str) -> Iterator[Issue]:
    if name in repeat and whole(repeat[name]) is None:
        yield Issue("value", f"{name} {_WHOLE}", (f"{at}.{name}",))


def _of_pair(
    repeat: Mapping[str, Any], name: str, units: tuple[str, ...], at: str
) -> Iterator[Issue]:
    """Check a number and its unit, which come together."""
    unit = f"{name}Unit"
    yield from _of_number(repeat, name, at)
    if name in repeat and unit not in repeat:
        yield _missing(f"{at}.{unit}", f" beside {name}")
    if unit in repeat and name not in repeat:
        yield _missing(f"{at}.{name}", f" beside {unit}")
    if unit in repeat and repeat[unit] not in units:
        allowed = ", ".join(units)
        yield Issue("value", f"{unit} must be one of {allowed}", (f"{at}.{unit}",))


def _of_lists(repeat: Mapping[str, Any], at: str) -> Iterator[Issue]:
    for number, day in enumerate(many(repeat, "dayOfWeek")):
        if day not in DAYS:
            yield Issue(
                "value", "dayOfWeek must be a day", (f"{at}.dayOfWeek[{number}]",)
            )
    for number, clock in enumerate(many(repeat, "timeOfDay")):
        if time_of(clock) is None:
            yield Issue(
                "value", "timeOfDay must be a time", (f"{at}.timeOfDay[{number}]",)
            )


def _of_recurring(repeat: Mapping[str, Any], at: str) -> Iterator[Issue]:
    if "frequency" not in repeat:
        yield _missing(f"{at}.frequency")
    period, unit = whole(repeat.get("period")), repeat.get("periodUnit")
    if "period" not in repeat and "periodUnit" not in repeat:
        if "dayOfWeek" not in repeat:
            yield _missing(f"{at}.period", " where dayOfWeek is")
        return
    if "dayOfWeek" in repeat and unit != "wk" and (period, unit) != (1, "d"):
        yield Issue(
            "business-rule",
            "with dayOfWeek, the period must be left out, 1 d, or a number of wk",
            (f"{at}.period",),
        )
    if "timeOfDay" in repeat and unit not in _DAILY:
        allowed = ", ".join(_DAILY)
        yield Issue(
            "business-rule",
            f"with timeOfDay, the period must be left out or a number of {allowed}",
            (f"{at}.period",),
        )


def _missing(path: str, why: str = "") -> Issue:
    return Issue("required", f"{_name(path)} is missing{why}", (path,))


def _name(path: str) -> str:
    """Tell the end of a path, from ``occurrence`` or ``repeat`` on."""
    inner = path.partition(".repeat.")[2]
    return inner or "occurrence" + path.partition(".occurrence")[2]
