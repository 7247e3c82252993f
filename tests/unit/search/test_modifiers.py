"""Modifiers of tokens, URIs and references, on both databases."""

from typing import Any

import pytest

from fyr.config.settings import Settings
from fyr.core.clock import utc_now
from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search import provide_search
from fyr.search.parameters import TABLES
from fyr.search.understanding.modifiers import MODIFIERS

V2 = "http://terminology.hl7.org/CodeSystem/v2-0203"


def observation(identity: str, code: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": code,
        **more,
    }


def patient(identity: str, *identifiers: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": identity,
        "identifier": list(identifiers),
    }


def value_set(identity: str, url: str) -> dict[str, Any]:
    return {
        "resourceType": "ValueSet",
        "id": identity,
        "url": url,
        "status": "active",
    }


def location(identity: str, part_of: str = "") -> dict[str, Any]:
    above = {"partOf": {"reference": f"Location/{part_of}"}} if part_of else {}
    return {"resourceType": "Location", "id": identity, **above}


class TestText:
    @pytest.fixture
    def library(self, library: Any) -> Any:
        library.put(
            observation("display", {"coding": [{"display": "Body height, Åse"}]}),
            observation("text", {"text": "Body WEIGHT"}),
            observation("other", {"coding": [{"code": "body"}], "text": "Pulse"}),
            patient("number", {"type": {"text": "Sygesikring"}, "value": "1"}),
            {
                "resourceType": "Patient",
                "id": "tagged",
                "meta": {"tag": [{"code": "x", "display": "Important"}]},
            },
        )
        return library

    @pytest.mark.parametrize(
        ("kind", "query", "found"),
        [
            ("Observation", "code:text=body", ["display", "text"]),
            ("Observation", "code:text=body w", ["text"]),
            ("Observation", "code:text=body height\\, aase", ["display"]),
            ("Observation", "code:text=height,pulse", ["other"]),
            ("Observation", "combo-code:text=body h", ["display"]),
            ("Patient", "identifier:text=syge", ["number"]),
            ("Patient", "_tag:text=IMPORT", ["tagged"]),
        ],
    )
    def test_the_text_of_a_code_is_searched_as_a_string(
        self, library: Any, kind: str, query: str, found: list[str]
    ) -> None:
        assert library.ids(kind, query) == found

    def test_a_parameter_whose_values_have_no_text_says_so(self, library: Any) -> None:
        with pytest.raises(NotSupported, match=r"'gender'.*have no text"):
            library.ids("Patient", "gender:text=male")

    def test_a_text_equal_to_the_display_is_indexed_once(self, library: Any) -> None:
        code = {"coding": [{"code": "x", "display": "Pulse"}], "text": "pulse"}

        rows = library.engine.index(observation("1", code))["idx_string"]

        assert [(folded, original) for _, folded, original in rows] == [("pulse", "")]

    def test_where_texts_are_not_indexed_the_setting_is_named(
        self, library: Any, tmp_path: Any
    ) -> None:
        without = Settings(data_dir=tmp_path, search={"token_text": False})
        library.engine = provide_search(without, library.database, utc_now, [])

        assert "idx_string" not in library.engine.index(
            observation("1", {"text": "Pulse"})
        )
        with pytest.raises(NotSupported, match=r"search\.token_text"):
            library.ids("Observation", "code:text=pulse")


class TestOfType:
    @pytest.fixture
    def library(self, library: Any) -> Any:
        coding = [{"system": V2, "code": "MR"}, {"system": "http://x", "code": "NR"}]
        library.put(
            patient("typed", {"type": {"coding": coding}, "value": "4|4"}),
            patient(
                "other",
                {"type": {"coding": [{"system": V2, "code": "SS"}]}, "value": "4|4"},
                {"type": {"coding": coding}, "value": "5"},
            ),
            patient("untyped", {"system": V2, "value": "4|4"}),
        )
        return library

    @pytest.mark.parametrize("kind", [f"{V2}|MR", "http://x|NR"])
    def test_an_identifier_is_found_by_each_of_its_types(
        self, library: Any, kind: str
    ) -> None:
        assert library.ids("Patient", rf"identifier:of-type={kind}|4\|4") == ["typed"]

    @pytest.mark.parametrize("value", ["4", "MR|4", f"{V2}|MR|", "|MR|4", "a|b|c|d"])
    def test_all_three_parts_are_wanted(self, library: Any, value: str) -> None:
        with pytest.raises(Invalid, match="of-type wants all three"):
            library.ids("Patient", f"identifier:of-type={value}")

    def test_a_canonical_has_no_identifier(self, library: Any) -> None:
        with pytest.raises(NotSupported, match="have no identifier"):
            library.ids("Procedure", "instantiates-canonical:identifier=1")

    def test_what_is_no_identifier_has_no_type(self, library: Any) -> None:
        with pytest.raises(NotSupported, match="are no identifiers"):
            library.ids("Patient", "gender:of-type=a|b|c")


class TestUri:
    @pytest.fixture
    def library(self, library: Any) -> Any:
        library.put(
            value_set("root", "http://acme.org/fhir"),
            value_set("slash", "http://acme.org/fhir/"),
            value_set("deep", "http://acme.org/fhir/ValueSet/1"),
            value_set("beside", "http://acme.org/fhirs/ValueSet/1"),
            value_set("urn", "urn:oid:1.2.3"),
            value_set("long", "http://acme.org/fhir/" + "x" * 300 + "/1"),
            {
                "resourceType": "Patient",
                "id": "profiled",
                "meta": {"profile": ["http://acme.org/fhir/p|2"]},
            },
        )
        return library

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("url:below=http://acme.org/fhir/", ["root", "slash", "deep", "long"]),
            ("url:below=http://acme.org/fhir", ["root", "slash", "deep", "long"]),
            ("url:below=http://acme.org/fhir/ValueSet/1", ["deep"]),
            ("url:below=http://acme.org/fhi,http://acme.org/fhirs", ["beside"]),
            ("url:above=http://acme.org/fhir/ValueSet/1", ["root", "slash", "deep"]),
            (
                f"url:above=http://acme.org/fhir/{'x' * 300}/1/2",
                ["root", "slash", "long"],
            ),
            ("url:above=http://acme.org/fhir", ["root", "slash"]),
        ],
    )
    def test_urls_stand_below_each_other_by_the_steps_of_their_paths(
        self, library: Any, query: str, found: list[str]
    ) -> None:
        assert library.ids("ValueSet", query) == found

    @pytest.mark.parametrize(
        "query",
        [
            "_profile:below=http://acme.org/fhir/p",
            "_profile:below=http://acme.org",
            "_profile:above=http://acme.org/fhir/p|2",
        ],
    )
    def test_a_version_stands_below_its_url(self, library: Any, query: str) -> None:
        assert library.ids("Patient", query) == ["profiled"]

    @pytest.mark.parametrize("modifier", ["above", "below"])
    @pytest.mark.parametrize("value", ["urn:oid:1.2", "here", "http://"])
    def test_what_is_no_url_has_nothing_above_or_below(
        self, library: Any, value: str, modifier: str
    ) -> None:
        with pytest.raises(Invalid, match="is no URL"):
            library.ids("ValueSet", f"url:{modifier}={value}")

    def test_a_longer_beginning_than_is_kept_is_refused(self, library: Any) -> None:
        with pytest.raises(Invalid, match="more than"):
            library.ids("ValueSet", f"url:below=http://a/{'x' * 300}")

    def test_a_uri_has_no_contains(self, library: Any) -> None:
        with pytest.raises(NotSupported, match=r"supported: :missing, :above, :below"):
            library.ids("ValueSet", "url:contains=acme")


class TestParts:
    @pytest.fixture
    def library(self, library: Any) -> Any:
        library.put(
            location("house"),
            location("floor", "house"),
            location("room", "floor"),
            location("bed", "room"),
            location("alone"),
            *(
                {
                    "resourceType": "Procedure",
                    "id": f"in-{place}",
                    "location": {"reference": f"Location/{place}"},
                }
                for place in ("house", "room", "alone", "never-stored")
            ),
        )
        return library

    @pytest.mark.parametrize(
        ("kind", "query", "found"),
        [
            ("Procedure", "location:below=Location/house", ["in-house", "in-room"]),
            ("Procedure", "location:below=room", ["in-room"]),
            ("Procedure", "location:below=bed", []),
            ("Procedure", "location:above=http://here/fhir/Location/bed", None),
            ("Procedure", "location:above=Location/house", ["in-house"]),
            ("Procedure", "location:below=never-stored", ["in-never-stored"]),
            ("Location", "partof:below=house", ["floor", "room", "bed"]),
            ("Location", "partof:below=floor,alone", ["room", "bed"]),
            ("Location", "partof:above=room", ["floor", "room", "bed"]),
        ],
    )
    def test_a_reference_is_followed_to_parts_and_to_the_whole(
        self, library: Any, kind: str, query: str, found: list[str] | None
    ) -> None:
        expected = ["in-house", "in-room"] if found is None else found

        assert library.ids(kind, query) == expected

    @pytest.mark.parametrize("modifier", ["above", "below"])
    def test_parts_of_each_other_are_taken_once(
        self, library: Any, modifier: str
    ) -> None:
        library.put(location("hen", "egg"), location("egg", "hen"))

        assert library.ids("Location", f"partof:{modifier}=hen") == ["hen", "egg"]

    def test_what_is_deleted_leads_nowhere(self, library: Any) -> None:
        (floor,) = library.database.read(
            lambda session: library.engine.criteria(
                session, library.context("Location"), "Location", "_id=floor"
            )
        )
        library.change(None, floor)

        assert library.ids("Procedure", "location:below=house") == ["in-house"]

    def test_a_hierarchy_goes_on_through_a_chain(self, library: Any) -> None:
        library.put({"resourceType": "Encounter", "id": "e", "status": "planned"})
        library.put(
            {
                "resourceType": "Procedure",
                "id": "p",
                "encounter": {"reference": "Encounter/e"},
                "location": {"reference": "Location/bed"},
            }
        )

        query = "_has:Procedure:encounter:location:below=house"
        assert library.ids("Encounter", query) == ["e"]

    def test_where_nothing_is_a_part_it_is_said(self, library: Any) -> None:
        with pytest.raises(NotSupported, match="no parts of each other"):
            library.ids("Observation", "patient:below=1")

    def test_another_type_is_none_that_has_parts(self, library: Any) -> None:
        with pytest.raises(Invalid, match=r"none of Location/\[id\]"):
            library.ids("Procedure", "location:below=Patient/1")


class TestCase:
    """R4 leaves it to the server: codes and identifiers are compared as they are."""

    def test_a_code_in_another_case_is_another_code(self, library: Any) -> None:
        library.put(
            observation("milli", {"coding": [{"code": "m"}]}),
            observation("mega", {"coding": [{"code": "M"}]}),
            patient("a", {"value": "AB-1"}),
        )

        assert library.ids("Observation", "code=m") == ["milli"]
        assert library.ids("Observation", "code=m,M") == ["milli", "mega"]
        assert library.ids("Patient", "identifier=ab-1") == []


class TestUnknown:
    @pytest.mark.parametrize("type_", TABLES)
    def test_each_type_of_parameter_has_modifiers_and_missing_among_them(
        self, type_: str
    ) -> None:
        assert "missing" in MODIFIERS[type_]
        assert not RESOURCE_TYPES & set(MODIFIERS[type_])

    def test_the_nearest_modifier_is_named(self, library: Any) -> None:
        with pytest.raises(NotSupported, match=r"'code'.*'bellow'.*mean 'below'"):
            library.ids("Observation", "code:bellow=http://x|1")

    @pytest.mark.parametrize(
        "query",
        [
            "code:bellow=http://x|1",
            "status:text=x",
            "status:of-type=a|b|c",
            "patient:below=1",
        ],
    )
    def test_a_lenient_search_leaves_it_out_and_says_so(
        self, library: Any, query: str
    ) -> None:
        library.put(observation("1", {"text": "x"}))

        page = library.page("Observation", query, handling="lenient")

        assert [one.id for one in page.matches] == ["1"]
        assert [issue.severity for issue in page.issues] == ["warning"]
        assert query.partition("=")[0] not in dict(page.used)
