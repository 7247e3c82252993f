"""A resource as Fyr holds it: its parsed JSON, numbers kept as they were written.

https://hl7.org/fhir/R4/json.html
"""

from decimal import Decimal
from typing import Any

#: Member names to values: ``dict``, ``list``, ``str``, ``bool``, ``int``, ``FhirDecimal``.
Resource = dict[str, Any]


class FhirDecimal(Decimal):
    """A number that keeps its text: ``1.00`` is not ``1.0``.

    https://hl7.org/fhir/R4/datatypes.html#decimal: the precision has a meaning.
    """

    __slots__ = ("text",)

    #: the number as it was written
    text: str

    def __new__(cls, text: str) -> "FhirDecimal":
        """Read a number in JSON's notation."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __copy__(self) -> "FhirDecimal":
        """Give itself: it never changes."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "FhirDecimal":
        """Give itself: it never changes."""
        return self

    def __reduce__(self) -> tuple[type["FhirDecimal"], tuple[str]]:
        """Keep the text in a pickle."""
        return (FhirDecimal, (self.text,))


def copied(value: Any) -> Any:
    """Copy parsed JSON, all that is in it; quicker than ``deepcopy``, which asks more."""
    if isinstance(value, dict):
        return {name: copied(one) for name, one in value.items()}
    if isinstance(value, list):
        return [copied(one) for one in value]
    # Texts, numbers and the like never change.
    return value
