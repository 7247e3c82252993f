"""What is said of a measurement."""

from ...guide import CS, EHEALTH, EPISODE, concept, ext, to, url

MAY = "ClinicalImpression.create ClinicalImpression.read"
WHERE = "ClinicalImpression/$set-measurement-validity"


def impression(case, measured, *, finding="measurement-invalidated", version=1, **more):
    decision = more.pop("decision", "invalidated-fulfills")
    decided = ext(
        "clinicalimpression-decision",
        valueCodeableConcept=concept(
            decision, f"{CS}clinicalimpression-decision-codes"
        ),
    )
    keep = decision and finding == "measurement-invalidated"
    return {
        "resourceType": "ClinicalImpression",
        "meta": {"profile": [f"{EHEALTH}clinicalimpression"]},
        "extension": [
            ext(EPISODE, valueReference=to(url(case.episode))),
            *([decided] if keep else []),
        ],
        "status": "completed",
        "code": concept("MeasurementValidityUpdate", f"{CS}clinicalimpression-codes"),
        "subject": to(url(case.patient)),
        "investigation": [
            {
                "code": concept(
                    "item-for-investigation",
                    f"{CS}clinicalimpression-investigation-item-codes",
                ),
                "item": [
                    to(f"{url(measured)}/_history/{version}"),
                    to(url(measured)),
                ],
            }
        ],
        "finding": [
            {
                "itemCodeableConcept": concept(
                    finding, f"{CS}clinicalimpression-finding-codes"
                )
            }
        ],
        **more,
    }


def retraction(case, measured, **more):
    finding = "measurement-invalidation-retracted"
    return impression(case, measured, finding=finding, **more)


def ask(client, resource):
    given = [{"name": "clinicalImpression", "resource": resource}]
    return client.post(WHERE, {"resourceType": "Parameters", "parameter": given})
