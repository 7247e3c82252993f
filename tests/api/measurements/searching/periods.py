"""Days and periods of measurements."""

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
YEAR = {"start": "2026-01-01", "end": "2026-12-31"}


def reference(name, to):
    return {"name": name, "valueReference": {"reference": to}}


def period(start=None, end=None):
    value = {key: one for key, one in (("start", start), ("end", end)) if one}
    return {"name": "period", "valuePeriod": value}


def day(number, hour=8):
    return f"2026-01-{number:02d}T{hour:02d}:00:00Z"


def measured_on(world, order, *days):
    """Submit an observation on each of some days; tell their ids."""
    return [
        world.submitted(world.observation(order, effectiveDateTime=day(one)))[0]["id"]
        for one in days
    ]
