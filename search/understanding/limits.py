"""What a service has of a type: the resources that claim one of its profiles.

Put on a search once it is understood, wherever it meets resources of the type: as what is
searched, at the end of a chain, in ``_has`` and among what is included.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fyr.core.declarations.services import TypeRules
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.places import Places
from fyr.search.parameters import Parameters
from fyr.search.tree import (
    All,
    AnyOf,
    Beginning,
    Chain,
    Criterion,
    Has,
    Match,
    Not,
    OfType,
    Query,
    Uri,
)


class Limits:
    """Knows which profiles the types of a service are limited to."""

    def __init__(
        self, types: Mapping[str, TypeRules], parameters: Parameters, places: Places
    ) -> None:
        """Take the types of a service, and where profiles are indexed."""
        self._profiles = {
            kind: rules.only_profiles
            for kind, rules in types.items()
            if rules.only_profiles
        }
        self._parameters = parameters
        self._places = places

    def put_on(self, query: Query) -> None:
        """Let a query find what the service has, and nothing else."""
        if not self._profiles:
            return
        query.criteria[:] = map(self._inside, query.criteria)
        query.inside[:] = map(self._inside, query.inside)
        limit = self.of(query.types)
        if limit is not None:
            query.criteria.append(limit)

    def of(self, types: Iterable[str]) -> Criterion | None:
        """Say that a resource of one of the types is one that the service has.

        :return: ``None`` when none of the types is limited.
        """
        types = tuple(types)
        limits: list[Criterion] = [
            self._claims(kind) for kind in types if kind in self._profiles
        ]
        if not limits:
            return None
        others = tuple(kind for kind in types if kind not in self._profiles)
        if others:
            limits.append(OfType(others))
        return limits[0] if len(limits) == 1 else AnyOf(tuple(limits))

    def among(self, types: Iterable[str]) -> Criterion | None:
        """Say that a resource is of one of the types and one that the service has.

        :return: ``None`` when that is true of every resource.
        """
        types = tuple(sorted(types))
        limit = self.of(types)
        if limit is None and len(types) < len(RESOURCE_TYPES):
            return OfType(types)
        return limit

    def _claims(self, kind: str) -> Match:
        """Say that a resource of a type claims a profile, or a version of it."""
        profile = self._parameters.of(kind)["_profile"]
        operands = [
            operand
            for url in self._profiles[kind]
            for operand in (Uri(url), Beginning(f"{url}|"))
        ]
        return Match(self._places.sources([profile]), tuple(operands))

    def _inside(self, criterion: Criterion) -> Criterion:
        """Limit what a criterion asks of other resources."""
        match criterion:
            case Chain(types=types, inner=inner, inside=inside):
                limited = self._limited(types, inner)
                contained = None if inside is None else self._inside(inside)
                return replace(criterion, inner=limited, inside=contained)
            case Has(type=kind, inner=inner):
                return replace(criterion, inner=self._limited([kind], inner))
            case All(parts):
                return All(tuple(map(self._inside, parts)))
            case AnyOf(parts):
                return AnyOf(tuple(map(self._inside, parts)))
            case Not(part):
                return Not(self._inside(part))
            case _:
                return criterion

    def _limited(self, types: Iterable[str], inner: Criterion) -> Criterion:
        limit, within = self.of(types), self._inside(inner)
        return within if limit is None else All((within, limit))
