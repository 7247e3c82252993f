import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.clock import instant, to_millis
from fyr.core.errors import Invalid, NotFound, NotSupported
from fyr.core.testing.clock import FakeClock


def write(world, count: int, identity: str = "a") -> None:
    for _ in range(count):
        world.update({"resourceType": "Patient", "id": identity})


def versions(bundle) -> list[str]:
    return [one["response"]["etag"] for one in bundle.get("entry", [])]


def next_of(bundle) -> dict[str, str]:
    """Take the parameters of the link to the next page."""
    for link in bundle["link"]:
        if link["relation"] == "next":
            query = link["url"].partition("?")[2]
            return dict(pair.split("=") for pair in query.split("&"))
    return {}


def test_history_tells_each_version_newest_first(world) -> None:
    identity = world.create({"resourceType": "Patient"}).stored.id
    world.update({"resourceType": "Patient", "id": identity})
    world.delete("Patient", identity)

    bundle = world.history("Patient", identity)

    told = [
        (one["request"]["method"], one["request"]["url"], one["response"]["status"])
        for one in bundle["entry"]
    ]
    here = f"Patient/{identity}"
    assert bundle["type"] == "history"
    assert bundle["total"] == 3
    assert told == [
        ("DELETE", here, "204 No Content"),
        ("PUT", here, "200 OK"),
        ("POST", "Patient", "201 Created"),
    ]
    assert ["resource" in one for one in bundle["entry"]] == [False, True, True]


def test_history_of_what_was_never_there_is_not_found(world) -> None:
    with pytest.raises(NotFound):
        world.history("Patient", "none")


def test_history_of_a_type_and_of_all(world) -> None:
    write(world, 2)
    world.create({"resourceType": "Basic", "code": {"text": "x"}})

    assert len(world.history("Patient")["entry"]) == 2
    assert len(world.history()["entry"]) == 3


def test_pages_neither_repeat_nor_skip_while_others_write(world) -> None:
    write(world, 5)
    bundle = world.history("Patient", "a", _count="2")
    seen = versions(bundle)

    while following := next_of(bundle):
        write(world, 1)
        bundle = world.history("Patient", "a", **following)
        seen += versions(bundle)

    assert seen == [f'W/"{number}"' for number in (5, 4, 3, 2, 1)]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), count=st.integers(1, 5)
)
@settings(max_examples=15, deadline=None)
def test_the_pages_of_all_are_the_whole(build_many, sizes, count) -> None:
    # A clock that stands still: every version has the same instant.
    world = build_many(clock=FakeClock())
    for number, size in enumerate(sizes):
        write(world, size, f"p{number}")

    bundle = world.history(_count=str(count))
    seen = bundle["entry"]
    while following := next_of(bundle):
        bundle = world.history(**following)
        seen += bundle["entry"]

    told = {(one["fullUrl"], one["response"]["etag"]) for one in seen}
    assert len(seen) == len(told) == sum(sizes)


def test_since_leaves_out_what_is_older(build, fake_clock) -> None:
    world = build(clock=fake_clock)
    write(world, 1)
    fake_clock.advance(seconds=1)
    since = instant(to_millis(fake_clock()))
    write(world, 1)

    assert versions(world.history("Patient", "a", _since=since)) == ['W/"2"']


def test_at_tells_what_was_current_then(build, fake_clock) -> None:
    world = build(clock=fake_clock)
    write(world, 1)
    fake_clock.advance(hours=1)
    write(world, 1)
    at = instant(to_millis(fake_clock.advance(minutes=1)))
    fake_clock.advance(hours=1)
    write(world, 1)

    assert versions(world.history("Patient", "a", _at=at)) == ['W/"2"']
    assert versions(world.history("Patient", "a", _at="2026-01-08")) == [
        'W/"3"',
        'W/"2"',
        'W/"1"',
    ]


@pytest.mark.parametrize(
    "params",
    [{"_count": "0"}, {"_count": "x"}, {"_since": "now"}, {"_cursor": "1.2"}],
)
def test_a_parameter_that_has_no_meaning_is_refused(world, params) -> None:
    with pytest.raises(Invalid):
        world.history(**params)


def test_an_unknown_parameter_is_refused_or_told(world) -> None:
    write(world, 1)
    params = (("sort", "x"),)
    with pytest.raises(NotSupported, match="sort"):
        world.history(sort="x")

    lenient = world.context("history-system", params=params, handling="lenient")
    answer = world.interactions.history(lenient)

    assert [issue.severity for issue in answer.issues] == ["warning"]
    assert "sort" not in answer.resource()["link"][0]["url"]


def test_a_history_can_be_counted(world) -> None:
    write(world, 3)
    write(world, 2, "b")
    world.delete("Patient", "a")
    count = {"_summary": "count", "_count": "1"}

    counted = world.history("Patient", "a", **count)
    assert (counted["type"], counted["total"]) == ("history", 4)
    assert "entry" not in counted
    assert [link["relation"] for link in counted["link"]] == ["self"]
    assert counted["link"][0]["url"].endswith("_history?_summary=count&_count=1")
    assert world.history("Patient", **count)["total"] == 6
    assert world.history(**count)["total"] == 6
