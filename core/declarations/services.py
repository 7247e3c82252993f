"""Services: declared facades, each a choice of types, interactions and operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fyr.core.errors.catalogue import ErrorCode


@dataclass(frozen=True, slots=True)
class TypeRules:
    """What a service offers for one resource type.

    ``interactions`` are codes such as ``read`` and ``search-type``;
    ``search_parameters`` is ``None`` for all that are known for the type.
    """

    interactions: frozenset[str]
    search_parameters: frozenset[str] | None = None
    update_create: bool = True
    conditional: bool = True
    #: how many resources a delete by criteria may find; empty: it is not offered
    conditional_delete: Literal["single", "multiple", ""] = "single"
    #: values of ``_include`` (``CarePlan:goal``, ``*``); ``None``: all references
    includes: frozenset[str] | None = None
    #: values of ``_revinclude``; ``None``: all that the service's types have
    revincludes: frozenset[str] | None = None
    #: operations on the type and its instances; ``None``: those of the service
    operations: frozenset[str] | None = None
    #: canonical URL of what its resources are like; empty: the type itself
    profile: str = ""
    supported_profiles: tuple[str, ...] = ()
    #: canonical URLs: the service has only resources that claim one of them
    only_profiles: tuple[str, ...] = ()
    #: whether references lead here from services that do not have the type
    home: bool = False
    #: parameters of which a search gives one at least; empty: it need not
    search_needs: frozenset[str] = frozenset()
    #: the answer to one that gives none of them; ``None``: a rule that is broken
    search_refused: ErrorCode | None = None

    def takes_criteria(self, interaction: str) -> bool:
        """Whether criteria may tell which resource a write is about.

        A patch by criteria, for which a CapabilityStatement has no word, is offered
        together with the update.
        """
        if interaction == "delete":
            return self.conditional and self.conditional_delete != ""
        if interaction == "patch":
            return self.conditional and "update" in self.interactions
        return self.conditional


@dataclass(frozen=True, slots=True)
class TransactionRules:
    """What the entries of a transaction may ask for, where that is not the usual."""

    #: type -> interactions; a type that is not named cannot be asked for
    interactions: Mapping[str, frozenset[str]]
    most_entries: int
    #: whether criteria may tell which resource is meant
    conditional: bool = False
    operations: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A FHIR endpoint under ``/<path>``: https://hl7.org/fhir/R4/capabilitystatement.html.

    ``public_base`` is the URL that clients see; empty: taken from each request.
    With ``absolute_references`` its answers hold absolute references.
    """

    name: str
    path: str
    title: str
    types: Mapping[str, TypeRules]
    system_interactions: frozenset[str] = frozenset()
    #: ``None``: in a transaction is offered what is offered outside of one
    transaction: TransactionRules | None = None
    #: names of operations that are offered, ``None`` for all that are registered
    operations: frozenset[str] | None = None
    public_base: str = ""
    absolute_references: bool = False
    #: whether ``/Patient/1/Observation`` and the like are searched
    compartments: bool = True
    #: base URLs that it had before
    former_bases: tuple[str, ...] = ()
    documentation: str = ""
    tags: frozenset[str] = field(default_factory=frozenset)

    def offers(self, resource_type: str, interaction: str) -> bool:
        """Whether this service offers the interaction on the type."""
        rules = self.types.get(resource_type)
        return rules is not None and interaction in rules.interactions

    def offers_operation(self, name: str, resource_type: str | None) -> bool:
        """Whether it offers an operation, at system level or on a type."""
        names = self.operations
        rules = self.types.get(resource_type) if resource_type is not None else None
        if rules is not None and rules.operations is not None:
            names = rules.operations
        return names is None or name in names


#: All that https://hl7.org/fhir/R4/http.html has for one type.
ALL_TYPE_INTERACTIONS = frozenset(
    "read vread update patch delete create search-type history-instance history-type".split()
)
ALL_SYSTEM_INTERACTIONS = frozenset(
    "transaction batch search-system history-system".split()
)

#: What routes of plugins belong to in contexts and metrics; no FHIR endpoint.
ROUTES = Service("routes", "", "Plain HTTP resources of plugins", {})
