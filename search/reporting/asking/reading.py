"""A question as sent becomes one that was checked; all its problems are told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from fyr.core.errors import Forbidden, Invalid, Issue
from fyr.core.model import json
from fyr.core.model.naming import did_you_mean, shown
from fyr.search.reporting.asking.fitting import misfits
from fyr.search.reporting.asking.knowing import Known, Problem
from fyr.search.reporting.asking.language import Question
from fyr.search.reporting.asking.periods import time_zones

#: Bytes of the longest question.
LONGEST = 100_000
_LIMITS = json.Limits(max_depth=20)
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def read(data: bytes, known: Known) -> Question:
    """Read a question.

    :raises Invalid: it is not JSON, or anything in it is wrong; each problem has its path.
    :raises Forbidden: nothing is wrong but that this caller may not ask it.
    """
    if len(data) > LONGEST:
        raise Invalid(f"a question has {LONGEST} bytes at most")
    sent = json.decode(data, _LIMITS)
    if not isinstance(sent, dict):
        raise Invalid(f"a question is a JSON object, found {shown(sent)}")
    return question(_plain(sent), known)


def question(sent: Mapping[str, Any], known: Known) -> Question:
    """Check a question that is at hand as JSON values.

    :raises Invalid: anything in it is wrong; each problem has its path.
    :raises Forbidden: nothing is wrong but that this caller may not ask it.
    """
    kind = sent.get("from")
    projection = known.projections.get(kind) if isinstance(kind, str) else None
    zone = sent.get("timeZone")
    usable = isinstance(zone, str) and zone in time_zones()
    about = known.about(projection, str(zone) if usable else "UTC")
    issues = []
    if isinstance(kind, str) and projection is None:
        issues.append(_no_projection(kind, known))
    try:
        checked = Question.model_validate(sent, context=about)
        issues += [_issue(problem) for problem in misfits(checked, about)]
    except ValidationError as error:
        issues += [_issue(problem) for problem in _problems(error)]
    if not issues:
        return checked
    if all(one.code == "forbidden" for one in issues):
        raise Forbidden(issues)
    raise Invalid(issues)


def identity(data: bytes) -> str:
    """Write a question so that those of the same answer, page by page, are the same."""
    sent = _plain(json.decode(data, _LIMITS))
    kept = {one: sent[one] for one in sent if one not in ("page", "count")}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """Give the JSON Schema of the language: https://json-schema.org."""
    made = Question.model_json_schema(by_alias=True, schema_generator=_Untitled)
    return {"$schema": _DIALECT, **made}


class _Untitled(GenerateJsonSchema):
    """Titles of fields would only be their names once more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _plain(value: Any) -> Any:
    """Give numbers as Python has them, instead of as they were written."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return float(value)


def _no_projection(kind: str, known: Known) -> Issue:
    there = ", ".join(known.projections) or "nothing"
    hint = did_you_mean(kind, known.projections)
    text = f"{shown(kind)} is nothing that can be asked about{hint} (there is {there})"
    return Issue("not-supported", text, ("from",))


def _issue(problem: Problem) -> Issue:
    return Issue(problem.code, problem.text, (problem.path,) if problem.path else ())


def _problems(error: ValidationError) -> Iterator[Problem]:
    for one in error.errors(include_url=False):
        path = _path(one["loc"])
        kind, given = one["type"], one.get("ctx", {})
        if kind == "several":
            for problem in given["problems"]:
                below = ".".join(filter(None, [path, problem.path]))
                yield Problem(problem.text, below, problem.code)
        elif kind == "extra_forbidden":
            yield Problem(f"there is no {shown(str(one['loc'][-1]))} here", path)
        elif kind == "missing":
            yield Problem("this is missing", path)
        elif kind in ("too_long", "string_too_long"):
            yield Problem(_lowered(one["msg"]), path, "too-costly")
        elif kind == "too_short":
            # What is left when all that was given is wrong is no problem of its own.
            if not one["input"]:
                yield Problem("there is nothing in this", path)
        else:
            yield Problem(f"{_lowered(one['msg'])}, found {shown(one['input'])}", path)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _path(location: tuple[int | str, ...]) -> str:
    """Write where a problem is: ``groupBy[0].terms``."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step != "[key]" and not (step.startswith("<") and step.endswith(">")):
            path += f".{step}" if path else step
    return path
