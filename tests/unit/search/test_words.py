"""Words of resources, and what is asked of them."""

from typing import Any

import pytest

from fyr.core.errors import Invalid
from fyr.core.model import json
from fyr.search.full_text.queries import MOST, Branch, Phrase, branches
from fyr.search.full_text.words import KEPT_BYTES, LONGEST, Words, words, words_of


def read(resource: dict[str, Any]) -> Words:
    return words_of(json.parse(json.dump(resource)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Rødgrød med FLØDE", "rødgrød med fløde"),
        ("Å, Ærø & Café", "aa ærø cafe"),
        ("29463-7", "29463 7"),
        ("a_b/c", "a b c"),
        ("…", ""),
        ("x" * 100, "x" * LONGEST),
    ],
)
def test_a_text_is_split_into_folded_words(text: str, found: str) -> None:
    assert " ".join(words(text)) == found


def test_the_narrative_is_read_without_its_markup() -> None:
    div = (
        '<div xmlns="http://www.w3.org/1999/xhtml"><!-- no <b>word</b> -->'
        '<p title="a > b">H&#248;jt <b>blod</b>tryk &amp; feber</p></div>'
    )

    found = read({"resourceType": "Patient", "text": {"status": "x", "div": div}})

    assert found == Words(" højt blod tryk feber \n ", "")


def test_content_is_all_values_that_somebody_reads() -> None:
    found = read(
        {
            "resourceType": "Observation",
            "id": "o1",
            "meta": {"source": "http://meta"},
            "contained": [{"resourceType": "Patient", "name": [{"text": "Bo"}]}],
            "status": "final",
            "_status": {"extension": [{"url": "http://u", "valueString": "sure"}]},
            "code": {"text": "Vægt", "coding": [{"code": "29463-7"}]},
            "valueQuantity": {"value": 72.50, "unit": "kg"},
            "component": [{"valueBoolean": True}],
        }
    )

    assert found.narrative == ""
    values = [" ".join(value.split()) for value in found.content.split("\n")]
    assert values == "o1;Bo;final;http u;sure;Vægt;29463 7;72 5;kg;".lower().split(";")


def test_base64_is_no_text() -> None:
    found = read({"resourceType": "Binary", "contentType": "a/b", "data": "QUJD"})

    assert "a b" in found.content
    assert "qujd" not in found.content


def test_what_is_longer_than_the_index_keeps_is_cut() -> None:
    long = " ".join(f"w{number}" for number in range(100_000))

    found = read({"resourceType": "Basic", "id": "b", "code": {"text": long}})

    assert 0.99 * KEPT_BYTES < len(found.content) < KEPT_BYTES + 2


def one(*all_of: str, none: tuple[str, ...] = ()) -> Branch:
    return Branch(tuple(map(phrase, all_of)), tuple(map(phrase, none)))


def phrase(text: str) -> Phrase:
    return Phrase(tuple(text.removesuffix("*").split()), text.endswith("*"))


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("blod tryk", [one("blod", "tryk")]),
        ("BLOD AND Tryk", [one("blod", "tryk")]),
        ('"højt blodtryk" feber', [one("højt blodtryk", "feber")]),
        ("blodtr*", [one("blodtr*")]),
        ('"højt blodtr"*', [one("højt blodtr*")]),
        ("feber -hoste", [one("feber", none=("hoste",))]),
        ('feber NOT "tør hoste"', [one("feber", none=("tør hoste",))]),
        ('feber -"tør hoste" -x*', [one("feber", none=("tør hoste", "x*"))]),
        ("feber OR hoste kulde", [one("feber"), one("hoste", "kulde")]),
        ("or not and", [one("or", "not", "and")]),
        ("29463-7", [one("29463 7")]),
        ("covid-1*", [one("covid 1*")]),
        ("feber - & hoste", [one("feber", "hoste")]),
    ],
)
def test_a_query_is_understood(query: str, meant: list[Branch]) -> None:
    assert list(branches("_text", [query])) == meant


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("-hoste", "must be there"),
        ("feber OR -hoste", "must be there"),
        ("OR feber", "must be there"),
        ("feber OR", "must be there"),
        ("…", "must be there"),
        ("feber NOT", "nothing follows NOT"),
        ('"feber', "not closed"),
        (" ".join(["x"] * (MOST + 1)), "more than"),
    ],
)
def test_a_query_that_nothing_can_answer_is_refused(query: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        branches("_text", [query])
