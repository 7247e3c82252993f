"""``$create-episode-of-care``: what the token gives it, and what it forbids."""

from fyr.core.context import Principal

from .words import SKS, E, made, refusal

SYSTEM = "http://ehealth.sundhed.dk/cs/ehealth-system"


def area(clinic, tag, *codes):
    """Store the treatment area of a tag: a collection of one ValueSet."""
    url = f"http://ehealth.sundhed.dk/vs/area-{clinic.number()}"
    concepts = [{"code": one} for one in codes]
    listed = {"include": [{"system": SKS, "concept": concepts}]}
    clinic.put(
        {
            "resourceType": "ValueSet",
            "id": clinic.number(),
            "url": url,
            "status": "active",
            "compose": listed,
        }
    )
    context = {
        "code": {
            "system": "http://ehealth.sundhed.dk/cs/ehealth-usage-context-type",
            "code": "system-treatment-area",
        },
        "valueCodeableConcept": {"coding": [{"system": SYSTEM, "code": tag}]},
    }
    clinic.put(
        {
            "resourceType": "ValueSet",
            "id": clinic.number(),
            "status": "active",
            "useContext": [context],
            "compose": {"include": [{"valueSet": [url]}]},
        }
    )


def nurse(*tags, **context):
    return Principal(
        "PRACTITIONER",
        "http://localhost/organization/fhir/Practitioner/nurse",
        context=context,
        tags=frozenset(tags),
    )


def test_a_new_episode_has_the_tags_of_the_token(clinic, begin, parts) -> None:
    area(clinic, "xt", "DJ44")

    answer = begin(clinic.at("careplan", nurse("xt")))

    assert answer.status == 200, answer.body
    (tag,) = made(clinic, answer, "EpisodeOfCare")["meta"]["tag"]
    assert (tag["system"], tag["code"]) == (SYSTEM, "xt")


def test_who_has_asked_is_named_in_the_origin(clinic, begin) -> None:
    area(clinic, "xo", "DJ44")

    origin = made(clinic, begin(clinic.at("careplan", nurse("xo"))), "Provenance", 1)

    assert origin["agent"][0]["who"]["reference"].endswith("Practitioner/nurse")


def test_a_token_without_tags_begins_no_episode(clinic, begin) -> None:
    assert refusal(begin(clinic.at("careplan", nurse()))) == (
        422,
        [
            "The token has no coexistence tags, which a new episode of care gets from it."
        ],
    )


def test_a_condition_outside_of_the_treatment_area_is_refused(clinic, begin) -> None:
    area(clinic, "xq", "DE10")

    assert refusal(begin(clinic.at("careplan", nurse("xq")))) == (
        422,
        ["The conditions do not fit the coexistence tags of the token: DJ44 in xq"],
    )


def test_tags_that_the_token_does_not_have_are_refused(clinic, begin, parts) -> None:
    area(clinic, "xr", "DJ44")
    parts[E]["meta"] = {"tag": [{"system": SYSTEM, "code": "xs"}]}

    status, issues = refusal(begin(clinic.at("careplan", nurse("xr"))))

    assert status == 422
    assert issues[0].startswith("The resource has system tags other than those")


def test_another_patient_than_that_of_the_token_is_refused(clinic, begin) -> None:
    area(clinic, "xu", "DJ44")
    who = nurse("xu", patient="http://localhost/patient/fhir/Patient/other")

    assert refusal(begin(clinic.at("careplan", who))) == (
        403,
        ["The episode of care is of another patient than the token's."],
    )
