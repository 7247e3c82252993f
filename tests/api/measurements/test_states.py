"""What may become of a measurement after it was submitted."""

import pytest

PATCH = "application/json-patch+json"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"


@pytest.fixture
def patch(world):
    def patched(resource, *operations):
        name = f"{resource['resourceType']}/{resource['id']}"
        return world.measurement.patch(name, list(operations), PATCH)

    return patched


def replaced(path, value):
    return {"op": "replace", "path": path, "value": value}


@pytest.fixture
def measured(world):
    """Submit a measurement of a type."""

    def made(kind, **more):
        asked, order = world.a_questionnaire()
        sent = {
            "Observation": lambda: world.observation(world.an_order(), **more),
            "QuestionnaireResponse": lambda: world.response(asked, order, **more),
            "Media": lambda: world.media(order, **more),
        }
        return world.submitted(sent[kind]())[0]

    return made


KINDS = [
    ("Observation", "final"),
    ("QuestionnaireResponse", "completed"),
    ("Media", "completed"),
]


@pytest.mark.parametrize(("kind", "status"), KINDS)
def test_a_measurement_is_invalidated_and_that_is_taken_back(
    measured, patch, kind, status
) -> None:
    one = measured(kind)

    invalidated = patch(one, replaced("/status", "entered-in-error"))
    retracted = patch(one, replaced("/status", status))

    assert invalidated.json["status"] == "entered-in-error"
    assert retracted.json["status"] == status


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Observation", "amended"),
        ("Observation", "cancelled"),
        ("QuestionnaireResponse", "in-progress"),
        ("QuestionnaireResponse", "amended"),
        ("Media", "in-progress"),
        ("Media", "not-done"),
    ],
)
def test_another_status_is_refused_and_changes_nothing(
    world, measured, patch, kind, status
) -> None:
    one = measured(kind)

    answer = patch(one, replaced("/status", status))

    assert answer.status == 422, answer.body
    now = world.everything.get(f"{kind}/{one['id']}").json
    assert now == one


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Observation", "/valueQuantity/value", 12),
        ("Observation", "/effectiveDateTime", "2026-01-01"),
        ("Observation", "/identifier", [{"system": "urn:x", "value": "1"}]),
        ("Observation", "/subject/reference", "Patient/other"),
        ("QuestionnaireResponse", "/authored", "2026-01-01"),
        ("QuestionnaireResponse", "/questionnaire", "Questionnaire/other"),
        ("Media", "/createdDateTime", "2026-01-01"),
        ("Media", "/content/url", "https://example.org/other.jpg"),
        ("Media", "/extension/0/valueReference/reference", "EpisodeOfCare/other"),
    ],
)
def test_what_was_measured_is_never_changed(
    world, measured, patch, kind, path, value
) -> None:
    one = measured(kind)

    answer = patch(one, replaced(path, value))

    assert answer.status == 422, answer.body
    assert "cannot be changed" in answer.issues[0]
    assert world.everything.get(f"{kind}/{one['id']}").json == one


def test_all_that_would_be_changed_is_told_at_once(world, measured) -> None:
    one = measured("Observation")
    changed = {**one, "effectiveDateTime": "2026-01-01", "note": [{"text": "x"}]}

    answer = world.everything.update(changed)

    assert answer.status == 422
    assert [issue["expression"] for issue in answer.json["issue"]] == [
        ["Observation.effectiveDateTime"],
        ["Observation.note"],
    ]


def test_media_are_stopped(measured, patch) -> None:
    media = measured("Media")

    assert patch(media, replaced("/status", "stopped")).json["status"] == "stopped"
    assert patch(media, replaced("/status", "completed")).status == 422


def related_to(name):
    return {
        "url": f"{EHEALTH}media-related-to",
        "valueReference": {"reference": name},
    }


def test_media_are_related_to_others_and_stay_so(world, measured, patch) -> None:
    other = f"Media/{measured('Media')['id']}"
    media = measured("Media")
    added = {"op": "add", "path": "/extension/-", "value": related_to(other)}

    answer = patch(media, added)

    assert answer.status == 200, answer.body
    where = answer.json["extension"].index(
        next(one for one in answer.json["extension"] if "related-to" in one["url"])
    )
    removed = patch(media, {"op": "remove", "path": f"/extension/{where}"})
    assert removed.status == 422


def test_the_content_of_an_overlay_is_replaced(world, patch) -> None:
    order = world.an_order()
    overlay = world.media(order)
    for one in overlay["extension"]:
        if one["url"].endswith("media-usage-mode"):
            one["valueCode"] = "overlay"
    (media,) = world.submitted(overlay)
    content = {"contentType": "text/plain", "url": "https://example.org/new.txt"}

    answer = patch(media, replaced("/content", content))

    assert answer.json["content"] == content


def test_answers_that_are_not_finished_are_changed_freely(world) -> None:
    asked, order = world.a_questionnaire()
    draft = world.response(asked, order, status="in-progress")
    made = world.measurement.create(draft).json

    changed = world.measurement.update({**made, "authored": "2026-01-02"})
    stopped = world.measurement.update({**made, "status": "stopped"})

    assert changed.status == 200
    assert stopped.status == 200


def test_what_was_not_submitted_is_not_held_to_this(world) -> None:
    plain = world.put("Observation", status="preliminary", code={"text": "weight"})

    answer = world.everything.update(
        {**plain, "status": "amended", "code": {"text": "x"}}
    )

    assert answer.status == 200
