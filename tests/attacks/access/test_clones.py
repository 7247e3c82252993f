"""A definition is cloned with what it leads to: no way to the material of a patient."""

KINDS = ("PlanDefinition", "DocumentReference")
MAY = " ".join(
    f"{kind}.{word}" for kind in KINDS for word in ("read search create").split()
)


def test_no_document_of_a_patient_is_cloned(world, kit, decides) -> None:
    author = world.at("plan", kit.nurse("a", 0, "Organization/1", may=MAY))
    document = kit.to(f"{kit.root}/plan/fhir/DocumentReference/plan-2")
    roles = world.everything.get("PlanDefinition/1").json["extension"]
    plan = author.create(
        {
            "resourceType": "PlanDefinition",
            "status": "draft",
            "version": "1.0.0",
            "title": "x",
            "extension": roles[:1],
            "relatedArtifact": [
                {"type": "documentation", "resource": document["reference"]}
            ],
        }
    )
    assert plan.status == 201, plan.body
    name = f"PlanDefinition/{plan.json['id']}"
    asked = [
        {"name": "clone-operation", "valueCoding": {"code": "copy"}},
        {"name": "deep-clone-references", "valueReference": document},
    ]

    answer = author.post(
        f"{name}/$create-clone", {"resourceType": "Parameters", "parameter": asked}
    )

    assert answer.status == (403 if decides else 200), answer.body
    for entry in answer.json.get("entry", ()):
        made = entry["resource"]
        world.everything.delete(f"{made['resourceType']}/{made['id']}")
    world.everything.delete(name)
