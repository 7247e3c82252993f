"""Resources in short, and what is told of them."""

from fyr.core.model.resource import FhirDecimal
from fyr.core.model.validation import problems

PATIENT = {
    "resourceType": "Patient",
    "id": "anna",
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">Anna</div>',
    },
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Sygehus"}],
    "extension": [{"url": "http://example.org/x", "valueDecimal": FhirDecimal("1.0")}],
    "active": True,
    "name": [
        {
            "use": "official",
            "family": "Ægidius",
            "given": ["Anna", None],
            "_given": [None, {"extension": [{"url": "urn:a", "valueCode": "b"}]}],
        }
    ],
    "gender": "female",
    "birthDate": "1970-02-28",
    "_birthDate": {"id": "b"},
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "#o"},
    "link": [{"other": {"reference": "Patient/other"}, "type": "seealso"}],
}


def patient(**members):
    return {"resourceType": "Patient", **members}


def observation(**members):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        **members,
    }


def told(resource, **options):
    """Give problems as short lines: code, place, text."""
    found = problems(resource, **options)
    return [f"{i.code} {' '.join(i.expression)}: {i.diagnostics}" for i in found]


def only(resource, **options):
    (line,) = told(resource, **options)
    return line
