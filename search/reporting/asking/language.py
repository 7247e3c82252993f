"""The language: what a question to the reporting index may hold, as models.

The one declaration of it: reading (:mod:`.reading`), the published JSON Schema and the
docs come of these models. Columns are checked while they are read, against the projection
in the context, so that all problems of a question are told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from fyr.search.reporting.asking.checks import (
    is_column,
    is_time_zone,
    read_filter,
)
from fyr.search.reporting.asking.periods import Interval
from fyr.search.reporting.asking.tree import EVERYTHING, Condition

#: Bounds of one question, which no setting widens.
MOST_KEYS, MOST_METRICS, MOST_SORTS, MOST_COLUMNS = 5, 20, 5, 50
MOST_PERCENTS, MOST_PARTS = 20, 20
LONGEST_FILTER = 20_000
DEFAULT_COUNT = 1000

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
TimeZone = Annotated[
    str, AfterValidator(is_time_zone), Field(examples=["Europe/Copenhagen"])
]
Keyed = Annotated[
    str,
    AfterValidator(is_column("keyword", "number", "boolean")),
    Field(description="A column of type keyword, number or boolean."),
]
Dated = Annotated[
    str,
    AfterValidator(is_column("date", one=True)),
    Field(description="A column of type date that has one value at most."),
]
Told = Annotated[
    str,
    AfterValidator(is_column("keyword", "number", "boolean", "date")),
    Field(description="A column, but none of type text."),
]
Number = Annotated[
    str,
    AfterValidator(is_column("number")),
    Field(description="A column of type number."),
]
Ordered = Annotated[
    str,
    AfterValidator(is_column("number", "date")),
    Field(description="A column of type number or date."),
]


def _key_in(*keys: str) -> Discriminator:
    """Tell objects apart by the key that one of them has."""

    def which(given: Any) -> str | None:
        if isinstance(given, BaseModel):
            given = given.model_dump(by_alias=True)
        found = [key for key in keys if isinstance(given, dict) and key in given]
        return tag(found[0]) if found else None

    message = f"an object with one of {', '.join(keys)} is expected"
    return Discriminator(which, custom_error_type="which", custom_error_message=message)


def tag(key: str) -> str:
    """Name one of several objects, so that a path to a problem can leave it out."""
    return f"<{key}>"


class Part(BaseModel):
    """An object of the language; an unknown key in it is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, strict=True
    )


class Terms(Part):
    """A group for each value of a column; rows without one are in the group ``null``."""

    terms: Keyed
    as_: Name | None = Field(None, alias="as", description="Else as the column.")

    @property
    def name(self) -> str:
        """What the key is called in answers."""
        return self.as_ or self.terms


class DateHistogram(Part):
    """A group for each period of the calendar, told by its first day."""

    date_histogram: Dated
    interval: Interval = Field(description="Weeks begin on Monday.")
    time_zone: TimeZone | None = Field(None, description="Else that of the question.")
    as_: Name | None = Field(None, alias="as", description="Else as the column.")

    @property
    def name(self) -> str:
        """What the key is called in answers."""
        return self.as_ or self.date_histogram


class Count(Part):
    """How many resources there are."""

    count: Literal[True]


class Distinct(Part):
    """How many different values there are."""

    distinct: Told


class Sum(Part):
    """The sum of the values; null without any."""

    sum: Number


class Avg(Part):
    """The mean of the values; null without any."""

    avg: Number


class Min(Part):
    """The smallest or earliest value; null without any."""

    min: Ordered


class Max(Part):
    """The largest or latest value; null without any."""

    max: Ordered


class Percentiles(Part):
    """The values below which so many percent lie, linear between two; ``NAME.50``."""

    percentiles: Number
    percents: tuple[Annotated[float, Field(ge=0, le=100)], ...] = Field(
        (50.0,), min_length=1, max_length=MOST_PERCENTS, strict=False
    )


GroupKey: TypeAlias = Annotated[
    Annotated[Terms, Tag(tag("terms"))]
    | Annotated[DateHistogram, Tag(tag("dateHistogram"))],
    _key_in("terms", "dateHistogram"),
]
Metric: TypeAlias = Annotated[
    Annotated[Count, Tag(tag("count"))]
    | Annotated[Distinct, Tag(tag("distinct"))]
    | Annotated[Sum, Tag(tag("sum"))]
    | Annotated[Avg, Tag(tag("avg"))]
    | Annotated[Min, Tag(tag("min"))]
    | Annotated[Max, Tag(tag("max"))]
    | Annotated[Percentiles, Tag(tag("percentiles"))],
    _key_in("count", "distinct", "sum", "avg", "min", "max", "percentiles"),
]


class Compared(Part):
    """A metric lies so to numbers; of one that is null, nothing holds."""

    metric: str = Field(description="Name of a metric; ``NAME.50`` of percentiles.")
    eq: float | None = None
    ne: float | None = None
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def bounds(self) -> Mapping[str, float]:
        """Give what it is compared with, by the way of comparing."""
        listed = ("eq", "ne", "gt", "ge", "lt", "le")
        found = {name: getattr(self, name) for name in listed}
        return {name: value for name, value in found.items() if value is not None}


class AllHold(Part):
    """All of these hold."""

    and_: tuple[Having, ...] = Field(
        alias="and", min_length=1, max_length=MOST_PARTS, strict=False
    )


class OneHolds(Part):
    """One of these holds, at least."""

    or_: tuple[Having, ...] = Field(
        alias="or", min_length=1, max_length=MOST_PARTS, strict=False
    )


class HoldsNot(Part):
    """This does not hold."""

    not_: Having = Field(alias="not")


Having: TypeAlias = Annotated[
    Annotated[Compared, Tag(tag("metric"))]
    | Annotated[AllHold, Tag(tag("and"))]
    | Annotated[OneHolds, Tag(tag("or"))]
    | Annotated[HoldsNot, Tag(tag("not"))],
    _key_in("metric", "and", "or", "not"),
]


class Sort(Part):
    """What answers are sorted by; nulls come last, whatever the order."""

    by: str = Field(
        description="A key, a metric (``NAME.50`` of percentiles), or a column of rows."
    )
    order: Literal["asc", "desc"] = "asc"


class Question(Part):
    """A question to the reporting index: for groups with metrics, or for rows."""

    model_config = ConfigDict(title="Question to the reporting index")

    from_: str = Field(
        alias="from", description="A resource type that there is a projection of."
    )
    filter: Annotated[
        Condition,
        PlainValidator(read_filter),
        WithJsonSchema({"type": "string", "maxLength": LONGEST_FILTER}),
    ] = Field(
        EVERYTHING,
        description="Criteria in FHIR's search syntax; the columns are the parameters.",
        examples=["code=http://loinc.org|8480-6&effective=ge2026-01-01&status=final"],
    )
    time_zone: TimeZone = Field(
        "UTC", description="Of histograms, and of dates in the filter without one."
    )
    group_by: tuple[GroupKey, ...] = Field((), max_length=MOST_KEYS, strict=False)
    metrics: dict[Name, Metric] = Field({}, max_length=MOST_METRICS)
    having: Having | None = Field(None, description="Which groups are told.")
    select: tuple[Told, ...] = Field(
        (),
        max_length=MOST_COLUMNS,
        strict=False,
        description="Columns of single rows, instead of groups and metrics.",
    )
    sort: tuple[Sort, ...] = Field((), max_length=MOST_SORTS, strict=False)
    count: int = Field(DEFAULT_COUNT, ge=1, description="Groups or rows of a page.")
    page: str = Field("", description="``next`` of the page before this one.")

    @property
    def is_rows(self) -> bool:
        """Whether single rows are asked for."""
        return bool(self.select)

    def outputs(self) -> Iterator[tuple[str, Metric, float | None]]:
        """Give each number of a group: its name, its metric, its percent if it has one."""
        for name, metric in self.metrics.items():
            if isinstance(metric, Percentiles):
                for percent in metric.percents:
                    yield f"{name}.{percent:g}", metric, percent
            else:
                yield name, metric, None
