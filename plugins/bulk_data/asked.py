"""What an export is asked for: https://hl7.org/fhir/uv/bulkdata/STU2/export.html#query-parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from fyr.config.neighbours import neighbour
from fyr.core import Invalid, Issue, OperationCall
from fyr.core.clock import to_millis
from fyr.core.model.definitions import RESOURCE_TYPES, definition

FORMATS = ("application/fhir+ndjson", "application/ndjson", "ndjson")
#: Values of ``includeAssociatedData`` that are understood.
LATEST, RELEVANT = "LatestProvenanceResources", "RelevantProvenanceResources"
#: Between two queries of one ``_typeFilter``; commas inside of a query stay.
_BETWEEN = re.compile(r",(?=[A-Z][A-Za-z]+\?)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One export, in plain values that can be kept as JSON."""

    #: ``system``, ``Patient`` or ``Group``
    level: str
    #: id of the Group
    group: str = ""
    #: resource types; empty: all that the caller may see
    types: tuple[str, ...] = ()
    #: type and criteria, of which a resource of the type meets one or more
    filters: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    #: milliseconds since 1970, UTC
    since: int | None = None
    until: int | None = None
    elements: tuple[str, ...] = ()
    associated: tuple[str, ...] = ()
    #: ids of patients; ``None``: none were named
    patients: tuple[str, ...] | None = None
    #: ids of the patients that these are, or that are in the group, when it was asked
    owners: tuple[str, ...] | None = None

    def kept(self) -> dict[str, Any]:
        """Give it as JSON."""
        return asdict(self)

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Asked:
        """Read what :meth:`kept` gave."""
        filters = tuple(
            (kind, tuple((name, value) for name, value in pairs))
            for kind, pairs in kept["filters"]
        )
        lists = {
            name: tuple(value)
            for name, value in kept.items()
            if isinstance(value, list) and name != "filters"
        }
        return cls(**{**kept, **lists, "filters": filters})

    def queries(self, kind: str) -> Sequence[tuple[tuple[str, str], ...]]:
        """Tell the criteria of a type, one query or several; one without any: all."""
        return [pairs for one, pairs in self.filters if one == kind] or [()]


class Reading:
    """Reads the parameters of one call; what is wrong is gathered."""

    def __init__(self, call: OperationCall, known: Iterable[str]) -> None:
        """Take the call, and the types that can be exported at its level."""
        self._call = call
        self._known = frozenset(known)
        self._lenient = call.context.handling == "lenient"
        #: what stands in the way
        self.problems: list[Issue] = [*call.malformed.values()]
        #: what is left out because the client is lenient
        self.ignored: list[Issue] = []

    def asked(self) -> Asked:
        """Tell what is asked for.

        :raises Invalid: with all that is wrong.
        """
        self._refuse_unknown()
        self._refuse_format()
        types = self._types()
        filters = self._filters(types)
        asked = Asked(
            level=self._call.resource_type or "system",
            group=self._call.resource_id or "",
            types=types,
            filters=filters,
            since=self._moment("_since"),
            until=self._moment("_until"),
            elements=self._elements(types),
            associated=self._associated(),
            patients=self._patients(),
        )
        if self.problems:
            raise Invalid(self.problems)
        return asked

    def _names(self, name: str) -> tuple[str, ...]:
        """Tell the values of a parameter that is given often, or with commas, or both."""
        given = [str(value) for value in self._call.values(name)]
        parts = [part.strip() for value in given for part in value.split(",")]
        return tuple(dict.fromkeys(filter(None, parts)))

    def _skip(self, text: str, code: str = "not-supported") -> None:
        """Note what is not understood: a lenient client goes on without it."""
        if self._lenient:
            told = f"{text}; it is left out"
            self.ignored.append(Issue(code, told, severity="warning"))
        else:
            self.problems.append(Issue(code, text))

    def _refuse_unknown(self) -> None:
        declared = [one.name for one in self._call.operation.inputs]
        for one in self._call.parameters.get("parameter", ()):
            name = one.get("name", "")
            if name not in declared:
                self._skip(
                    f"$export has no parameter {name[:60]}{neighbour(name, declared)}"
                )

    def _refuse_format(self) -> None:
        wanted = self._call.value("_outputFormat")
        # A "+" that was not escaped has become a space.
        if wanted is not None and wanted.replace("fhir ", "fhir+") not in FORMATS:
            text = f"_outputFormat {wanted[:60]!r}: files are {FORMATS[0]} only"
            self.problems.append(Issue("not-supported", text))

    def _types(self) -> tuple[str, ...]:
        found = []
        for kind in self._names("_type"):
            if kind in self._known:
                found.append(kind)
            elif kind in RESOURCE_TYPES:
                level = self._call.resource_type
                why = f"at the level of a {level}" if level else "by this service"
                self._skip(f"_type: {kind} is not exported {why}")
            else:
                hint = neighbour(kind, self._known)
                text = f"_type: there is no resource type {kind[:60]}{hint}"
                self._skip(text, "not-found")
        if self._names("_type") and not found:
            text = "_type names nothing that can be exported"
            self.problems.append(Issue("invalid", text))
        return tuple(found)

    def _elements(self, types: Sequence[str]) -> tuple[str, ...]:
        """Tell the elements that are left of each; each is one of what is exported."""
        kept = []
        for name in self._names("_elements"):
            kind, dot, element = name.rpartition(".")
            among = [one for one in types or self._known if not dot or one == kind]
            if any(element in _roots(one) for one in among):
                kept.append(name)
            else:
                self._skip(
                    f"_elements: {name[:60]!r} is at the root of nothing exported"
                )
        return tuple(kept)

    def _filters(
        self, types: Sequence[str]
    ) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        found = []
        for value in self._call.values("_typeFilter"):
            for query in _BETWEEN.split(value):
                kind, mark, criteria = query.partition("?")
                pairs = tuple(parse_qsl(criteria, keep_blank_values=True))
                if not mark or not pairs or kind not in RESOURCE_TYPES:
                    text = f"_typeFilter {query[:100]!r} is not Type?criteria"
                    self.problems.append(Issue("invalid", text))
                elif kind not in (types or self._known):
                    text = f"_typeFilter is about {kind}, which is not exported here"
                    self.problems.append(Issue("invalid", text))
                else:
                    found.append((kind, pairs))
        return tuple(found)

    def _moment(self, name: str) -> int | None:
        value = self._call.value(name)
        if value is None or name in self._call.malformed:
            return None
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError("no time zone")
            return to_millis(moment)
        except (ValueError, OverflowError):
            text = f"{name} is an instant with a time zone, not {value[:60]!r}"
            self.problems.append(Issue("invalid", text))
            return None

    def _associated(self) -> tuple[str, ...]:
        found = []
        for name in self._names("includeAssociatedData"):
            if name in (LATEST, RELEVANT):
                found.append(name)
            else:
                self._skip(f"includeAssociatedData: {name[:60]} is not offered")
        if len(found) > 1:
            text = "includeAssociatedData: one of the two about Provenance"
            self.problems.append(Issue("invalid", text))
        return tuple(found)

    def _patients(self) -> tuple[str, ...] | None:
        if not any(one.name == "patient" for one in self._call.operation.inputs):
            return None
        given = self._call.values("patient")
        if not given:
            return None
        found = []
        for value in given:
            url = value.get("reference", "")
            own = self._call.interactions.services.own
            context = self._call.context
            local = own(url, context.service, context.base_url) or url
            kind, _, identity = local.partition("/")
            if kind != "Patient" or not identity or "/" in identity:
                text = f"patient: {url[:100]!r} is no reference to a Patient"
                self.problems.append(Issue("invalid", text))
            found.append(identity)
        return tuple(dict.fromkeys(found))


def _roots(kind: str) -> frozenset[str]:
    """Tell the elements at the root of a type, ``value[x]`` as ``value`` too."""
    known = definition(kind)
    return frozenset((*known.elements, *known.choices))
