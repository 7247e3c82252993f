"""A plugin in one file that implements every hook once; docs/hooks.md shows each.

    FYR_PLUGINS__FOLDER=examples fyr serve

A file in the plugins folder takes part by being there. Without settings and state a
module is enough; its rules are made up.
"""

from collections import Counter
from datetime import date

import click
import falcon

from fyr.core import (
    Column,
    Consumer,
    ErrorCode,
    Forbidden,
    Issue,
    Job,
    KeptContent,
    Machine,
    Manifest,
    Message,
    MessageSource,
    Operation,
    OperationParameter,
    Principal,
    Projection,
    Refused,
    RegisteredPerson,
    Route,
    RuleFinding,
    RuleOutcome,
    Sender,
    Service,
    Step,
    Stream,
    StreamItem,
    StreamListener,
    Timer,
    TypeRules,
    Unauthenticated,
    hookimpl,
)

manifest = Manifest("Shows every hook.", core=">=0.1,<1")

#: What was told to whom; a real plugin would have its own table.
told: Counter[str] = Counter()


@hookimpl
def register_services(settings):
    rules = TypeRules(frozenset({"read", "search-type"}))
    yield Service("directory", "directory/fhir", "Who is who", {"Practitioner": rules})


@hookimpl
def register_operations():
    yield Operation(
        name="count-told",
        handler=count_told,
        levels=frozenset({"system"}),
        documentation="Tells how many changes of a type this process has handed on.",
        parameters=(
            OperationParameter("type", "code", min=1),
            OperationParameter("count", "integer", use="out", min=1),
        ),
    )


def count_told(call):
    number = told[call.value("type")]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "count", "valueInteger": number}],
    }


@hookimpl
def register_routes():
    class Opening:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            resp.media = {"open": date.today().isoweekday() < 6}

    yield Route("/every-hook/opening", Opening(), "Is the clinic open?", public=True)


CLOSED = ErrorCode("CLINIC_CLOSED", 422, "The clinic is closed on %s.", "every_hook")


@hookimpl
def register_error_codes():
    yield CLOSED  # raise CLOSED.error("Sunday")


@hookimpl
def register_machines():
    def is_dated(transition):
        if "occurrenceDateTime" not in transition.new:
            yield CLOSED.issue("no day", expression=("SupplyRequest.occurrence",))

    steps = (
        Step(None, "draft"),
        Step("draft", "active", by={"PRACTITIONER"}, when=(is_dated,)),
        Step("active", "completed", by={"PRACTITIONER", "SYSTEM"}),
    )
    yield Machine("every-hook-supply", "SupplyRequest", steps, what="Made-up orders.")


@hookimpl
def register_search_parameters():
    yield {
        "resourceType": "SearchParameter",
        "url": "https://example.org/SearchParameter/patient-nickname",
        "name": "nickname",
        "status": "active",
        "description": "Finds a patient by a nickname.",
        "code": "nickname",
        "base": ["Patient"],
        "type": "string",
        "expression": "Patient.name.where(use='nickname').given",
    }


@hookimpl
def register_projections():
    height = Column("height", "number", "extension('urn:height').value", "In cm.")
    yield Projection("Patient", (height,))


@hookimpl
def register_consumers():
    def count_devices(change):
        told["Device"] += 1

    yield Consumer("every-hook-devices", count_devices, types=frozenset({"Device"}))


@hookimpl
def register_message_sources():
    def tell(change):
        body = {"device": change.id, "version": change.version}
        yield Message.of("every-hook-device", body, {"resourceProfile": "device"})

    yield MessageSource("every-hook-messages", tell, types=frozenset({"Device"}))


@hookimpl
def register_streams():
    def items(changes):
        for change in changes:
            if change.type == "Device":
                yield StreamItem(change.position, "device", change.subject)

    yield Stream(
        "/every-hook/devices",
        "References of devices that change.",
        items,
        lambda context: StreamListener(),
    )


@hookimpl
def register_jobs():
    yield Job("every-hook-forget", lambda job: told.clear(), every=86_400)


@hookimpl
def register_timers():
    def remind(acting, fired):
        task = {"resourceType": "Task", "status": "requested", "intent": "order"}
        acting.create({**task, "focus": {"reference": fired.subject}})

    # application.timers.arm(session, "every-hook-remind", "Device/1", tomorrow)
    yield Timer("every-hook-remind", remind)


@hookimpl
def register_senders():
    def print_out(messages):
        for message in messages:
            print(message.destination, message.payload)

    yield Sender("every-hook-paper", print_out)


@hookimpl
def register_commands():
    @click.command("clinic-hours")
    def clinic_hours():
        """Print when the clinic is open."""
        click.echo("Monday to Friday")

    yield clinic_hours


@hookimpl(phase="late")
def provide_search(database):
    return None  # fyr.search does it


@hookimpl
def provide_blob_store(settings):
    return None  # blobs.url says where


@hookimpl
def request_received(context):
    context.state["every-hook"] = {"shown": 0}


@hookimpl
def authenticate(context):
    if not (context.authorization or "").startswith("Ward "):
        return None  # somebody else may know
    ward = context.authorization.removeprefix("Ward ")
    if not ward.isalnum():
        raise Unauthenticated("a ward's name has letters and digits only")
    return Principal("PRACTITIONER", f"ward-{ward}", context={"ward": ward})


@hookimpl
def authorize(context):
    if "ward" in context.principal.context and context.interaction == "delete":
        raise Forbidden("wards delete nothing")


@hookimpl
def narrow_search(context, resource_type, params):
    ward = context.principal.context.get("ward")
    if ward and resource_type == "Encounter":
        return [*params, ("location", f"Location/{ward}")]
    return None


@hookimpl
def authorize_search(context, asked):
    ward = context.principal.context.get("ward")
    if ward and any(kind == "Account" for kind, _ in asked.touched):
        raise Forbidden("wards find nobody by what they owe")


@hookimpl
def authorize_resource(context, subject, use, look):
    if subject.type != "Encounter" or "ward" not in context.principal.context:
        return
    patient = subject.resource.get("subject", {}).get("reference", "")
    if (look.read(patient) or {}).get("meta", {}).get("security"):
        raise Forbidden(f"this encounter is not for wards to {use}")


@hookimpl
def explain_access(context):
    if context.interaction == "delete":
        yield "an appointment with the archivist"


@hookimpl
def before_interaction(context):
    if context.interaction == "history-system" and not context.params:
        raise Refused("the whole history is too long: say _since or _count")


@hookimpl
def validate(context, resource):
    if resource["resourceType"] == "Patient":
        for number, name in enumerate(resource.get("name", [])):
            if name.get("family", "x").isdigit():
                where = f"Patient.name[{number}].family"
                yield Issue("invalid", "a family name is no number", (where,))


@hookimpl(before=["greeter"])
def before_store(old, new):
    if old and old["resourceType"] == "Patient" and old.get("deceasedBoolean"):
        raise Refused("nothing changes for a patient who has died")
    if new and new["resourceType"] == "Observation":
        new.setdefault("language", "da")


@hookimpl
def stored(session, new):
    if new and new["resourceType"] == "Group":
        # The transaction sees its own rows: the hundred and first is rolled back.
        count = "SELECT COUNT(*) FROM resource WHERE type = ?"
        ((groups,),) = session.rows(count, ("Group",))
        if groups > 100:
            raise Refused("there are a hundred groups already")


@hookimpl
def look_up_person(system, number):
    if (system, number) != ("https://example.org/patient-number", "7"):
        return None  # the ward's own list has one entry
    identifier = {"use": "official", "system": system, "value": number}
    name = {"use": "official", "family": "Berg", "given": ["Åse"]}
    return RegisteredPerson(
        {"resourceType": "Patient", "identifier": [identifier], "name": [name]},
        earlier=("3",),
    )


@hookimpl
def look_up_content(context, url):
    kept = "https://example.org/leaflets/"
    if not url.startswith(kept):
        return None  # it is kept elsewhere
    return KeptContent(there=url.removeprefix(kept) in ("asthma", "copd"))


@hookimpl
def describe_service(service, statement):
    return {**statement, "publisher": "The ward"} if service.name == "fhir" else None


@hookimpl(phase="late")
def before_show(context, resource):
    if "ward" in context.principal.context and resource["resourceType"] == "Patient":
        return {key: value for key, value in resource.items() if key != "address"}
    return None


@hookimpl
def answered(context, touched):
    if context.principal.user_type == "PATIENT":
        told["seen by patients"] += len(touched)


@hookimpl
def deliver(change):
    if change.method == "POST":
        told[change.type] += 1


@hookimpl
def evaluate_rules(library, asked):
    forms = {content.get("contentType") for content in library.get("content", ())}
    if "text/x-always-red" not in forms:
        return None
    red = {"text": "red"}
    return RuleOutcome(
        [RuleFinding(f"{m['resourceType']}/{m['id']}", red) for m in asked.measurements]
    )


@hookimpl
def completed(context, status, seconds):
    if seconds > 1:
        told["slow"] += 1
