"""Services: declared facades, each a choice of types, interactions and operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    #: names of operations that are offered, ``None`` for all that are registered
    operations: frozenset[str] | None = None
    public_base: str = ""
    absolute_references: bool = False
    #: base URLs that it had before
    former_bases: tuple[str, ...] = ()
    documentation: str = ""
    tags: frozenset[str] = field(default_factory=frozenset)

    def offers(self, resource_type: str, interaction: str) -> bool:
        """Whether this service offers the interaction on the type."""
        rules = self.types.get(resource_type)
        return rules is not None and interaction in rules.interactions


#: All that https://hl7.org/fhir/R4/http.html has for one type.
ALL_TYPE_INTERACTIONS = frozenset(
    "read vread update patch delete create search-type history-instance history-type".split()
)
ALL_SYSTEM_INTERACTIONS = frozenset(
    "transaction batch search-system history-system".split()
)
