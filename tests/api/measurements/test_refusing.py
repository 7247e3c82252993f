"""``$submit-measurement``: what it refuses, with the place in the Bundle that was sent.

Nothing is stored of what is refused; that is asked of every refusal here.
"""

from types import ModuleType

import pytest

from fyr.core import Issue, hookimpl
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock

TAGS = "http://ehealth.sundhed.dk/cs/ehealth-system"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"


@pytest.fixture
def problems(world, refused):
    """Submit resources that are refused; tell texts and places."""

    def told(*resources):
        before = world.stored()
        found = refused(world.submit(*resources))
        assert world.stored() == before
        return found

    return told


def test_an_empty_bundle_is_refused(problems) -> None:
    assert problems() == [("The Bundle is empty.", "Bundle.entry")]


def test_no_bundle_at_all_is_refused_as_an_empty_one(world, refused) -> None:
    answer = world.measurement.post(
        "$submit-measurement", {"resourceType": "Parameters"}
    )

    assert refused(answer) == [("The Bundle is empty.", "Parameters.parameter")]


def test_a_bundle_without_measurements_is_refused(world, problems) -> None:
    told = problems(world.reuse("urn:uuid:8a", "Observation/1"))

    assert (
        told[0][0] == "The Bundle holds no Observation, Media or QuestionnaireResponse."
    )


def test_a_resource_of_another_type_is_refused_with_its_place(world, problems) -> None:
    patient = {"resourceType": "Patient"}

    ((text, place),) = problems(world.observation(world.an_order()), patient)

    assert text.startswith("The Bundle may hold Observation, Media,")
    assert place == "Bundle.entry[1].resource"


def test_two_entries_with_one_name_are_refused(world, problems) -> None:
    order = world.an_order()
    twin = {
        **world.observation(order),
        "fullUrl": "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11",
    }

    ((_, place),) = problems(twin, twin)

    assert place == "Bundle.entry[1].fullUrl"


def test_a_measurement_without_patient_is_refused(world, problems) -> None:
    observation = world.observation(world.an_order(), subject=None)

    assert problems(observation) == [
        (
            "Each measurement must refer to its patient.",
            "Bundle.entry[0].resource.subject",
        )
    ]


def test_a_measurement_of_something_else_than_a_patient_is_refused(
    world, problems
) -> None:
    observation = world.observation(world.an_order(), subject={"reference": "Group/1"})

    ((text, _),) = problems(observation)

    assert text == "Each measurement must refer to its patient."


def test_a_measurement_without_episode_of_care_is_refused(
    world, problems, make
) -> None:
    observation = world.observation(world.an_order())
    observation["extension"] = [make.timing()]

    ((text, place),) = problems(observation)

    assert text == "Each measurement must refer to its episode of care."
    assert place == "Bundle.entry[0].resource"


def test_measurements_of_several_patients_are_refused(world, problems) -> None:
    order, other = world.an_order(), world.put("Patient")["id"]
    stranger = world.observation(order, subject={"reference": f"Patient/{other}"})

    told = problems(world.observation(order), stranger)

    assert told[0] == (
        "The measurements are of several patients.",
        "Bundle.entry[1].resource.subject",
    )


def test_measurements_of_several_episodes_are_refused(world, problems) -> None:
    order, other = world.an_order(), world.an_episode(world.patient)

    told = problems(world.observation(order), world.observation(order, episode=other))

    assert (
        "The measurements belong to several episodes of care.",
        "Bundle.entry[1].resource.extension[0]",
    ) in told


def test_another_patient_than_that_of_the_episode_is_refused(world, problems) -> None:
    other = world.put("Patient")["id"]
    observation = world.observation(
        world.an_order(subject={"reference": f"Patient/{other}"}),
        subject={"reference": f"Patient/{other}"},
    )

    assert problems(observation) == [
        (
            "The measurements are of another patient than the episode of care.",
            "Bundle.entry[0].resource.subject",
        )
    ]


def test_an_episode_of_care_that_is_not_there_is_refused(world, problems) -> None:
    observation = world.observation(world.an_order(), episode="nowhere")

    assert problems(observation)[0] == (
        "There is no EpisodeOfCare with the id nowhere.",
        "Bundle.entry[0].resource.extension[0]",
    )


def test_a_tag_that_the_episode_has_not_is_refused(world, problems) -> None:
    tag = {"system": TAGS, "code": "xa"}

    assert problems(world.observation(world.an_order(), meta={"tag": [tag]})) == [
        (
            "The resource has system tags other than those of the resource that it"
            " belongs to.",
            "Bundle.entry[0].resource.meta.tag[0]",
        )
    ]


@pytest.mark.parametrize(
    ("kind", "status", "wanted"),
    [
        ("Observation", "preliminary", "final"),
        ("QuestionnaireResponse", "in-progress", "completed"),
        ("Media", "preparation", "completed"),
    ],
)
def test_a_measurement_that_is_not_finished_is_refused(
    world, problems, kind, status, wanted
) -> None:
    asked, order = world.a_questionnaire()
    made = {
        "Observation": lambda: world.observation(world.an_order(), status=status),
        "QuestionnaireResponse": lambda: world.response(asked, order, status=status),
        "Media": lambda: world.media(order, status=status),
    }

    assert problems(made[kind]()) == [
        (
            f"The status {status} does not fit; it must be {wanted} for a measurement of"
            f" type {kind}.",
            "Bundle.entry[0].resource.status",
        )
    ]


START, END = "2026-01-08T08:00:00+01:00", "2026-01-08T10:00:00+01:00"


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("Resolved", {"start": END, "end": START}),
        ("Resolved", {}),
        ("Resolved", {"start": START}),
        ("Resolved", {"end": END}),
        ("Unresolved", {"start": START, "end": END}),
        ("Adhoc", {"start": START}),
        ("Extra", {"end": END}),
        ("Sometimes", {}),
    ],
)
def test_a_timing_that_does_not_fit_its_type_is_refused(
    world, problems, make, kind, ends
) -> None:
    observation = world.observation(world.an_order(), timing=make.timing(kind, **ends))

    ((text, place),) = problems(observation)

    assert text.startswith("A resolved timing is either of type Resolved")
    assert place == "Bundle.entry[0].resource.extension[1]"


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("Resolved", {"start": START, "end": END}),
        ("Unresolved", {}),
        ("Adhoc", {}),
        ("Extra", {}),
    ],
)
def test_a_timing_that_fits_its_type_is_taken(world, make, kind, ends) -> None:
    observation = world.observation(world.an_order(), timing=make.timing(kind, **ends))

    assert world.submit(observation).status == 200


def test_a_timing_without_the_version_of_the_order_is_refused(
    world, problems, make
) -> None:
    timing = make.timing()
    del timing["extension"][0]

    ((text, _),) = problems(world.observation(world.an_order(), timing=timing))

    assert text.startswith("A resolved timing is either of type Resolved")


def test_a_value_that_nobody_triages_is_refused(world, problems) -> None:
    observation = world.observation(
        world.an_order(),
        valueQuantity=None,
        valueString="97 %",
        component=[{"code": {"text": "a"}, "valueBoolean": True}],
    )

    text = "The content breaks a rule: a value is a Quantity or a CodeableConcept"
    assert problems(observation) == [
        (text, "Bundle.entry[0].resource.value"),
        (text, "Bundle.entry[0].resource.component[0].value"),
    ]


def test_a_measurement_without_timing_is_refused(world, problems) -> None:
    ((_, place),) = problems(world.observation(world.an_order(), timing=None))

    assert place == "Bundle.entry[0].resource"


@pytest.mark.parametrize(
    ("kind", "element", "name"),
    [
        ("Observation", "effectiveDateTime", "effective"),
        ("Observation", "performer", "performer"),
        ("QuestionnaireResponse", "authored", "authored"),
        ("QuestionnaireResponse", "source", "source"),
        ("Media", "createdDateTime", "created"),
    ],
)
def test_a_measurement_without_what_its_profile_demands_is_refused(
    world, problems, kind, element, name
) -> None:
    asked, order = world.a_questionnaire()
    without = {element: None}
    made = {
        "Observation": lambda: world.observation(world.an_order(), **without),
        "QuestionnaireResponse": lambda: world.response(asked, order, **without),
        "Media": lambda: world.media(order, **without),
    }

    assert problems(made[kind]()) == [
        (
            f"The content breaks a rule: a measurement of type {kind} says its {name}",
            f"Bundle.entry[0].resource.{name}",
        )
    ]


def test_a_measurement_may_be_of_a_day_as_of_a_moment_or_a_period(world) -> None:
    asked, order = world.a_questionnaire()
    day = "2026-01-08"

    answer = world.submit(
        world.observation(world.an_order(), effectiveDateTime=day),
        world.observation(
            world.an_order(),
            effectiveDateTime=None,
            effectivePeriod={"start": START, "end": END},
        ),
        world.response(asked, order, authored=day),
    )

    assert answer.status == 200, answer.body


@pytest.mark.parametrize("version", ["0", "01", "first", "v2"])
def test_what_cannot_be_a_version_of_the_order_is_refused(
    world, problems, make, version
) -> None:
    timing, order = make.timing(), world.an_order()
    timing["extension"][0]["valueId"] = version

    assert problems(world.observation(order, timing=timing)) == [
        (
            f"There is no ServiceRequest with the id {order}/_history/{version}.",
            "Bundle.entry[0].resource.extension[1].extension[0].value",
        )
    ]


def test_a_version_of_the_order_that_is_not_there_is_stored_with_a_warning(
    world, make
) -> None:
    timing, order = make.timing(), world.an_order()
    timing["extension"][0]["valueId"] = "42"

    answer = world.submit(
        world.observation(order), world.observation(order, timing=timing)
    )

    assert answer.status == 200, answer.body
    first, second = (one["response"] for one in answer.json["entry"])
    assert "outcome" not in first
    assert second["outcome"]["issue"] == [
        {
            "severity": "warning",
            "code": "processing",
            "diagnostics": f"There is no ServiceRequest with the id {order}/_history/42.",
            "expression": ["Observation.extension[1].extension[0].value"],
        }
    ]


def test_earlier_versions_of_the_order_are_taken(world, make) -> None:
    since = {"start": "2026-01-01T08:00:00+01:00"}
    order = world.an_order(occurrencePeriod=since)
    world.an_order(id=order, occurrencePeriod=since, priority="routine")
    timing = make.timing()

    for version in ("1", "2"):
        timing["extension"][0]["valueId"] = version
        answer = world.submit(world.observation(order, timing=timing))
        assert answer.status == 200, answer.body


def test_two_qualities_of_a_device_are_refused(world, problems, make) -> None:
    twice = [
        make.quality("DMQ", "device-measuring-quality", code)
        for code in ("normal", "unknown")
    ]

    ((text, place),) = problems(world.observation(world.an_order(), extension=twice))

    assert text == "An Observation or Media has one device quality at most."
    assert place == "Bundle.entry[0].resource.extension[1]"


@pytest.mark.parametrize("status", ["draft", "on-hold", "completed", "revoked"])
def test_a_measurement_for_an_order_that_is_not_active_is_refused(
    world, problems, status
) -> None:
    order = world.an_order(status=status)

    assert problems(world.observation(order)) == [
        (
            f"ServiceRequest {order} is not active.",
            "Bundle.entry[0].resource.basedOn[0]",
        )
    ]


def test_a_measurement_for_an_order_that_is_not_there_is_refused(
    world, problems
) -> None:
    assert problems(world.observation("nowhere")) == [
        (
            "There is no ServiceRequest with the id nowhere.",
            "Bundle.entry[0].resource.basedOn[0]",
        )
    ]


@pytest.mark.parametrize("based_on", [None, [], 2])
def test_a_measurement_is_based_on_one_order(world, refused, based_on) -> None:
    orders = [{"reference": f"ServiceRequest/{world.an_order()}"} for _ in range(2)]
    observation = world.observation("x", basedOn=orders if based_on == 2 else None)

    ((_, place),) = refused(world.submit(observation))

    assert place == "Bundle.entry[0].resource.basedOn"


def test_an_order_of_another_patient_is_refused(world, problems) -> None:
    other = world.put("Patient")["id"]
    order = world.an_order(subject={"reference": f"Patient/{other}"})

    ((text, place),) = problems(world.observation(order))

    assert text == "The measurements are of another patient than the episode of care."
    assert place == "Bundle.entry[0].resource.basedOn[0]"


def test_an_order_of_another_episode_is_refused(world, problems) -> None:
    mine = world.episode
    world.episode = world.an_episode(world.patient)
    order = world.an_order()

    ((text, place),) = problems(world.observation(order, episode=mine))

    assert text == "The measurements belong to several episodes of care."
    assert place == "Bundle.entry[0].resource.basedOn[0]"


def test_an_observation_of_something_else_than_was_ordered_is_refused(
    world, problems, make
) -> None:
    order = world.an_order("NPU03804")

    assert problems(world.observation(order)) == [
        (
            f"The Observation has another code than ServiceRequest {order} asks for.",
            "Bundle.entry[0].resource.code",
        )
    ]


@pytest.mark.parametrize("code", ["DNK05472", "DNK05473"])
def test_an_order_of_blood_pressure_at_home_asks_for_both_pressures(
    world, make, code
) -> None:
    order = world.an_order("ZZ3170", system="urn:oid:1.2.208.176.2.4")
    pressure = make.concept("urn:oid:1.2.208.176.2.1", code)

    assert world.submit(world.observation(order, code=pressure)).status == 200


def test_answers_to_another_questionnaire_than_that_of_the_activity_are_refused(
    world, problems
) -> None:
    _, order = world.a_questionnaire()
    other, _ = world.a_questionnaire()

    ((text, place),) = problems(world.response(other, order))

    assert text.startswith(f"The answers are to Questionnaire Questionnaire/{other}")
    assert place == "Bundle.entry[0].resource.questionnaire"


def test_an_activity_without_questionnaire_takes_no_answers(world, problems) -> None:
    asked, _ = world.a_questionnaire()
    activity = world.put("ActivityDefinition", status="active")["id"]
    order = world.an_order(
        instantiatesCanonical=[f"{world.base('plan')}/ActivityDefinition/{activity}"]
    )

    assert problems(world.response(asked, order)) == [
        (
            f"ActivityDefinition {activity} names no Questionnaire among its related"
            " artifacts.",
            "Bundle.entry[0].resource.basedOn[0]",
        )
    ]


def test_the_version_in_the_url_of_a_questionnaire_does_not_matter(world) -> None:
    asked, order = world.a_questionnaire()
    response = world.response(asked, order)
    response["questionnaire"] += "|1.0"

    assert world.submit(response).status == 200


def test_too_many_answers_are_refused_with_their_place(world, problems) -> None:
    asked, order = world.a_questionnaire(
        {"linkId": "1", "type": "integer", "text": "How many?"}
    )
    twice = {"linkId": "1", "answer": [{"valueInteger": 1}, {"valueInteger": 2}]}
    response = {
        **world.response(asked, order, twice),
        "fullUrl": "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11",
    }

    ((text, place),) = problems(response)

    assert text.endswith("answers the item 1 more often than it may.")
    assert place == "Bundle.entry[0].resource.item[0]"


def test_too_few_answers_are_refused(world, problems) -> None:
    asked, order = world.a_questionnaire(
        {"linkId": "1", "type": "integer", "required": True, "text": "How many?"}
    )

    ((text, place),) = problems(world.response(asked, order))

    assert text.endswith("answers the item 1 less often than it must.")
    assert place == "Bundle.entry[0].resource"


COLOURS = [{"valueCoding": {"system": "urn:colours", "code": "red"}}]


@pytest.mark.parametrize(
    ("item", "answer", "why"),
    [
        (
            {"type": "integer"},
            {"valueString": "two"},
            "it takes valueInteger, and not valueString",
        ),
        (
            {"type": "choice", "answerOption": COLOURS},
            {"valueCoding": {"system": "urn:colours", "code": "blue"}},
            "this is none of its options",
        ),
    ],
)
def test_an_answer_that_its_question_does_not_take_is_refused(
    world, problems, item, answer, why
) -> None:
    asked, order = world.a_questionnaire({"linkId": "1", "text": "How?", **item})
    response = world.response(asked, order, {"linkId": "1", "answer": [answer]})
    ((text, place),) = problems(response)

    assert text.startswith("The content breaks a rule: urn:uuid:")
    assert text.endswith(f"answers the item 1: {why}")
    assert place == "Bundle.entry[0].resource.item[0].answer[0].value"


def test_an_answer_to_what_was_not_asked_is_refused(world, problems) -> None:
    asked, order = world.a_questionnaire(
        {"linkId": "1", "type": "integer", "text": "How many?"}
    )
    unasked = {"linkId": "2", "answer": [{"valueInteger": 1}]}

    ((_, place),) = problems(world.response(asked, order, unasked))

    assert place == "Bundle.entry[0].resource.item[0]"


@pytest.mark.parametrize(
    ("period", "text", "place"),
    [
        (
            {"extension": [{"url": "urn:x", "valueString": "x"}]},
            "The effective period needs a start or an end.",
            ".value",
        ),
        (
            {"start": "2026-01-08"},
            "The start of the effective period needs a time, to the minute or finer, and"
            " a time zone.",
            ".value.start",
        ),
        (
            {"start": "2026-01-08T08:00:00Z", "end": "2026"},
            "The end of the effective period needs a time, to the minute or finer, and a"
            " time zone.",
            ".value.end",
        ),
        (
            {"start": "2026-01-08T08:00:00Z", "end": "2026-01-08T08:30:00+01:00"},
            "The effective period must start before it ends.",
            ".value",
        ),
    ],
)
def test_an_effective_period_that_is_none_is_refused(
    world, problems, period, text, place
) -> None:
    asked, order = world.a_questionnaire()
    extension = {"url": f"{EHEALTH}effectivePeriod", "valuePeriod": period}

    told = problems(world.response(asked, order, extension=[extension]))

    assert (text, f"Bundle.entry[0].resource.extension[1]{place}") in told


def test_all_problems_are_told_at_once(world, problems) -> None:
    order = world.an_order(status="draft")
    asked, answered = world.a_questionnaire(
        {"linkId": "1", "type": "string", "required": True}
    )

    told = problems(
        world.observation(order, status="amended", timing=None),
        world.response(asked, answered),
        world.observation(world.an_order("NPU03804")),
    )

    assert [place for _, place in told] == [
        "Bundle.entry[0].resource.status",
        "Bundle.entry[0].resource",
        "Bundle.entry[0].resource.basedOn[0]",
        "Bundle.entry[1].resource",
        "Bundle.entry[2].resource.code",
    ]


def test_a_resource_that_is_malformed_is_refused_as_such(world) -> None:
    observation = world.observation(world.an_order(), status=7)

    answer = world.submit(observation)

    assert answer.status == 400
    (issue,) = answer.json["issue"]
    assert issue["expression"] == [
        "Parameters.parameter[0].resource.entry[0].resource.status"
    ]


def test_what_plugins_refuse_is_told_of_all_entries_with_their_places(
    tmp_path, new_world
) -> None:
    validator = ModuleType("validator")

    @hookimpl
    def validate(context, resource):
        if resource["resourceType"] == "Observation":
            return [Issue("invalid", "not today", ("Observation.value",))]
        return None

    validator.validate = validate
    plugins = {"enabled": ["search", "administrative", "clinical", "validator"]}
    settings = settings_with({"plugins": plugins}, tmp_path)
    with application(settings, FakeClock(), {"validator": validator}) as built:
        world = new_world(built)
        order = world.an_order()

        answer = world.submit(world.observation(order), world.observation(order))

    assert answer.status == 422
    assert [one["expression"] for one in answer.json["issue"]] == [
        ["Parameters.parameter[0].resource.entry[0].resource.value"],
        ["Parameters.parameter[0].resource.entry[1].resource.value"],
    ]
