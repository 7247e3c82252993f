import pytest

from fyr.core import hookimpl
from fyr.core.errors import Forbidden, Issue, NotSupported
from fyr.core.interactions.pages import bundle_of
from fyr.core.searching import CURSOR, SearchPage


def test_a_search_joins_what_is_stored(world) -> None:
    stored = world.create(
        {"resourceType": "Patient", "identifier": [{"value": "x"}]}
    ).stored
    context = world.context("search-type", "Patient", params=(("identifier", "x"),))

    answer = world.interactions.search(context)

    assert stored.body in answer.body
    assert answer.resource() == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "link": [
            {
                "relation": "self",
                "url": "https://fyr.example.org/fhir/Patient?identifier=x",
            }
        ],
        "entry": [
            {
                "fullUrl": f"https://fyr.example.org/fhir/Patient/{stored.id}",
                "resource": world.read("Patient", stored.id).resource(),
                "search": {"mode": "match"},
            }
        ],
    }


def test_a_search_that_finds_nothing_has_no_entries(world) -> None:
    assert "entry" not in world.find("Patient", identifier="none")


def test_links_carry_what_was_understood_and_how_it_is_written(build) -> None:
    world = build()
    world.interactions.engine = _Engine(
        SearchPage([], used=[("name", "å b"), (CURSOR, "old")], next="new")
    )
    params = (("name", "å b"), ("_format", "xml"), (CURSOR, "old"))

    context = world.context("search-type", "Patient", params=params)
    bundle = world.interactions.search(context).resource()

    base = "https://fyr.example.org/fhir/Patient?name=%C3%A5%20b"
    assert {one["relation"]: one["url"] for one in bundle["link"]} == {
        "self": f"{base}&_cursor=old&_format=xml",
        "next": f"{base}&_format=xml&_cursor=new",
    }
    assert world.interactions.engine.params == [("name", "å b"), (CURSOR, "old")]


def test_what_a_lenient_search_ignored_stands_in_the_bundle(build) -> None:
    world = build()
    ignored = Issue("not-supported", "no parameter x", severity="warning")
    world.interactions.engine = _Engine(SearchPage([], issues=[ignored]))

    bundle = world.find("Patient", x="1")

    assert bundle["entry"][0]["search"]["mode"] == "outcome"
    assert bundle["entry"][0]["resource"]["resourceType"] == "OperationOutcome"


def test_what_an_include_brings_and_may_not_be_seen_is_left_out_and_told(build) -> None:
    class NoGroups:
        @hookimpl
        def authorize_resource(self, subject, use):
            if use == "include" and subject.type == "Group":
                raise Forbidden(f"not {subject.id}")

    world = build(plugins={"no-groups": NoGroups()})
    group, patient = (
        world.create({"resourceType": kind, **more}).stored
        for kind, more in (
            ("Group", {"type": "person", "actual": True}),
            ("Patient", {}),
        )
    )
    page = SearchPage([], included=[group, group, patient])
    world.interactions.engine = _Engine(page)

    entries = world.find("Observation")["entry"]

    assert [one["search"]["mode"] for one in entries] == ["include", "outcome"]
    (issue,) = entries[1]["resource"]["issue"]
    assert (issue["severity"], issue["code"]) == ("warning", "suppressed")
    assert group.id not in str(entries)


@pytest.mark.parametrize("hook", ["authorize_search", "authorize_resource"])
@pytest.mark.parametrize("value", ["true", "both"])
def test_nothing_contained_is_searched_where_plugins_decide(build, hook, value) -> None:
    class Decides:
        pass

    setattr(Decides, hook, hookimpl(lambda self, context: None))
    world = build(plugins={"decides": Decides()})

    with pytest.raises(Forbidden, match="_contained"):
        world.find("Patient", _contained=value)


def test_a_server_without_search_says_so(build) -> None:
    with pytest.raises(NotSupported):
        build(searching=False).find("Patient", identifier="x")


def test_texts_of_a_bundle_are_written_as_json() -> None:
    bundle = bundle_of("searchset", [], links=[("self", 'http://x/"\\')])

    assert bundle.endswith(b'"url":"http://x/\\"\\\\"}]}')


class _Engine:
    """Answers one page, whatever it is asked."""

    def __init__(self, page: SearchPage) -> None:
        self.page = page

    def search(self, session, context, resource_type, params, judge=None):
        self.params = list(params)
        return self.page
