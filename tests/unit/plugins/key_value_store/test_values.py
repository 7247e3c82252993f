"""Values by themselves: pages of any size together are the list."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.core.app import Application
from fyr.core.clock import utc_now
from fyr.core.testing.applications import application, settings_with
from fyr.plugins.key_value_store.names import Area
from fyr.plugins.key_value_store.settings import KeyValueStoreSettings
from fyr.plugins.key_value_store.values import Terms, Values

AREA = Area("realm", "app")
keys = st.lists(st.text("ab.~-_Z", min_size=1, max_size=4), max_size=12, unique=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    options = {"plugins": {"enabled": ["key_value_store"]}}
    folder = tmp_path_factory.mktemp("values")
    with application(settings_with(options, folder), utc_now) as made:
        yield made


def walk(values: Values, prefix: str, size: int) -> list[str]:
    """Go through the pages of a list."""
    found: list[str] = []
    while page := values.listed(AREA, prefix, found[-1] if found else "", 0, size):
        found += [one.key for one in page]
    return found


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(keys, st.text("ab.~", max_size=2), st.integers(1, 5))
def test_pages_together_are_all_keys_with_the_prefix_in_order(
    built: Application, keys: list[str], prefix: str, size: int
) -> None:
    values = Values(built, KeyValueStoreSettings())
    values.make_area(AREA)
    for key in keys:
        values.put(AREA, key, "text/plain", b"", Terms())
    try:
        expected = sorted(key for key in keys if key.startswith(prefix))
        assert walk(values, prefix, size) == expected
        at_once = values.listed(AREA, prefix, "", size, 100)
        assert [one.key for one in at_once] == expected[size:]
    finally:
        for key in keys:
            values.delete(AREA, key, Terms(["*"]))
