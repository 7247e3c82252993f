"""The Key Value Store API: its description, and its health."""

from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.client import Client

from .clients import AREA, CLIENTS, MINE, put


def test_the_description_has_the_number_as_it_is_published(fyr_client: Client) -> None:
    path = fyr_client.get("/openapi.json").json["paths"][
        "/kvstore/api/{realm}/property/{id}"
    ]

    told = {one["name"]: one for one in path["get"]["parameters"]}
    assert told["id"]["in"] == "path"
    assert (
        told["id"]["schema"].items() >= {"type": "integer", "format": "int32"}.items()
    )
    assert [one["name"] for one in path["parameters"]] == ["realm"]
    assert "ETag" in path["get"]["responses"]["200"]["headers"]


class TestHealth:
    def test_values_are_counted(
        self, user: Client, system: Client, fyr_app: Application
    ) -> None:
        put(system, f"{AREA}/k")
        put(user, f"{MINE}/k")

        page = fyr_app.metrics.page().decode()
        assert 'fyr_key_value_store_values{of="client"} 1.0' in page
        assert 'fyr_key_value_store_values{of="user"} 1.0' in page

    @pytest.mark.parametrize("settings", [{}, {"clients": CLIENTS}])
    def test_a_store_that_nobody_may_use_says_so(
        self, fyr_app: Application, settings: dict[str, Any]
    ) -> None:
        told = fyr_app.plugins.problems().get("key_value_store", "")

        assert bool(told) is (settings == {})
