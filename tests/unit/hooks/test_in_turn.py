"""Plugins asked in turn: quickly or each by the clock, the same happens."""

from inspect import signature

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import FyrError, Refused
from fyr.core.hooks.in_turn import TIMED, Alone, InTurn
from fyr.core.hooks.isolation import Implementation, Patience, by_position
from fyr.core.hooks.markers import Policy
from fyr.core.hooks.specs import RULES, SPECIFICATIONS
from fyr.core.testing import FakeClock

HOOKS = {
    Policy.ABORT: "authorize",
    Policy.ISOLATE: "request_received",
    Policy.SWALLOW: "completed",
}
NOTHING, FAILS, REFUSES, EXITS = range(4)
#: What each of some plugins does in each of some calls.
SCRIPTS = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(
            st.sampled_from([NOTHING] * 5 + [FAILS, REFUSES, EXITS]),
            min_size=width,
            max_size=width,
        ),
        max_size=30,
    )
)


class Row:
    """Some implementations that follow a script, and what they were asked."""

    def __init__(self, policy: Policy, script: list[list[int]]) -> None:
        self.script = script
        self.turn = 0
        self.asked: list[tuple[int, int]] = []
        self.told: list[tuple[str, str]] = []
        clock = FakeClock()
        hook = HOOKS[policy]
        self.row = []
        for place in range(len(script[0]) if script else 1):
            names = [("context",), (), ("context", "other")][place % 3]
            one = Implementation(
                f"p{place}",
                hook,
                RULES[hook],
                self.body(place),
                names,
                patience=Patience(2, 60),
                clock=clock,
            )
            one.on_failure = lambda *told: self.told.append(told)
            self.row.append(one)

    def body(self, place: int):
        def called(*given):
            self.asked.append((self.turn, place))
            assert given == [(1,), (), (1, 2)][place % 3]
            match self.script[self.turn][place]:
                case 1:
                    raise RuntimeError("broken")
                case 2:
                    raise Refused("no")
                case 3:
                    raise SystemExit(3)

        return called

    def happened(self, ask) -> list[object]:
        """Do all calls; tell what came out of each, and all that is known after."""
        out: list[object] = []
        for turn in range(len(self.script)):
            self.turn = turn
            try:
                ask({"context": 1, "other": 2})
            except (FyrError, RuntimeError) as error:
                out.append((type(error), str(error), type(error.__cause__)))
            else:
                out.append(None)
        known = [
            (
                one.timing.calls,
                one.timing.failures,
                one.timing.last_error,
                one.quarantine.until,
            )
            for one in self.row
        ]
        return [out, self.asked, self.told, known]


def one_after_the_other(row: list[Implementation]):
    def ask(arguments):
        for one in row:
            one.ask(arguments)

    return ask


@given(st.sampled_from(list(Policy)), SCRIPTS)
def test_what_happens_is_what_asking_one_after_the_other_does(policy, script) -> None:
    plain, quick = Row(policy, script), Row(policy, script)
    in_turn = InTurn(quick.row)
    in_turn._told = TIMED  # past the calls that are timed anyway

    expected = plain.happened(one_after_the_other(plain.row))
    assert quick.happened(in_turn) == expected


def test_each_call_is_counted_and_one_of_many_timed() -> None:
    turns = 10 * TIMED
    row = Row(Policy.ABORT, [[NOTHING, NOTHING]] * turns)
    row.happened(InTurn(row.row))

    for one in row.row:
        assert one.timing.calls == turns
        assert one.timing.timed == TIMED + 9
        assert one.timing.total_ns > 0
        mean = one.timing.total_ns / one.timing.timed / 1e9
        assert one.timing.mean_seconds == mean
        assert one.timing.total_seconds == mean * turns


def test_a_plugin_that_fails_is_asked_by_the_rules_at_once() -> None:
    row = Row(Policy.ISOLATE, [[FAILS, NOTHING]] * 5)
    in_turn = InTurn(row.row)
    in_turn._told = TIMED
    row.happened(in_turn)

    # Two failures bring rest; who stands behind it is asked all the time.
    assert [turn for turn, place in row.asked if place == 0] == [0, 1]
    assert [turn for turn, place in row.asked if place == 1] == list(range(5))


@given(
    st.sampled_from(["authenticate", "authorize_resource"]),
    st.lists(st.sampled_from([NOTHING, FAILS, REFUSES, EXITS]), max_size=10),
)
def test_one_that_is_alone_is_asked_as_it_would_be_by_itself(hook, script) -> None:
    names = list(signature(SPECIFICATIONS[hook]).parameters)

    def asked(quick: bool) -> list[object]:
        turns = iter(script)

        def called(*given):
            match next(turns):
                case 1:
                    raise RuntimeError("broken")
                case 2:
                    raise Refused("no")
                case 3:
                    raise SystemExit(3)
            return given

        one = Implementation("p", hook, RULES[hook], called, names)
        assert Alone.fits(one)
        alone = Alone(one)
        alone._due = 2 * TIMED  # past the calls that are timed anyway
        ask = alone if quick else one.ask
        out: list[object] = []
        for turn, _ in enumerate(script):
            try:
                out.append(ask({name: (turn, name) for name in names}))
            except (FyrError, RuntimeError) as error:
                out.append((type(error), str(error), type(error.__cause__)))
        timing = one.timing
        return [*out, timing.calls, timing.failures, timing.last_error]

    assert asked(quick=True) == asked(quick=False)


def test_one_that_is_alone_is_timed_now_and_then() -> None:
    rule = RULES["authenticate"]
    one = Implementation("p", "authenticate", rule, lambda context: None, ["context"])
    alone = Alone(one)
    for _ in range(10 * TIMED):
        alone({"context": 1})

    assert one.timing.calls == 10 * TIMED
    assert one.timing.timed == TIMED + 9


def test_one_whose_failures_or_answers_go_no_further_is_not_asked_alone() -> None:
    def fits(hook: str, *names: str) -> bool:
        made = Implementation("p", hook, RULES[hook], lambda *_: None, names)
        return Alone.fits(made)

    assert fits("authenticate", "context")
    assert fits("authorize")
    assert fits("authorize_resource", "context", "subject", "use", "look")
    assert not fits("request_received", "context")
    assert not fits("provide_search", "context")
    assert not fits("before_show", "resource")


@given(st.lists(st.sampled_from("abcdef"), unique=True))
def test_what_is_called_by_position_gets_what_it_asks_for(names) -> None:
    called = by_position(lambda *given: given, names)

    assert called({name: name.upper() for name in "abcdef"}) == tuple(
        name.upper() for name in names
    )
