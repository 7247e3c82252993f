"""Material that is assigned to a citizen, over HTTP: its states, and whose it is."""

from itertools import product

import pytest

from ..guide import EHEALTH, EPISODE, concept, ext, to
from .states import put

STATES = ["preparation", "in-progress", "completed", "stopped", "entered-in-error"]
STEPS = {
    ("in-progress", "completed"),
    ("in-progress", "entered-in-error"),
    ("completed", "entered-in-error"),
}
CATEGORIES = "http://ehealth.sundhed.dk/cs/material-communication-category"


@pytest.fixture
def patient(clinic, episode):
    return clinic.read(episode)["patient"]["reference"].split("/fhir/")[-1]


@pytest.fixture
def document(clinic):
    def made(**more):
        content = [{"attachment": {"url": "https://example.org/leaflet", "size": 1}}]
        number = clinic.number()
        found = {
            "resourceType": "DocumentReference",
            "id": number,
            "status": "current",
            "content": content,
            **more,
        }
        return clinic.put(found)

    return made


@pytest.fixture
def material(episode, patient, document):
    """Make an assignment as it is sent."""

    def made(**more):
        found = {
            "resourceType": "Communication",
            "meta": {"profile": [f"{EHEALTH}material-communication"]},
            "extension": [
                ext(EPISODE, valueReference=to(episode)),
                ext("period", valuePeriod={"start": "2026-01-08T08:00:00+00:00"}),
            ],
            "status": "in-progress",
            "category": [concept("material-assignment", CATEGORIES)],
            "subject": to(patient),
            "recipient": [to(patient)],
            "payload": [{"contentReference": to(document())}],
            **more,
        }
        return {name: one for name, one in found.items() if one is not None}

    return made


def told(answer):
    assert answer.status == 422, answer.body
    return [one["expression"][0] for one in answer.json["issue"]]


@pytest.mark.parametrize("status", STATES)
def test_material_begins_assigned(nurse, material, status) -> None:
    answer = nurse.create(material(status=status))

    assert answer.status == (201 if status == "in-progress" else 422), answer.issues


@pytest.mark.parametrize(("start", "end"), list(product(STATES, STATES)))
def test_material_that_is_over_stays_so(clinic, nurse, material, start, end) -> None:
    reference = clinic.put({**material(status=start), "id": clinic.number()})

    answer = put(clinic, nurse, reference, status=end)

    allowed = start == end or (start, end) in STEPS
    assert answer.status == (200 if allowed else 422), answer.issues


def test_it_has_the_tags_of_its_episode(clinic, nurse, material) -> None:
    made = nurse.create(material())

    stored = clinic.read(f"Communication/{made.json['id']}")
    assert [one["code"] for one in stored["meta"]["tag"]] == ["xa"]


def test_what_it_lacks_is_told_at_once(clinic, nurse, material) -> None:
    other = to(clinic.patient())

    answer = nurse.create(material(payload=None, extension=None, recipient=[other]))

    assert told(answer) == [
        "Communication.payload",
        "Communication.extension",
        "Communication.recipient",
    ]


def test_it_is_of_the_patient_of_its_episode(clinic, nurse, material) -> None:
    other = to(clinic.patient())

    answer = nurse.create(material(subject=other, recipient=None))

    assert told(answer) == ["Communication.subject"]


def test_it_is_of_the_patient_and_the_episode_of_its_document(
    clinic, nurse, episode, patient, document, material
) -> None:
    own = document(subject=to(patient), context={"encounter": [to(episode)]})
    assert nurse.create(material(payload=[{"contentReference": to(own)}])).status == 201
    foreign = document(
        subject=to(clinic.patient()), context={"encounter": [to(clinic.episode())]}
    )

    answer = nurse.create(material(payload=[{"contentReference": to(foreign)}]))

    assert told(answer) == ["Communication.payload[0].content"] * 2


@pytest.mark.parametrize(
    "content",
    [
        {"contentReference": to("DocumentReference/nowhere")},
        {"contentReference": to("https://elsewhere.org/fhir/DocumentReference/1")},
        {"contentReference": to("Media/1")},
        {"contentString": "Read this."},
    ],
    ids=["not there", "elsewhere", "no document", "text"],
)
def test_a_document_that_is_not_there_is_not_assigned(nurse, material, content) -> None:
    answer = nurse.create(material(payload=[content]))

    assert told(answer) == ["Communication.payload[0].content"]


def test_a_payload_that_is_no_reference_is_told_so(nurse, material) -> None:
    answer = nurse.create(material(payload=[{"contentString": "Read this."}]))

    assert answer.issues == [
        "The payload of material is a reference to one DocumentReference."
    ]


def test_whose_it_is_stays(clinic, nurse, material, team, patient) -> None:
    made = nurse.create(material())
    reference = f"Communication/{made.json['id']}"
    other = clinic.episode(team, tags=("xa",), patient=patient)
    stored = clinic.read(reference)
    moved = [ext(EPISODE, valueReference=to(other)), *stored["extension"][1:]]

    del stored["recipient"]
    stored["category"] = [concept("other", CATEGORIES)]

    answer = nurse.update({**stored, "extension": moved})

    assert told(answer) == [
        "Communication.recipient",
        "Communication.category",
        "Communication.extension",
    ]


def test_what_a_system_has_brought_without_is_edited_all_the_same(
    clinic, nurse, material
) -> None:
    bare = material(payload=None, recipient=None)
    reference = clinic.put({**bare, "id": clinic.number()})

    assert put(clinic, nurse, reference, status="completed").status == 200


def test_when_and_what_may_be_changed(clinic, nurse, material, document) -> None:
    made = nurse.create(material())
    reference = f"Communication/{made.json['id']}"

    answer = put(
        clinic, nurse, reference, payload=[{"contentReference": to(document())}]
    )

    assert answer.status == 200, answer.issues
