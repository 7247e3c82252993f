"""``$create-episode-of-care``: how an episode of care begins, and how it cannot."""

import pytest

from fyr.core.context import Principal

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
SYSTEM = "http://ehealth.sundhed.dk/cs/ehealth-system"
ACT = "http://ehealth.sundhed.dk/policy/dk/sundhedsloven"
SKS = "urn:oid:1.2.208.176.2.4"
SCHEDULE = EHEALTH + "episodeofcare-statusschedule"
E, C, P = "urn:uuid:e", "urn:uuid:c", "urn:uuid:p"


def to(reference):
    return {"reference": reference}


def planned(status, moment):
    return {
        "url": SCHEDULE,
        "extension": [
            {"url": "status", "valueCode": status},
            {"url": "scheduledTime", "valueDateTime": moment},
        ],
    }


@pytest.fixture
def patient(clinic):
    return clinic.patient()


@pytest.fixture
def parts(patient):
    """The parts of a Bundle that is right, to be spoilt by tests."""
    episode = {
        "resourceType": "EpisodeOfCare",
        "status": "planned",
        "patient": to(f"http://localhost/patient/fhir/{patient}"),
        "managingOrganization": to("Organization/1"),
        "diagnosis": [{"condition": to(C), "rank": 1}],
        "period": {"start": "2026-01-08T08:00:00+00:00"},
    }
    condition = {
        "resourceType": "Condition",
        "subject": to(patient),
        "code": {"coding": [{"system": SKS, "code": "DJ44"}]},
        "extension": [{"url": EPISODE, "valueReference": to(E)}],
    }
    provenance = {
        "resourceType": "Provenance",
        "target": [to(E)],
        "recorded": "2026-01-08T08:00:00Z",
        "policy": [ACT],
        "agent": [{"who": to(patient)}],
    }
    return {P: provenance, E: episode, C: condition}


def bundle(parts):
    entries = [
        {
            "fullUrl": name,
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for name, one in parts.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.fixture
def begin(clinic, parts):
    def begun(client=None, **headers):
        given = {"name": "episodeOfCareAndProvenances", "resource": bundle(parts)}
        sent = {"resourceType": "Parameters", "parameter": [given]}
        return (client or clinic.careplan).post(
            "$create-episode-of-care", sent, **headers
        )

    return begun


def made(clinic, answer, kind, place=0):
    found = [
        entry["response"]["location"].split("/fhir/")[1].split("/_history")[0]
        for entry in answer.json["entry"]
    ]
    return clinic.read([one for one in found if one.startswith(f"{kind}/")][place])


def refusal(answer):
    return answer.status, answer.issues


def test_an_episode_begins_with_its_condition_and_where_it_comes_from(
    clinic, begin, parts, patient
) -> None:
    answer = begin()

    assert answer.status == 200, answer.body
    assert answer.json["type"] == "transaction-response"
    statuses = [one["response"]["status"] for one in answer.json["entry"]]
    assert statuses == ["201 Created"] * 4
    episode = made(clinic, answer, "EpisodeOfCare")
    condition = made(clinic, answer, "Condition")
    provenance = made(clinic, answer, "Provenance")
    assert episode["status"] == "planned"
    assert episode["patient"] == to(patient)
    assert episode["diagnosis"][0]["condition"] == to(f"Condition/{condition['id']}")
    target = to(f"EpisodeOfCare/{episode['id']}")
    assert condition["extension"] == [{"url": EPISODE, "valueReference": target}]
    assert provenance["target"] == [target]
    assert provenance["policy"] == [ACT]


def test_its_histories_begin_with_it(clinic, begin, parts) -> None:
    team = clinic.team()
    parts[E]["team"] = [to(team)]

    episode = made(clinic, begin(), "EpisodeOfCare")

    assert [one["status"] for one in episode["statusHistory"]] == ["planned"]
    assert "end" not in episode["statusHistory"][0]["period"]
    (history,) = [
        one for one in episode["extension"] if one["url"].endswith("teamHistory")
    ]
    assert history["extension"][0]["valueReference"] == to(team)


def test_a_condition_is_told_its_episode_if_it_does_not_say(
    clinic, begin, parts
) -> None:
    del parts[C]["extension"]

    answer = begin()

    episode = made(clinic, answer, "EpisodeOfCare")
    condition = made(clinic, answer, "Condition")
    (said,) = condition["extension"]
    assert said["valueReference"] == to(f"EpisodeOfCare/{episode['id']}")


def test_the_server_tells_who_has_asked_in_a_provenance_of_its_own(
    clinic, begin, patient
) -> None:
    answer = begin()

    origin = made(clinic, answer, "Provenance", 1)
    episode = made(clinic, answer, "EpisodeOfCare")
    assert answer.json["entry"][-1]["response"]["location"].count(origin["id"]) == 1
    assert origin["target"] == [to(f"EpisodeOfCare/{episode['id']}")]
    assert [one.split("/policy/")[1] for one in origin["policy"]] == [
        "ehealth/patient-data",
        "eu/general-data-protection-regulation",
    ]
    assert origin["activity"]["coding"][0]["code"] == "CREATE"
    assert origin["reason"][0]["coding"][0]["code"] == "PATADMIN"
    assert origin["agent"][0]["role"][0]["coding"][0]["code"] == "AUT"


@pytest.mark.parametrize(
    ("prefer", "shown"), [("return=representation", 4), ("return=minimal", 0), ("", 0)]
)
def test_the_resources_are_answered_to_whoever_prefers_it(begin, prefer, shown) -> None:
    answer = begin(Prefer=prefer) if prefer else begin()

    assert sum("resource" in one for one in answer.json["entry"]) == shown


def test_a_planned_pause_ends_after_seven_days(clinic, begin, parts) -> None:
    parts[E]["extension"] = [planned("onhold", "2026-01-10T08:00:00+00:00")]

    episode = made(clinic, begin(), "EpisodeOfCare")

    told = [
        tuple(
            next(v for k, v in part.items() if k != "url") for part in one["extension"]
        )
        for one in episode["extension"]
        if one["url"] == SCHEDULE
    ]
    assert told == [
        ("onhold", "2026-01-10T08:00:00+00:00"),
        ("active", "2026-01-17T08:00:00+00:00"),
    ]


def test_a_pause_whose_end_is_planned_is_left_alone(clinic, begin, parts) -> None:
    parts[E]["extension"] = [
        planned("onhold", "2026-01-10T08:00:00+00:00"),
        planned("active", "2026-02-01T08:00:00+00:00"),
    ]

    episode = made(clinic, begin(), "EpisodeOfCare")

    assert sum(one["url"] == SCHEDULE for one in episode["extension"]) == 2


def test_a_pause_of_more_than_thirty_days_is_refused(begin, parts) -> None:
    parts[E]["extension"] = [
        planned("onhold", "2026-01-10T08:00:00+00:00"),
        planned("active", "2026-02-09T08:00:01+00:00"),
    ]

    assert refusal(begin()) == (
        422,
        ["A pause that is planned ahead is at most 30 days long."],
    )


def test_two_changes_at_one_moment_are_refused(begin, parts) -> None:
    parts[E]["extension"] = [
        planned("onhold", "2026-01-10T08:00:00+00:00"),
        planned("active", "2026-01-10T09:00:00+01:00"),
    ]

    assert refusal(begin()) == (
        422,
        ["Two changes of status cannot be planned for the same moment."],
    )


def other_patient(clinic, parts):
    parts[C]["subject"] = to("Patient/somebody")


def no_episode(clinic, parts):
    del parts[E]


def two_episodes(clinic, parts):
    parts["urn:uuid:e2"] = parts[E]


def another_type(clinic, parts):
    parts["urn:uuid:g"] = {
        "resourceType": "Basic",
        "code": {"text": "x"},
    }


def another_target(clinic, parts):
    parts[P]["target"] = [to(E), to("Patient/1")]


def no_policy(clinic, parts):
    parts[P]["policy"] = ["http://ehealth.sundhed.dk/policy/dk/persondataloven"]


def no_provenance(clinic, parts):
    del parts[P]


def died(clinic, parts):
    parts[E]["patient"] = to(clinic.patient(deceasedDateTime="2026-01-01"))
    parts[C]["subject"] = parts[E]["patient"]


def dead(clinic, parts):
    parts[E]["patient"] = to(clinic.patient(deceasedBoolean=True))
    parts[C]["subject"] = parts[E]["patient"]


def with_status_history(clinic, parts):
    parts[E]["statusHistory"] = [{"status": "planned", "period": {}}]
    parts[E]["statusHistory"][0]["period"]["start"] = "2026"


def with_team_history(clinic, parts):
    parts[E]["extension"] = [
        {
            "url": EHEALTH + "teamHistory",
            "extension": [
                {"url": "careTeam", "valueReference": to("CareTeam/1")},
                {"url": "period", "valuePeriod": {"start": "2026"}},
            ],
        }
    ]


def active(clinic, parts):
    parts[E]["status"] = "active"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_episode, "The Bundle must hold one episode of care, no more."),
        (two_episodes, "The Bundle must hold one episode of care, no more."),
        (another_type, "The Bundle holds a resource of a type that does not belong"),
        (another_target, "The target of a Provenance is not what it must be"),
        (no_policy, "No Provenance has the policies that a new episode of care needs."),
        (no_provenance, "No Provenance has the policies"),
        (other_patient, "The condition is of another patient than the episode"),
        (died, "No episode of care begins for a patient who has died."),
        (dead, "No episode of care begins for a patient who has died."),
        (with_status_history, "The server keeps the status history; leave it out."),
        (with_team_history, "The server keeps the team history; leave it out."),
        (active, "A new episode of care has the status planned."),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_no_episode_can_begin_with_is_refused(
    clinic, begin, parts, spoil, told
) -> None:
    spoil(clinic, parts)
    before = clinic.all.get("EpisodeOfCare", {"_summary": "count"}).json["total"]

    answer = begin()

    assert answer.status == 422
    assert any(one.startswith(told) for one in answer.issues), answer.issues
    after = clinic.all.get("EpisodeOfCare", {"_summary": "count"}).json["total"]
    assert after == before


@pytest.mark.parametrize("policy", ["sundhedsloven", "serviceloven", "aeldreloven"])
def test_each_of_the_three_acts_is_enough(begin, parts, policy) -> None:
    parts[P]["policy"] = [f"http://ehealth.sundhed.dk/policy/dk/{policy}"]

    assert begin().status == 200


def test_all_that_is_wrong_is_told_at_once(clinic, begin, parts) -> None:
    for spoil in (no_policy, active, with_status_history, other_patient):
        spoil(clinic, parts)

    assert len(begin().issues) == 4


def test_a_diagnosis_is_a_condition_of_the_same_bundle(clinic, begin, parts) -> None:
    parts[E]["diagnosis"].append({"condition": to("Condition/elsewhere")})

    assert begin().status == 422


def test_a_condition_that_is_no_diagnosis_does_not_come_along(begin, parts) -> None:
    parts["urn:uuid:c2"] = parts[C]

    assert begin().status == 422


def test_a_patient_who_is_not_there_gets_no_episode(begin, parts) -> None:
    parts[E]["patient"] = parts[C]["subject"] = to("Patient/nobody")

    assert begin().status == 422


def test_a_new_episode_is_told_by_its_topic(clinic, begin) -> None:
    clinic.told()

    begin()

    assert ("ehealth-episodeofcare", "created") in clinic.told()


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
