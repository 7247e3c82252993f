"""``$submit-measurement``: measurements that say too little about themselves, and when."""

import pytest

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"


@pytest.mark.parametrize(
    ("kind", "status", "wanted"),
    [
        ("Observation", "preliminary", "final"),
        ("QuestionnaireResponse", "in-progress", "completed"),
        ("Media", "preparation", "completed"),
    ],
)
def test_a_measurement_that_is_not_finished_is_refused(
    world, problems, kind, status, wanted
) -> None:
    asked, order = world.a_questionnaire()
    made = {
        "Observation": lambda: world.observation(world.an_order(), status=status),
        "QuestionnaireResponse": lambda: world.response(asked, order, status=status),
        "Media": lambda: world.media(order, status=status),
    }

    assert problems(made[kind]()) == [
        (
            f"The status {status} does not fit; it must be {wanted} for a measurement of"
            f" type {kind}.",
            "Bundle.entry[0].resource.status",
        )
    ]


START, END = "2026-01-08T08:00:00+01:00", "2026-01-08T10:00:00+01:00"


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("Resolved", {"start": END, "end": START}),
        ("Resolved", {}),
        ("Resolved", {"start": START}),
        ("Resolved", {"end": END}),
        ("Unresolved", {"start": START, "end": END}),
        ("Adhoc", {"start": START}),
        ("Extra", {"end": END}),
        ("Sometimes", {}),
    ],
)
def test_a_timing_that_does_not_fit_its_type_is_refused(
    world, problems, make, kind, ends
) -> None:
    observation = world.observation(world.an_order(), timing=make.timing(kind, **ends))

    ((text, place),) = problems(observation)

    assert text.startswith("A resolved timing is either of type Resolved")
    assert place == "Bundle.entry[0].resource.extension[1]"


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("Resolved", {"start": START, "end": END}),
        ("Unresolved", {}),
        ("Adhoc", {}),
        ("Extra", {}),
    ],
)
def test_a_timing_that_fits_its_type_is_taken(world, make, kind, ends) -> None:
    observation = world.observation(world.an_order(), timing=make.timing(kind, **ends))

    assert world.submit(observation).status == 200


def test_a_timing_without_the_version_of_the_order_is_refused(
    world, problems, make
) -> None:
    timing = make.timing()
    del timing["extension"][0]

    ((text, _),) = problems(world.observation(world.an_order(), timing=timing))

    assert text.startswith("A resolved timing is either of type Resolved")


def test_a_value_that_nobody_triages_is_refused(world, problems) -> None:
    observation = world.observation(
        world.an_order(),
        valueQuantity=None,
        valueString="97 %",
        component=[{"code": {"text": "a"}, "valueBoolean": True}],
    )

    text = "The content breaks a rule: a value is a Quantity or a CodeableConcept"
    assert problems(observation) == [
        (text, "Bundle.entry[0].resource.value"),
        (text, "Bundle.entry[0].resource.component[0].value"),
    ]


def test_a_measurement_without_timing_is_refused(world, problems) -> None:
    ((_, place),) = problems(world.observation(world.an_order(), timing=None))

    assert place == "Bundle.entry[0].resource"


@pytest.mark.parametrize(
    ("kind", "element", "name"),
    [
        ("Observation", "effectiveDateTime", "effective"),
        ("Observation", "performer", "performer"),
        ("QuestionnaireResponse", "authored", "authored"),
        ("QuestionnaireResponse", "source", "source"),
        ("Media", "createdDateTime", "created"),
    ],
)
def test_a_measurement_without_what_its_profile_demands_is_refused(
    world, problems, kind, element, name
) -> None:
    asked, order = world.a_questionnaire()
    without = {element: None}
    made = {
        "Observation": lambda: world.observation(world.an_order(), **without),
        "QuestionnaireResponse": lambda: world.response(asked, order, **without),
        "Media": lambda: world.media(order, **without),
    }

    assert problems(made[kind]()) == [
        (
            f"The content breaks a rule: a measurement of type {kind} says its {name}",
            f"Bundle.entry[0].resource.{name}",
        )
    ]


def test_a_measurement_may_be_of_a_day_as_of_a_moment_or_a_period(world) -> None:
    asked, order = world.a_questionnaire()
    day = "2026-01-08"

    answer = world.submit(
        world.observation(world.an_order(), effectiveDateTime=day),
        world.observation(
            world.an_order(),
            effectiveDateTime=None,
            effectivePeriod={"start": START, "end": END},
        ),
        world.response(asked, order, authored=day),
    )

    assert answer.status == 200, answer.body


def test_two_qualities_of_a_device_are_refused(world, problems, make) -> None:
    twice = [
        make.quality("DMQ", "device-measuring-quality", code)
        for code in ("normal", "unknown")
    ]

    ((text, place),) = problems(world.observation(world.an_order(), extension=twice))

    assert text == "An Observation or Media has one device quality at most."
    assert place == "Bundle.entry[0].resource.extension[1]"


@pytest.mark.parametrize(
    ("period", "text", "place"),
    [
        (
            {"extension": [{"url": "urn:x", "valueString": "x"}]},
            "The effective period needs a start or an end.",
            ".value",
        ),
        (
            {"start": "2026-01-08"},
            "The start of the effective period needs a time, to the minute or finer, and"
            " a time zone.",
            ".value.start",
        ),
        (
            {"start": "2026-01-08T08:00:00Z", "end": "2026"},
            "The end of the effective period needs a time, to the minute or finer, and a"
            " time zone.",
            ".value.end",
        ),
        (
            {"start": "2026-01-08T08:00:00Z", "end": "2026-01-08T08:30:00+01:00"},
            "The effective period must start before it ends.",
            ".value",
        ),
    ],
)
def test_an_effective_period_that_is_none_is_refused(
    world, problems, period, text, place
) -> None:
    asked, order = world.a_questionnaire()
    extension = {"url": f"{EHEALTH}effectivePeriod", "valuePeriod": period}

    told = problems(world.response(asked, order, extension=[extension]))

    assert (text, f"Bundle.entry[0].resource.extension[1]{place}") in told
