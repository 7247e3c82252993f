"""Processing on each of the databases: all of a submission at once, each submission once."""

import pytest

from .conftest import RANGES, Ward, codes, opened


@pytest.fixture
def elsewhere(store_url, tmp_path):
    """A ward of its own, on each database in turn."""
    with opened(tmp_path, store=store_url) as built:
        yield Ward(*built)


def test_two_workers_process_each_submission_once(elsewhere) -> None:
    ward = elsewhere
    case = ward.case(library=ward.library(), ranges=RANGES)
    for number in (84, 90, 97):
        case.submit(case.observation(number), work=False)
    other = ward.built.worker()
    other.drain()
    ward.work()

    assert sorted(codes(one)[0] for one in case.impressions()) == [
        "green",
        "red",
        "yellow",
    ]
    assert sorted(one["priority"] for one in case.tasks()) == ["routine", "urgent"]
    assert len(case.messages()) == 1
