"""Errors carry what their answers need."""

from fyr.core import Forbidden, Issue, NotFound, Refused, Unauthenticated
from fyr.core.errors import one_error


def test_each_401_tells_how_to_authenticate() -> None:
    assert Unauthenticated("who?").headers == {"WWW-Authenticate": 'Bearer realm="fyr"'}


def test_a_plugin_may_ask_for_another_scheme() -> None:
    error = Unauthenticated("who?", headers={"WWW-Authenticate": "Basic"})

    assert error.headers == {"WWW-Authenticate": "Basic"}


def test_what_is_not_allowed_stands_alone() -> None:
    wrong = Issue("invalid", "The colour is wrong.")

    told = one_error([wrong, NotFound("nobody"), Forbidden("not yours")])

    assert isinstance(told, Forbidden)
    assert [one.diagnostics for one in told.issues] == ["not yours"]


def test_the_first_error_of_several_decides_what_they_are() -> None:
    wrong = Issue("invalid", "The colour is wrong.")

    told = one_error([wrong, NotFound("nobody"), Refused("too late")])

    assert isinstance(told, NotFound)
    assert len(told.issues) == 3
    assert isinstance(one_error([wrong]), Refused)
