"""Bundles in short."""


def patient(value: str = "", **more) -> dict[str, object]:
    identifier = {"identifier": [{"value": value}]} if value else {}
    return {"resourceType": "Patient", **identifier, **more}


def entry(method: str, url: str, resource=None, full_url: str = "", **request):
    made = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url:
        made["fullUrl"] = full_url
    return made


def statuses(entries) -> list[str]:
    return [one["response"]["status"] for one in entries]


BAD_REQUESTS = [
    (entry("FLY", "Patient/a"), "request.method"),
    (entry("GET", "Patient/a", ifModifiedSince="yesterday"), "request.ifModifiedSince"),
    (entry("GET", ""), "request.url"),
    (entry("GET", "Patient/a", colour="red"), "request.colour"),
    ({"request": {"url": "Patient/a"}}, "request.method"),
    ({"request": {}}, "request.method"),
]
