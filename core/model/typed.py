"""Resources as typed models, for plugin authors who like attributes better than keys.

The models are those of ``fhir.resources`` for R4B, the nearest release that it has to
R4. Eighteen types of R4 are missing there (``MedicinalProduct*``, most ``Substance*``,
``EffectEvidenceSynthesis``, ``RiskEvidenceSynthesis``), some elements of ``Evidence``
and ``EvidenceVariable`` too, and extensions on an extension's own value are refused.
Dates may come back in another spelling and a few decimals lose trailing zeros, so use
a model to read from or to make something new, and keep what is stored as it is.
"""

from typing import TYPE_CHECKING, Any

from fyr.core.errors import Invalid, Issue, NotSupported
from fyr.core.model import json
from fyr.core.model.resource import Resource

if TYPE_CHECKING:
    from pydantic import BaseModel


def as_model(resource: Resource) -> "BaseModel":
    """Make the model of a resource: ``as_model(patient).birthDate``.

    :raises NotSupported: R4B has no such type.
    :raises Invalid: the model does not take this resource.
    """
    # Importing the models costs half a megabyte a type: only who uses them pays.
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    kind = str(resource.get("resourceType"))
    try:
        model = get_fhir_model_class(kind)
    except ValueError:
        raise NotSupported(f"there is no typed model of {kind}") from None
    try:
        made: BaseModel = model.model_validate_json(json.dump(resource))
    except ValidationError as error:
        raise Invalid(_issues(kind, error)) from None
    return made


def as_resource(model: "BaseModel") -> Resource:
    """Make a resource of a model."""
    text: str = model.model_dump_json()
    return json.parse(text.encode())


def _issues(kind: str, error: Any) -> list[Issue]:
    return [
        Issue("structure", problem["msg"], (_path(kind, problem["loc"]),))
        for problem in error.errors()
    ]


def _path(kind: str, location: tuple[str | int, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return kind + "".join(parts)
