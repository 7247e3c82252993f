"""``$submit-measurement``: bundles that are refused, and whom they are about."""

from types import ModuleType

from fyr.core import Issue, hookimpl
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock

TAGS = "http://ehealth.sundhed.dk/cs/ehealth-system"


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
