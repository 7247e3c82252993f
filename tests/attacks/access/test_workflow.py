"""Operations of the workflow tell and open nothing of other patients."""

from typing import Any

REUSE = (
    "http://ehealth.sundhed.dk/policy/ehealth/reuse-of-measurement-chosen-by-citizen"
)
NEW = "urn:uuid:11111111-1111-4111-8111-111111111111"


def parameters(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "resource": resource}],
    }


def test_a_plan_lists_no_request_of_another_patient(world, kit, decides) -> None:
    """Its care teams would get the tasks about what is measured for that."""
    kept = world.everything.get("CarePlan/1").json
    plan = {
        **{name: one for name, one in kept.items() if name != "meta"},
        "id": "listing",
        "status": "draft",
        "extension": [one for one in kept["extension"] if "History" not in one["url"]],
    }
    del plan["activity"]
    world.put(plan)
    other = [{"reference": kit.to(kit.url("ServiceRequest/2"))}]
    may = "CarePlan.update CarePlan.create FHIR.transaction"
    new = {name: one for name, one in plan.items() if name != "id"}
    request = {"method": "POST", "url": "CarePlan"}
    entry = {"fullUrl": NEW, "resource": {**new, "activity": other}, "request": request}
    made = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    for caller in (
        kit.nurse("a", 1, may=may),
        kit.citizen(1, "EpisodeOfCare/1", may=may),
    ):
        world.put(plan)
        client = world.at("careplan", caller)

        answers = [client.update({**plan, "activity": other}), client.post("", made)]

        found = [one.status for one in answers]
        assert found == ([403, 403] if decides else [200, 200]), answers
    for one in world.everything.get(
        "CarePlan?activity-reference=ServiceRequest/2"
    ).resources:
        if one["id"] != "2":
            world.everything.delete(f"CarePlan/{one['id']}")
    world.everything.delete("CarePlan/listing")


def test_set_validity_does_not_tell_whose_a_measurement_is(world, kit, decides) -> None:
    impression = {
        "resourceType": "ClinicalImpression",
        "status": "completed",
        "subject": kit.to(kit.url("Patient/1")),
        "extension": [
            kit.extension("episode", valueReference=kit.to(kit.url("EpisodeOfCare/1")))
        ],
        "investigation": [
            {
                "code": kit.concept("x"),
                "item": [
                    kit.to(kit.url("Observation/2")),
                    kit.to(kit.url("Observation/2/_history/1")),
                ],
            }
        ],
    }
    body = parameters("clinicalImpression", impression)
    may = "ClinicalImpression.create"
    for caller in (
        kit.nurse("a", 1, may=may),
        kit.citizen(1, may=may),
        kit.citizen(1, "EpisodeOfCare/1", may=may),
    ):
        answer = world.at("task", caller).post(
            "ClinicalImpression/$set-measurement-validity", body
        )

        assert answer.status == (403 if decides else 422), answer.body
        assert (b"Patient/2" in answer.body) is not decides


def test_a_measurement_of_no_episode_asks_nothing_about_others(
    world, kit, decides
) -> None:
    """Whose it is cannot be judged, so it is not held against what is kept."""
    told = []
    for request, reused in (("2", "2"), ("nope", "nope")):
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "code": kit.concept("x"),
            "subject": kit.to(kit.url("Patient/2")),
            "basedOn": [kit.to(kit.url(f"ServiceRequest/{request}"))],
            "effectiveDateTime": "2026-01-08T08:00:00Z",
        }
        provenance = {
            "resourceType": "Provenance",
            "target": [kit.to(NEW)],
            "recorded": "2026-01-01T00:00:00Z",
            "policy": [REUSE],
            "agent": [{"who": kit.to(kit.url("Patient/1"))}],
            "entity": [
                {"role": "source", "what": kit.to(kit.url(f"Observation/{reused}"))}
            ],
        }
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {"fullUrl": NEW, "resource": observation},
                {"resource": provenance},
            ],
        }
        citizen = kit.citizen(1, "EpisodeOfCare/1", may="$submit-measurement")
        answer = world.at("measurement", citizen).post(
            "$submit-measurement", parameters("measurement", bundle)
        )
        assert answer.status == 422
        told.append(answer.json["issue"])

    assert told[0] == told[1]


def test_apply_does_not_tell_how_another_episode_stands(world, kit, decides) -> None:
    episode = world.everything.get("EpisodeOfCare/2").json
    world.put({**episode, "id": "ended", "status": "finished"})
    caller = kit.nurse("a", 1, may="PlanDefinition$apply")
    query = "$apply?planDefinition=PlanDefinition/1&episodeOfCare=EpisodeOfCare/ended"

    answer = world.at("careplan", caller).get(query)

    assert answer.status == 403
    assert b"finished" not in answer.body
    world.everything.delete("EpisodeOfCare/ended")


def test_nobody_steers_messages_to_others(world, kit, decides) -> None:
    """Fyr sends them: a request silences them, or puts other words into them."""
    may = "CommunicationRequest.create"
    nurse, citizen = (
        kit.nurse("a", 0, "Patient/1", may=may),
        kit.citizen(1, may=may),
    )
    for caller, recipient, is_own in (
        (citizen, "Patient/1", True),
        (citizen, "CareTeam/a", False),
        (citizen, "Patient/2", False),
        (nurse, "Patient/1", True),
        (nurse, "CareTeam/a", True),
        (nurse, "CareTeam/b", False),
    ):
        request = {
            "resourceType": "CommunicationRequest",
            "status": "active",
            "doNotPerform": True,
            "subject": kit.to(kit.url("Patient/1")),
            "recipient": [kit.to(kit.url(recipient))],
        }

        answer = world.at("careplan", caller).create(request)

        # About one patient nothing is told to another one, whoever asks.
        taken = 422 if recipient == "Patient/2" else 201
        expected = 403 if decides and not is_own else taken
        assert answer.status == expected, (recipient, answer.body)
        if answer.status == 201:
            made = f"CommunicationRequest/{answer.json['id']}"
            world.everything.delete(made)


def test_nobody_says_of_the_server_what_was_submitted_together(world, kit) -> None:
    """A Provenance with that policy is processed: tasks are made, triggers count."""
    told = []
    coherent = "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
    for policies in ([REUSE], [REUSE, coherent]):
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "code": kit.concept("weight"),
            "subject": kit.to(kit.url("Patient/1")),
            "extension": [
                kit.extension(
                    "episode", valueReference=kit.to(kit.url("EpisodeOfCare/1"))
                )
            ],
            "basedOn": [kit.to(kit.url("ServiceRequest/1"))],
        }
        provenance = {
            "resourceType": "Provenance",
            "target": [kit.to(NEW)],
            "recorded": "2026-01-01T00:00:00Z",
            "policy": policies,
            "agent": [{"who": kit.to(kit.url("Patient/1"))}],
            "entity": [{"role": "source", "what": kit.to(kit.url("Observation/1"))}],
        }
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {"fullUrl": NEW, "resource": observation},
                {"resource": provenance},
            ],
        }
        citizen = kit.citizen(1, "EpisodeOfCare/1", may="$submit-measurement")
        answer = world.at("measurement", citizen).post(
            "$submit-measurement", parameters("measurement", bundle)
        )
        places = [one["expression"][0] for one in answer.json["issue"]]
        place = "Parameters.parameter[0].resource.entry[1].resource.policy"
        told.append(place in places)

    assert told == [False, True]
