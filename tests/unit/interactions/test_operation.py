import pytest

from fyr.core.declarations.operations import Operation, OperationParameter, Reply
from fyr.core.errors import Forbidden, Invalid, NotFound, Refused
from fyr.core.hooks.markers import hookimpl
from fyr.core.interactions import Incoming
from fyr.core.interactions.operation_input import from_query, problems

PATIENT = {"resourceType": "Patient", "id": "a"}


def parameters(**values):
    given = [{"name": name, **value} for name, value in values.items()]
    return {"resourceType": "Parameters", **({"parameter": given} if given else {})}


def call(world, name, source=None, kind=None, identity=None, **more):
    context = world.context("operation", kind, identity, operation=name, **more)
    return world.interactions.operate(context, Incoming(source or parameters()))


def reading(call):
    return call.subject()


def writing(call):
    from fyr.core.context import RequestContext

    def context(kind):
        return RequestContext(call.context.service, "create", kind, parent=call.context)

    call.interactions.create(context("Patient"), Incoming({"resourceType": "Patient"}))
    call.interactions.create(
        context("Basic"), Incoming({"resourceType": "Basic", "code": {"text": "x"}})
    )
    if call.value("fail"):
        raise Refused("changed my mind")
    history = RequestContext(
        call.context.service, "history-system", parent=call.context
    )
    return call.interactions.history(history).resource()


INSTANCE = frozenset({"instance"})
SYSTEM = frozenset({"system"})
READ = Operation("reading", reading, INSTANCE)
WRITE = Operation(
    "writing",
    writing,
    SYSTEM,
    affects_state=True,
    parameters=(OperationParameter("fail", "boolean"),),
)


def test_an_operation_answers_what_it_gives(build) -> None:
    world = build(operations=[READ])
    world.update(dict(PATIENT))

    assert call(world, "reading", kind="Patient", identity="a").resource()["id"] == "a"


def test_an_operation_that_gives_nothing_is_answered_without_a_body(build) -> None:
    world = build(operations=[Operation("nothing", lambda call: None, SYSTEM)])

    assert call(world, "nothing").status == 204


def test_an_operation_may_answer_a_status_and_headers_of_its_own(build) -> None:
    def accepted(call):
        return Reply(202, {"resourceType": "Basic"}, {"Content-Location": "urn:x"})

    world = build(operations=[Operation("later", accepted, SYSTEM)])
    answer = call(world, "later")

    assert (answer.status, answer.resource()) == (202, {"resourceType": "Basic"})
    assert answer.headers == {"Content-Location": "urn:x"}


def test_what_an_operation_replies_is_judged_as_what_it_answers(build) -> None:
    class Nosy:
        @hookimpl
        def authorize_resource(self, subject):
            raise Forbidden(f"nobody sees {subject.type}/{subject.id}")

    def accepted(call):
        return Reply(202, dict(PATIENT))

    world = build(
        operations=[Operation("later", accepted, SYSTEM)], plugins={"nosy": Nosy()}
    )

    with pytest.raises(Forbidden, match="Patient/a"):
        call(world, "later")


def test_an_operation_may_judge_parameters_that_it_does_not_declare() -> None:
    strict = Operation("strict", reading, SYSTEM)
    judging = Operation("judging", reading, SYSTEM, judges_unknown=True)
    query = (("_x", "1"), ("y", "2"), ("_format", "json"))

    assert from_query(judging, query)["parameter"] == [
        {"name": "_x", "valueString": "1"},
        {"name": "y", "valueString": "2"},
    ]
    assert problems(judging, from_query(judging, query)) == []
    with pytest.raises(Invalid, match="unknown parameter: y"):
        from_query(strict, query)


def test_an_operation_that_is_not_there_is_not_found(world) -> None:
    with pytest.raises(NotFound):
        call(world, "nothing")


def test_what_an_operation_writes_is_one_transaction(build) -> None:
    world = build(operations=[WRITE])

    seen = call(world, "writing").resource()
    with pytest.raises(Refused):
        call(world, "writing", parameters(fail={"valueBoolean": True}))

    assert len(seen["entry"]) == 2
    assert len(world.history()["entry"]) == 2


def test_an_operation_that_previews_has_no_transaction_when_it_is_got(build) -> None:
    def told(call):
        return {"resourceType": "Basic", "id": "no" if call.session is None else "yes"}

    one = Operation("try", told, SYSTEM, affects_state=True, previews=True)
    world = build(operations=[one])

    assert one.by_get
    assert call(world, "try", method="GET").resource()["id"] == "no"
    assert call(world, "try", method="POST").resource()["id"] == "yes"


def test_a_parameter_is_taken_in_the_type_that_it_had_before(build) -> None:
    taken = OperationParameter("plan", "string", also="Reference")
    one = Operation("take", lambda call: None, SYSTEM, parameters=(taken,))
    old = parameters(plan={"valueReference": {"reference": "PlanDefinition/1"}})

    assert problems(one, parameters(plan={"valueString": "PlanDefinition/1"})) == []
    assert problems(one, old) == []
    assert problems(one, parameters(plan={"valueBoolean": True}))


def test_wrong_parameters_are_told_before_the_operation_is_called(build) -> None:
    world = build(operations=[WRITE])

    with pytest.raises(Invalid):
        call(world, "writing", parameters(fail={"valueString": "x"}))
    with pytest.raises(Invalid):
        call(world, "writing", {"resourceType": "Parameters", "parameter": 1})


def issues_of(answer):
    assert answer.status == 200
    return [
        (issue["severity"], *issue.get("expression", []))
        for issue in answer.resource()["issue"]
    ]


def test_validate_finds_what_a_create_would_be_refused_for_and_stores_nothing(
    world,
) -> None:
    source = parameters(
        resource={"resource": {"resourceType": "Patient", "nam": 1}},
        mode={"valueCode": "create"},
    )

    answer = call(world, "validate", source, "Patient")

    assert issues_of(answer) == [("error", "Patient.nam")]
    assert "entry" not in world.history()


def test_validate_says_when_all_is_well(world) -> None:
    source = parameters(resource={"resource": {"resourceType": "Patient"}})

    assert issues_of(call(world, "validate", source, "Patient")) == [("information",)]


def test_validate_of_another_type_is_an_error(world) -> None:
    source = parameters(resource={"resource": {"resourceType": "Patient"}})

    assert issues_of(call(world, "validate", source, "Basic"))[0][0] == "error"


@pytest.mark.parametrize("mode", [{}, {"mode": {"valueCode": "update"}}])
@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"id": "b"}, ("error", "Patient.id")),
        ({}, ("error", "Patient")),
        ({"id": "a"}, ("information",)),
    ],
)
def test_validate_of_an_instance_compares_the_id_as_an_update_does(
    world, mode, sent, told
) -> None:
    resource = {"resourceType": "Patient", **sent}
    source = parameters(resource={"resource": resource}, **mode)

    assert issues_of(call(world, "validate", source, "Patient", "a")) == [told]


def test_validate_for_a_create_leaves_the_id_alone(world) -> None:
    source = parameters(
        resource={"resource": {"resourceType": "Patient"}},
        mode={"valueCode": "create"},
    )

    assert issues_of(call(world, "validate", source, "Patient", "a")) == [
        ("information",)
    ]


def test_validate_of_what_is_stored(world) -> None:
    world.update(dict(PATIENT))

    assert issues_of(call(world, "validate", None, "Patient", "a")) == [
        ("information",)
    ]


def test_validate_of_a_delete_wants_something_to_delete(world) -> None:
    world.update(dict(PATIENT))
    source = parameters(mode={"valueCode": "delete"})

    assert issues_of(call(world, "validate", source, "Patient", "a")) == [
        ("information",)
    ]
    with pytest.raises(NotFound):
        call(world, "validate", source, "Patient", "b")


def test_validate_fails_a_profile_that_it_does_not_know(world) -> None:
    source = parameters(
        resource={"resource": {"resourceType": "Patient"}},
        profile={"valueUri": "http://example.org/StructureDefinition/x"},
    )

    assert issues_of(call(world, "validate", source, "Patient")) == [("error",)]


@pytest.mark.parametrize(
    "source", [parameters(), parameters(mode={"valueCode": "wishful"})]
)
def test_validate_without_anything_to_validate_is_refused(world, source) -> None:
    with pytest.raises(Invalid):
        call(world, "validate", source, "Patient")


def test_what_takes_long_is_done_before_the_transaction(build) -> None:
    seen = []

    def prepare(call):
        seen.append(call.session)
        return call.value("fail")

    def handler(call):
        seen.append(call.session)
        return parameters(told={"valueBoolean": call.prepared})

    world = build(
        operations=[
            Operation(
                "long",
                handler,
                SYSTEM,
                affects_state=True,
                prepare=prepare,
                parameters=(OperationParameter("fail", "boolean"),),
            )
        ]
    )

    answer = call(world, "long", parameters(fail={"valueBoolean": True}))

    assert answer.resource()["parameter"] == [{"name": "told", "valueBoolean": True}]
    assert seen[0] is None
    assert seen[1] is not None


def test_what_is_refused_before_the_transaction_begins_none(build) -> None:
    def prepare(call):
        raise Refused("not even begun")

    def handler(call):
        raise AssertionError("it was begun")

    world = build(
        operations=[
            Operation("long", handler, SYSTEM, affects_state=True, prepare=prepare)
        ]
    )

    with pytest.raises(Refused, match="not even begun"):
        call(world, "long")
