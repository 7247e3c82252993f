"""Which of a Patient's identifiers is the CPR number that a notification is sent with."""

from typing import Any

import pytest

from fyr.core.testing import Client
from fyr.plugins.notifications.cpr import CPR_SYSTEM, Citizens, NoCpr


def cpr(value: str | None, use: str | None = "official") -> dict[str, Any]:
    said = {"system": CPR_SYSTEM, "value": value, "use": use}
    return {name: one for name, one in said.items() if one is not None}


@pytest.fixture
def citizens(fyr_app: Any) -> Citizens:
    return Citizens(fyr_app.resources)


def keep(client: Client, *identifiers: dict[str, Any]) -> None:
    patient = {"resourceType": "Patient", "id": "12"}
    if identifiers:
        patient["identifier"] = list(identifiers)
    assert client.put("Patient/12", patient).status in (200, 201)


@pytest.mark.parametrize(
    "identifiers",
    [
        [cpr("0101010008")],
        [cpr("010101-0008")],
        [cpr("0101010008", None)],
        [cpr("0101010008", "usual")],
        [cpr("0202020008", "old"), cpr("0101010008")],
        [cpr("0202020008", "usual"), cpr("0101010008")],
        [cpr("0101010008"), cpr("010101-0008")],
        [{"system": "urn:other", "value": "0202020008"}, cpr("0101010008")],
    ],
)
def test_the_official_number_is_found(
    fyr_client: Client, citizens: Citizens, identifiers: list[dict[str, Any]]
) -> None:
    keep(fyr_client, *identifiers)

    assert citizens.cpr("Patient/12") == "0101010008"


@pytest.mark.parametrize(
    ("identifiers", "reason"),
    [
        ([], "no official"),
        ([cpr("0101010008", "old")], "no official"),
        ([cpr("0101010008", "temp")], "no official"),
        ([cpr("01010100")], "no official"),
        ([cpr(None)], "no official"),
        ([{"value": "0101010008"}], "no official"),
        ([cpr("0101010008"), cpr("0202020008")], "several"),
    ],
)
def test_a_citizen_without_one_number_is_told_by_reference_only(
    fyr_client: Client,
    citizens: Citizens,
    identifiers: list[dict[str, Any]],
    reason: str,
) -> None:
    keep(fyr_client, *identifiers)

    with pytest.raises(NoCpr, match=f"^Patient/12 has {reason}[A-Z a-z]*$"):
        citizens.cpr("Patient/12")


@pytest.mark.parametrize(
    "reference", ["Patient/13", "https://elsewhere.test/fhir/Patient/12", "Device/12"]
)
def test_a_citizen_who_is_not_kept_here_has_none(
    fyr_client: Client, citizens: Citizens, reference: str
) -> None:
    keep(fyr_client, cpr("0101010008"))

    with pytest.raises(NoCpr, match="not a Patient that is kept here"):
        citizens.cpr(reference)


def test_a_citizen_who_was_deleted_has_none(
    fyr_client: Client, citizens: Citizens
) -> None:
    keep(fyr_client, cpr("0101010008"))
    fyr_client.delete("Patient/12")

    with pytest.raises(NoCpr, match="kept here"):
        citizens.cpr("Patient/12")


def test_a_number_that_changes_is_the_newest_at_once(
    fyr_client: Client, citizens: Citizens
) -> None:
    keep(fyr_client, cpr("0202020008"))
    keep(fyr_client, cpr("0101010008"), cpr("0202020008", "old"))

    assert citizens.cpr("Patient/12") == "0101010008"
