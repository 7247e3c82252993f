"""``_list``: what is on a List, https://hl7.org/fhir/R4/search.html#list.

An item counts unless its entry says that it was deleted. Such items have rows of their
own in the index, so that a list is asked in one look, however long it is.
"""

from typing import Any

from fyr.core.errors import Invalid, NotSupported
from fyr.search.extraction.rows import Rows
from fyr.search.extraction.values import CONVERTERS
from fyr.search.hashes import param_id
from fyr.search.references import is_id
from fyr.search.tree import Criterion, Has, HasId, Source
from fyr.search.understanding.operands import plain, values

_REFERENCE = CONVERTERS["reference"]["Reference"]
#: Where the items of a List stand that were not deleted.
LISTED = Source("idx_reference", param_id("List", "entry.item:listed"))


def listed(name: str, value: str) -> Criterion:
    """Understand ``_list``: ids of lists, one of which it is on.

    :raises NotSupported: a list that is known by its function, such as
        ``$current-allergies``.
    :raises Invalid: it is no id.
    """
    ids = tuple(map(plain, values(value, name)))
    for one in ids:
        if one.startswith("$"):
            raise NotSupported(
                f"{name}: {one[:60]!r} is a functional list, and none is kept here;"
                " give the id of a List"
            )
        if not is_id(one):
            raise Invalid(f"{name} is the id of a List, not {one[:60]!r}")
    return Has("List", (LISTED,), HasId(ids))


def take_items(resource: dict[str, Any], param: int, rows: Rows) -> None:
    """Put the items of a List into the index."""
    for entry in resource.get("entry", ()):
        if not entry.get("deleted") and "item" in entry:
            _REFERENCE(entry["item"], param, rows)
