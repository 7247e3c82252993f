"""What is asked in closed mode, and by whom."""

from fyr.core.context import Principal

SYSTEM = "http://ehealth.sundhed.dk/cs/ehealth-system"
ROOT = "http://localhost"
HOMES = {
    "care_team": "organization",
    "patient": "patient",
    "episode_of_care": "careplan",
    "organization": "organization",
}


def to(reference):
    return {"reference": reference}


def who(user_type, may="", tags=(), **context):
    urls = {
        key: f"{ROOT}/{HOMES[key]}/fhir/{one}" for key, one in context.items() if one
    }
    return Principal(
        user_type,
        f"{ROOT}/organization/fhir/Practitioner/n",
        frozenset(may.split()),
        urls,
        tags=frozenset(tags),
    )


APPLY = "PlanDefinition$apply"


def asked(plan, episode):
    return {
        "planDefinition": f"{ROOT}/plan/fhir/{plan}",
        "episodeOfCare": f"{ROOT}/careplan/fhir/{episode}",
    }


def sent(**values):
    given = [{"name": name, "valueString": one} for name, one in values.items()]
    return {"resourceType": "Parameters", "parameter": given}


EDIT = f"FHIR.transaction {APPLY} CarePlan.create CarePlan.read CarePlan.update"
