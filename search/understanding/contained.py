"""``_contained``: https://hl7.org/fhir/R4/search.html#contained.

A contained resource has no rows in the index of its own; what it says is found with
``_content``. To search by it would take, for each one, a pid and rows under the numbers of
its type, marked as contained, and pages, includes and chains that tell them apart.
"""

from fyr.core.errors import Invalid, NotSupported

_VALUES = {
    "_contained": ("false", "true", "both"),
    "_containedType": ("container", "contained"),
}
#: Parameters about contained resources.
CONTAINING = frozenset(_VALUES)


def take(name: str, value: str) -> None:
    """Accept what says that contained resources are left out, which is FHIR's default.

    ``_containedType`` is about the answer to what is refused, so any of its values holds.

    :raises NotSupported: contained resources are asked for.
    :raises Invalid: the value means nothing.
    """
    if value not in _VALUES[name]:
        listed = ", ".join(_VALUES[name])
        raise Invalid(f"{name} is one of {listed}, not {value[:60]!r}")
    if name == "_contained" and value != "false":
        raise NotSupported(
            f"_contained={value} is not offered: contained resources have no index of"
            " their own; _contained=false is, the default"
        )
