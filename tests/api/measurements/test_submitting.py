"""``$submit-measurement``: what is stored, what the server adds, and what is told."""

import json
from pathlib import Path

import pytest

from fyr.core.testing.applications import Events, Messages

RECORDED = Path(__file__).parents[4] / "shared/data/ig-exchanges.jsonl"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
COHERENT = "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
IDENTIFIERS = "http://ehealth.sundhed.dk/id/ehealth-identifier"
TAGS = "http://ehealth.sundhed.dk/cs/ehealth-system"
QUALITY = f"{EHEALTH}quality"


@pytest.fixture
def store(store_url):
    """On each of the databases in turn."""
    return store_url


def device_quality(resource) -> list[str]:
    """Tell the codes of the device's quality."""
    found = [
        {
            part["url"]: part["valueCodeableConcept"]["coding"][0]
            for part in one["extension"]
        }
        for one in resource["extension"]
        if one["url"] == QUALITY
    ]
    return [
        one["qualityCode"]["code"]
        for one in found
        if one["qualityType"]["code"] == "DMQ"
    ]


def test_what_is_submitted_together_is_stored_and_belongs_together(world) -> None:
    asked, order = world.a_questionnaire()
    response = world.response(asked, order)

    observation, answers = world.submitted(
        world.observation(world.an_order()), response
    )

    (provenance,) = world.provenances(f"Observation/{observation['id']}")
    assert provenance["policy"] == [COHERENT]
    assert [one["reference"] for one in provenance["target"]] == [
        f"Observation/{observation['id']}",
        f"QuestionnaireResponse/{answers['id']}",
    ]
    assert answers["status"] == "completed"


def test_the_provenance_says_for_which_episode_and_orders_it_was(world) -> None:
    order = world.an_order()

    (observation,) = world.submitted(world.observation(order))

    (provenance,) = world.provenances(f"Observation/{observation['id']}")
    assert [one["what"]["reference"] for one in provenance["entity"]] == [
        f"EpisodeOfCare/{world.episode}",
        f"ServiceRequest/{order}",
    ]


def test_ids_are_the_servers_and_references_between_entries_follow_them(world) -> None:
    photo = world.an_order("446080005", system="http://snomed.info/sct")
    media = {
        **world.media(photo),
        "id": "mine",
        "fullUrl": "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11",
    }
    observation = world.observation(
        world.an_order(),
        derivedFrom=[{"reference": "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11"}],
    )

    stored_media, stored = world.submitted(media, observation)

    assert stored_media["id"] != "mine"
    assert stored["derivedFrom"] == [{"reference": f"Media/{stored_media['id']}"}]


def test_answers_come_in_the_order_of_what_was_sent(world) -> None:
    first = world.an_order()
    asked, second = world.a_questionnaire()

    answer = world.submit(
        world.response(asked, second),
        world.observation(first),
        world.observation(first),
    )

    assert answer.json["type"] == "transaction-response"
    told = [one["response"] for one in answer.json["entry"]]
    assert [one["location"].split("/")[-4] for one in told] == [
        "QuestionnaireResponse",
        "Observation",
        "Observation",
    ]
    assert {one["status"] for one in told} == {"201 Created"}
    assert {one["etag"] for one in told} == {'W/"1"'}


def test_a_bundle_without_parameters_around_it_is_taken_too(world) -> None:
    from_parameters = world.observation(world.an_order())
    entry = {
        "fullUrl": "urn:uuid:c2b5b6de-9f5c-4c69-96a1-0d8f0a1f9a4e",
        "resource": from_parameters,
    }

    answer = world.measurement.post(
        "$submit-measurement",
        {"resourceType": "Bundle", "type": "transaction", "entry": [entry]},
    )

    assert answer.status == 200, answer.body


def test_absolute_references_to_this_server_are_its_own(world) -> None:
    order = world.an_order()
    observation = world.observation(order)
    observation["subject"] = {
        "reference": f"{world.base('patient')}/Patient/{world.patient}"
    }
    observation["basedOn"] = [
        {"reference": f"{world.base('careplan')}/ServiceRequest/{order}"}
    ]

    (stored,) = world.submitted(observation)

    assert stored["subject"] == {"reference": f"Patient/{world.patient}"}


@pytest.mark.parametrize("kind", ["Observation", "QuestionnaireResponse", "Media"])
def test_every_measurement_gets_an_identifier_of_the_server(world, kind) -> None:
    asked, order = world.a_questionnaire()
    made = {
        "Observation": world.observation(world.an_order()),
        "QuestionnaireResponse": world.response(asked, order),
        "Media": world.media(order),
    }

    (stored,) = world.submitted(made[kind])

    found = stored["identifier"]
    (identifier,) = found if isinstance(found, list) else [found]
    assert identifier["system"] == IDENTIFIERS


def test_an_identifier_of_the_senders_stays_beside_that_of_the_server(world) -> None:
    mine = {"system": "urn:mine", "value": "7"}

    (stored,) = world.submitted(
        world.observation(
            world.an_order(),
            identifier=[mine, {"system": IDENTIFIERS, "value": "made-up"}],
        )
    )

    assert stored["identifier"][0] == mine
    assert stored["identifier"][1]["system"] == IDENTIFIERS
    assert stored["identifier"][1]["value"] != "made-up"


def test_system_tags_of_the_episode_are_copied_where_they_are_missing(world) -> None:
    tags = [{"system": TAGS, "code": "xa"}, {"system": TAGS, "code": "xb"}]
    world.episode = world.an_episode(world.patient, meta={"tag": tags})
    observation = world.observation(world.an_order(), meta={"tag": tags[:1]})

    (stored,) = world.submitted(observation)

    (provenance,) = world.provenances(f"Observation/{stored['id']}")
    assert stored["meta"]["tag"] == tags
    assert provenance["meta"]["tag"] == tags


def test_a_tag_of_another_system_is_kept(world) -> None:
    tag = {"system": "urn:mine", "code": "red"}

    (stored,) = world.submitted(
        world.observation(world.an_order(), meta={"tag": [tag]})
    )

    assert stored["meta"]["tag"] == [tag]


def test_the_quality_of_an_unknown_device_is_unknown(world) -> None:
    (stored,) = world.submitted(world.observation(world.an_order()))

    assert device_quality(stored) == ["unknown"]


def metric(world, device, code="NPU03011", **qualities):
    told = [
        {
            "url": f"{EHEALTH}devicemetric-qualities",
            "extension": [
                {
                    "url": "category",
                    "valueCodeableConcept": {"coding": [{"code": name}]},
                },
                {"url": "value", "valueCodeableConcept": {"coding": [{"code": value}]}},
            ],
        }
        for name, value in qualities.items()
    ]
    return {
        "type": {"coding": [{"system": "urn:oid:1.2.208.176.2.1", "code": code}]},
        "category": "measurement",
        "source": {"reference": f"Device/{device}"},
        "extension": told,
    }


def test_the_quality_of_a_known_device_is_that_of_its_metric(world) -> None:
    device = world.put("Device")["id"]
    world.put("DeviceMetric", **metric(world, device, initial="high-precision"))
    world.put("DeviceMetric", **metric(world, device, "NPU21692", initial="normal"))

    (stored,) = world.submitted(
        world.observation(world.an_order(), device={"reference": f"Device/{device}"})
    )

    assert device_quality(stored) == ["high-precision"]


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        ("2026-01-01T00:00:00Z", "low-precision-degraded"),
        ("2027-01-01T00:00:00Z", "high-precision"),
    ],
)
def test_a_device_whose_calibration_is_over_measures_less_well(
    world, expires, expected
) -> None:
    device = world.put("Device")["id"]
    qualities = {"initial": "high-precision", "degraded": "low-precision-degraded"}
    over = {
        "url": f"{EHEALTH}devicemetric-calibrationExpires",
        "valueDateTime": expires,
    }
    world.put(
        "DeviceMetric",
        **metric(world, device, **qualities),
        calibration=[{"state": "calibrated", "extension": [over]}],
    )

    (stored,) = world.submitted(
        world.observation(world.an_order(), device={"reference": f"Device/{device}"})
    )

    assert device_quality(stored) == [expected]


def test_a_quality_that_somebody_has_set_counts_first(world) -> None:
    device = world.put("Device")["id"]
    told = {"initial": "high-precision", "overridden": "low-precision"}
    world.put("DeviceMetric", **metric(world, device, **told))

    (stored,) = world.submitted(
        world.observation(world.an_order(), device={"reference": f"Device/{device}"})
    )

    assert device_quality(stored) == ["low-precision"]


def test_a_quality_that_was_submitted_stays(world, make) -> None:
    sent = make.quality("DMQ", "device-measuring-quality", "normal")

    (stored,) = world.submitted(world.observation(world.an_order(), extension=[sent]))

    assert device_quality(stored) == ["normal"]


def test_answers_have_no_quality_of_a_device(world) -> None:
    asked, order = world.a_questionnaire()

    (stored,) = world.submitted(world.response(asked, order))

    assert device_quality(stored) == []


def test_a_submission_is_told_as_measurement_received_once(tmp_path, world) -> None:
    events = Events(world.built)
    events.new()

    world.submitted(
        world.observation(world.an_order()), world.observation(world.an_order())
    )

    made = [
        one.type for one in events.new() if one.type in ("Observation", "Provenance")
    ]
    assert made == ["Observation", "Observation", "Provenance"]


def test_the_topic_of_a_submission_names_its_provenance(
    submitting_with_messages,
) -> None:
    world = submitting_with_messages
    messages = Messages(world.built)
    order = world.an_order()
    messages.new()

    (stored,) = world.submitted(world.observation(order))

    (provenance,) = world.provenances(f"Observation/{stored['id']}")
    (message,) = [
        one
        for one in messages.new()
        if one.topic.endswith("ehealth-provenance.measurement-received")
    ]
    told = json.loads(message.payload)
    assert told["eventType"] == "created"
    assert told["resourceReference"].endswith(f"Provenance/{provenance['id']}")


def recorded(name):
    if not RECORDED.exists():
        return None
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    return next(one for one in map(json.loads, lines) if one["name"] == name)


def shape(value):
    """Tell names and kinds of values, those of lists once."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value).__name__


def test_a_recorded_submission_is_answered_in_the_recorded_shape(world) -> None:
    exchange = recorded("POST_submit-measurement")
    if exchange is None:
        return
    sent = exchange["request_body"]
    media = sent["parameter"][0]["resource"]["entry"][0]["resource"]
    order = world.an_order("446080005", system="http://snomed.info/sct")
    media["basedOn"] = [{"reference": f"ServiceRequest/{order}"}]
    media["subject"] = {"reference": f"Patient/{world.patient}"}
    media["extension"][0]["valueReference"] = {
        "reference": f"EpisodeOfCare/{world.episode}"
    }

    answer = world.measurement.post("$submit-measurement", sent)

    told = exchange["response_body"]
    answered = answer.json
    for entry in (*told["entry"], *answered["entry"]):
        # What each server says of its own work.
        del entry["response"]["outcome"]
    assert shape(answered) == shape(told)
    stored = world.read(answered["entry"][0])
    kept = recorded("GET_Media")["response_body"]
    assert {
        key: shape(one)
        for key, one in stored.items()
        if key not in ("extension", "meta")
    } == {
        key: shape(one) for key, one in kept.items() if key not in ("extension", "meta")
    }
    assert {one["url"] for one in stored["extension"]} == {
        one["url"] for one in kept["extension"]
    }
