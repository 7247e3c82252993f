"""``/versions``, and answers of what will go."""

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.plugins.versions.releases import releases
from fyr.plugins.versions.serving import small_apis
from fyr.plugins.versions.settings import DeprecatedSettings

OLD = {
    "path": "/fhir/Basic",
    "since": date(2027, 1, 1),
    "sunset": date(2027, 7, 1),
    "link": "https://example.org/new",
}


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {
            "enabled": [
                "search",
                "clinical",
                "versions",
                "key_value_store",
                "key_service",
                "storage_service",
                "error_codes",
            ]
        },
        "plugin": {
            "versions": {
                "deprecated": [OLD, {"path": "/task/fhir", "since": "2026-12-01"}]
            }
        },
    }


def test_services_and_what_will_go_are_told(fyr_client: Client) -> None:
    told = fyr_client.get("/versions").json

    apis = {one["path"]: one for one in told["apis"]}
    assert apis["/plan/fhir"] == {
        "name": "plan",
        "path": "/plan/fhir",
        "fhirVersion": "4.0.1",
        "status": "current",
    }
    assert apis["/task/fhir"]["deprecated"] == "2026-12-01"
    assert apis["/fhir/Basic"]["sunset"] == "2027-07-01"
    assert [one["version"] for one in told["releases"] if one["followed"]] == ["8.0.0"]


def test_apis_beside_fhir_are_told_by_where_they_begin(fyr_client: Client) -> None:
    told = fyr_client.get("/versions").json["apis"]

    beside = {one["name"]: one["path"] for one in told if "fhirVersion" not in one}
    assert beside == {
        "error-codes": "/error-codes",
        "keyservice": "/keyservice/api",
        "kvstore": "/kvstore/api",
        "storage": "/storage/api/content",
        "versions": "/versions",
        OLD["path"]: OLD["path"],
    }


def test_routes_of_a_service_and_what_is_well_known_are_no_apis() -> None:
    routes = ["/fhir/.well-known/smart", "/.well-known/x", "/a/{b}", "/a/c", "/ab"]

    assert list(small_apis(routes, ["/fhir"])) == [("a", "/a"), ("ab", "/ab")]


def test_a_part_is_deprecated_from_its_day_on(
    fyr_client: Client, fyr_clock: FakeClock
) -> None:
    told = []
    for moment in ("2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z"):
        fyr_clock.now = datetime.fromisoformat(moment)
        parts = fyr_client.get("/versions").json["apis"]
        told += [one["status"] for one in parts if one["path"] == "/task/fhir"]

    assert told == ["current", "deprecated"]


def test_answers_below_a_deprecated_path_say_so_and_no_others(
    fyr_client: Client,
) -> None:
    created = fyr_client.create({"resourceType": "Basic", "code": {"text": "x"}})
    read = fyr_client.get(f"Basic/{created.json['id']}")
    missing = fyr_client.get("Basic/nobody")

    for answer in (created, read, missing):
        assert answer.headers["deprecation"] == "@1798761600"
        assert answer.headers["sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
        assert 'rel="deprecation"' in answer.headers["link"]
    assert "deprecation" in fyr_client.get("/task/fhir/metadata").headers
    for path in ("Patient/nobody", "/plan/fhir/metadata", "/versions", "metadata"):
        assert "deprecation" not in fyr_client.get(path).headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "careplan"},
        {"path": "/"},
        {"path": "/a b"},
        {"sunset": date(2026, 1, 1)},
        {"link": 'https://x.org/"\r\nX: 1'},
        {"link": "javascript:alert(1)"},
    ],
)
def test_what_cannot_be_said_in_headers_is_refused_at_start(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        DeprecatedSettings(**{**OLD, **wrong})


def test_the_releases_are_in_their_order_and_one_is_followed() -> None:
    published = [one.published for one in releases() if one.published]

    assert published == sorted(published)
    assert sum(one.followed for one in releases()) == 1
