"""Parts of a bundle that begins an episode."""

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
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


def made(clinic, answer, kind, place=0):
    found = [
        entry["response"]["location"].split("/fhir/")[1].split("/_history")[0]
        for entry in answer.json["entry"]
    ]
    return clinic.read([one for one in found if one.startswith(f"{kind}/")][place])


def refusal(answer):
    return answer.status, answer.issues


def active(clinic, parts):
    parts[E]["status"] = "active"
