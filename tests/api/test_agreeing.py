"""Two servers on one database agree on what is searched by, without a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock

from .test_search_parameters import ids, parameter, patient, state


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Application]]:
    url = "sqlite:///fyr.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    settings = settings_with({"store": {"url": url}}, tmp_path)
    with application(settings, FakeClock()) as one:
        with application(settings, FakeClock()) as other:
            yield [one, other]
            client_of(one).delete("SearchParameter/eye-colour")
            client_of(one).delete("Patient/eyes-1")
            one.worker().drain()


def test_a_parameter_that_is_created_at_one_is_searched_by_at_the_other(
    two: list[Application],
) -> None:
    one, other = map(client_of, two)
    other.update(patient("eyes-1"))
    one.update(parameter())
    two[0].worker().drain()

    assert ids(other, "Patient?eye-colour=blue") == ["eyes-1"]
    assert state(other) == {"state": "active"}


def test_a_writer_that_has_not_heard_of_a_parameter_writes_by_it(
    two: list[Application],
) -> None:
    one, other = map(client_of, two)
    two[1].search.index(patient("x"))  # looks at the version, and not soon again
    one.update(parameter())
    two[0].worker().drain()

    answer = other.update(patient("eyes-1"))

    assert answer.status == 201, answer.json
    assert ids(one, "Patient?eye-colour=blue") == ["eyes-1"]
