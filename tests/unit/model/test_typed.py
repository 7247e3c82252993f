"""Typed models for plugin authors."""

import pytest

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.typed import as_model, as_resource

PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "Berg"}]}


def test_a_resource_becomes_a_model_and_comes_back() -> None:
    model = as_model(PATIENT)

    assert model.name[0].family == "Berg"  # type: ignore[attr-defined]
    assert as_resource(model) == PATIENT


def test_a_resource_that_the_model_does_not_take_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        as_model({"resourceType": "Patient", "name": [{"family": 5}]})

    assert refusal.value.issues[0].expression == ("Patient.name[0].family",)


def test_a_type_that_r4b_does_not_have_is_not_supported() -> None:
    with pytest.raises(NotSupported, match="MedicinalProduct"):
        as_model({"resourceType": "MedicinalProduct"})
