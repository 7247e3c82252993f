"""``$submit-measurement``: answers that are to be from a value set (``answerValueSet``)."""

import pytest

COLOURS = "http://sets.example/colours"
SYSTEM = "urn:colours"


def some(*codes, system=SYSTEM):
    return {"system": system, "concept": [{"code": code} for code in codes]}


def value_set(*include, **more):
    composed = {"compose": {"include": list(include)}} if include else {}
    return {"url": COLOURS, "status": "active", **composed, **more}


@pytest.fixture
def answering(world):
    """Make an answer to a question, in a group, that is answered from a value set."""

    def made(value=COLOURS, kind="choice", contained=(), **answer):
        item = {"linkId": "1", "text": "Which?", "type": kind, "answerValueSet": value}
        group = {"linkId": "g", "type": "group", "text": "Colours", "item": [item]}
        more = {"contained": list(contained)} if contained else {}
        asked, order = world.a_questionnaire(group, **more)
        given = {"linkId": "1", "answer": [answer]}
        return world.response(asked, order, {"linkId": "g", "item": [given]})

    return made


@pytest.fixture
def taken(world):
    """Submit what is taken; tell what it was warned of: codes, texts and places."""

    def told(response):
        answer = world.submit(response)
        assert answer.status == 200, answer.body
        (entry,) = answer.json["entry"]
        issues = entry["response"].get("outcome", {"issue": []})["issue"]
        assert {one["severity"] for one in issues} <= {"warning"}
        return [(one["code"], one["diagnostics"], *one["expression"]) for one in issues]

    return told


PLACE = "item[0].item[0].answer[0].value"


def coding(code="red", **more):
    return {"system": SYSTEM, "code": code, **more}


@pytest.mark.parametrize("kind", ["choice", "open-choice"])
def test_an_answer_outside_of_the_value_set_of_its_question_is_refused(
    world, problems, taken, answering, kind
) -> None:
    world.put("ValueSet", **value_set(some("red", "green")))

    ((text, place),) = problems(answering(kind=kind, valueCoding=coding("blue")))

    assert text.startswith("The content breaks a rule: urn:uuid:")
    assert text.endswith(
        "answers the item 1: this is none of its options, which are those of the"
        f" ValueSet {COLOURS}"
    )
    assert place == f"Bundle.entry[0].resource.{PLACE}"
    assert taken(answering(kind=kind, valueCoding=coding("green"))) == []


def test_an_answer_of_another_code_system_is_refused_and_one_of_none_is_its_code(
    world, problems, taken, answering
) -> None:
    world.put("ValueSet", **value_set(some("red")))

    assert len(problems(answering(valueCoding=coding(system="urn:other")))) == 1
    assert len(problems(answering(valueCoding={"display": "Red"}))) == 1
    assert taken(answering(valueCoding={"code": "red"})) == []


def test_free_text_is_an_answer_to_an_open_choice_only(
    world, problems, taken, answering
) -> None:
    world.put("ValueSet", **value_set(some("red")))

    assert taken(answering(kind="open-choice", valueString="Mauve")) == []
    ((text, _),) = problems(answering(valueString="Mauve"))
    assert text.endswith("it takes valueCoding, and not valueString")


def test_the_version_of_a_value_set_that_is_named_is_meant(
    world, problems, taken, answering
) -> None:
    world.put("ValueSet", **value_set(some("red"), version="1"))
    world.put("ValueSet", **value_set(some("blue"), version="2"))

    assert taken(answering(f"{COLOURS}|1", valueCoding=coding("red"))) == []
    assert taken(answering(COLOURS, valueCoding=coding("blue"))) == []
    assert len(problems(answering(f"{COLOURS}|1", valueCoding=coding("blue")))) == 1


def test_an_expansion_and_other_value_sets_are_looked_into(
    world, problems, taken, answering
) -> None:
    expanded = {
        "timestamp": "2026-01-01T08:00:00+01:00",
        "contains": [{"system": SYSTEM, "code": "red"}],
    }
    inner = "http://sets.example/inner"
    world.put("ValueSet", **value_set(url=inner, expansion=expanded))
    world.put("ValueSet", **value_set({"valueSet": [inner]}))

    assert taken(answering(valueCoding=coding("red"))) == []
    assert len(problems(answering(valueCoding=coding("blue")))) == 1


def test_a_value_set_at_this_server_is_known_by_its_address_here(
    world, problems, taken, answering
) -> None:
    identity = world.put("ValueSet", **value_set(some("red")))["id"]
    address = f"{world.base('terminology')}/ValueSet/{identity}"

    assert taken(answering(address, valueCoding=coding("red"))) == []
    assert len(problems(answering(address, valueCoding=coding("blue")))) == 1


def test_a_value_set_of_r4_that_elements_are_coded_from_need_not_be_stored(
    problems, taken, answering
) -> None:
    genders = "http://hl7.org/fhir/ValueSet/administrative-gender"
    system = "http://hl7.org/fhir/administrative-gender"

    known = {"system": system, "code": "female"}
    assert taken(answering(genders, valueCoding=known)) == []
    assert len(problems(answering(genders, valueCoding={**known, "code": "f"}))) == 1


def test_a_value_set_that_the_questionnaire_contains_is_held_to(
    problems, taken, answering
) -> None:
    mine = [{"resourceType": "ValueSet", "id": "mine", **value_set(some("red"))}]

    assert taken(answering("#mine", contained=mine, valueCoding=coding("red"))) == []
    wrong = answering("#mine", contained=mine, valueCoding=coding("blue"))
    assert len(problems(wrong)) == 1
    ((code, text, _),) = taken(answering("#none", valueCoding=coding("blue")))
    assert code == "not-found"
    assert "there is no ValueSet '#none' here" in text


def test_an_answer_from_a_value_set_that_is_not_here_is_stored_with_a_warning(
    taken, answering
) -> None:
    assert taken(answering(valueCoding=coding())) == [
        (
            "not-found",
            "Whether the answer to the item 1 is one of its options has not been looked"
            f" at: there is no ValueSet '{COLOURS}' here: its codes are known once it is"
            " stored",
            f"QuestionnaireResponse.{PLACE}",
        )
    ]


def test_a_filter_of_a_code_system_that_is_not_here_is_told_as_a_warning(
    world, taken, answering
) -> None:
    is_a = {"property": "concept", "op": "is-a", "value": "red"}
    world.put("ValueSet", **value_set({"system": SYSTEM, "filter": [is_a]}))

    ((code, text, place),) = taken(answering(valueCoding=coding()))

    assert code == "not-found"
    assert f"there is no CodeSystem '{SYSTEM}' here" in text
    assert place == f"QuestionnaireResponse.{PLACE}"


def test_a_part_that_cannot_be_told_leaves_open_what_it_could_hold_only(
    world, problems, taken, answering
) -> None:
    is_a = {"property": "concept", "op": "is-a", "value": "x"}
    elsewhere = {"system": "urn:elsewhere", "filter": [is_a]}
    world.put("ValueSet", **value_set(elsewhere, some("red")))

    assert taken(answering(valueCoding=coding("red"))) == []
    assert len(problems(answering(valueCoding=coding("blue")))) == 1
    there = coding("blue", system="urn:elsewhere")
    ((code, text, _),) = taken(answering(valueCoding=there))
    assert code == "not-found"
    assert "there is no CodeSystem 'urn:elsewhere' here" in text


def test_a_code_that_may_be_left_out_is_not_taken_for_sure(
    world, taken, answering
) -> None:
    left_out = {"valueSet": ["http://sets.example/none"]}
    compose = {"include": [some("red")], "exclude": [left_out]}
    world.put("ValueSet", url=COLOURS, status="active", compose=compose)

    ((code, _, _),) = taken(answering(valueCoding=coding("red")))
    assert code == "not-found"


def test_all_of_a_code_system_are_those_that_it_has_where_it_is_here(
    world, problems, taken, answering
) -> None:
    world.put("ValueSet", **value_set({"system": SYSTEM}))

    ((code, text, _),) = taken(answering(valueCoding=coding("blue")))
    assert code == "not-found"
    assert f"codes of '{SYSTEM}', a CodeSystem that is not here" in text
    assert len(problems(answering(valueCoding=coding(system="urn:other")))) == 1

    world.put(
        "CodeSystem",
        url=SYSTEM,
        status="active",
        content="complete",
        concept=[{"code": "red"}],
    )

    assert taken(answering(valueCoding=coding("red"))) == []
    assert len(problems(answering(valueCoding=coding("blue")))) == 1


def test_each_answer_has_its_own_place(world, problems) -> None:
    world.put("ValueSet", **value_set(some("red")))
    below = {"linkId": "2", "type": "choice", "text": "And?", "answerValueSet": COLOURS}
    asked, order = world.a_questionnaire(
        {**below, "linkId": "1", "repeats": True, "item": [below]}
    )
    wrong = {"linkId": "2", "answer": [{"valueCoding": coding("blue")}]}
    answers = [
        {"valueCoding": coding("red"), "item": [wrong]},
        {"valueCoding": coding("mauve")},
    ]
    response = world.response(asked, order, {"linkId": "1", "answer": answers})

    within = "Bundle.entry[0].resource.item[0]"
    assert [place for _, place in problems(response)] == [
        f"{within}.answer[0].item[0].answer[0].value",
        f"{within}.answer[1].value",
    ]


@pytest.mark.parametrize(
    "value",
    [
        "red",
        5,
        None,
        [],
        {"code": {}},
        {"system": {}, "code": "red"},
        {"code": ["red"]},
    ],
)
def test_an_answer_that_is_no_coding_is_told_and_never_a_server_error(
    world, answering, value
) -> None:
    world.put("ValueSet", **value_set(some("red")))

    assert world.submit(answering(valueCoding=value)).status in (400, 422)
