"""A message, and how it is changed."""

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
CS = "http://ehealth.sundhed.dk/cs/"
JSON_PATCH = "application/json-patch+json"


def extension(name, **value):
    return {"url": f"{EHEALTH}{name}", **value}


def coded(system, code):
    return [{"coding": [{"system": f"{CS}{system}", "code": code}]}]


def message(sender="Patient/1", recipient="CareTeam/a", category="message", **more):
    """Write a message from one to another."""
    made = {
        "resourceType": "Communication",
        "meta": {"profile": [f"{EHEALTH}message"]},
        "status": "in-progress",
        "category": coded("message-category", category),
        "payload": [{"contentString": "Jeg har målt igen."}],
        "extension": [],
    }
    if sender.startswith("CareTeam"):
        made["extension"].append(
            extension(
                "communication-senderCareTeam", valueReference={"reference": sender}
            )
        )
    elif sender:
        made["sender"] = {"reference": sender}
    if recipient.startswith("CareTeam"):
        made["extension"].append(
            extension(
                "communication-recipientCareTeam",
                valueReference={"reference": recipient},
            )
        )
    elif recipient:
        made["recipient"] = [{"reference": recipient}]
    if not made["extension"]:
        del made["extension"]
    return {**made, **more}


def op(name, path, value=None):
    return {"op": name, "path": path, **({} if value is None else {"value": value})}


def patch(client, resource, *operations):
    return client.patch(f"Communication/{resource['id']}", list(operations), JSON_PATCH)
