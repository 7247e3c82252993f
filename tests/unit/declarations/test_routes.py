"""Routes that plugins offer."""

import pytest

from fyr.core.declarations.routes import Route


class Hello:
    def on_get(self, req, resp): ...


def test_a_route_has_a_path_and_somebody_who_answers() -> None:
    assert not Route("/hello/{name}", Hello(), "Says hello.").public


@pytest.mark.parametrize("path", ["hello", "", "/"])
def test_a_path_that_no_request_could_have_is_refused(path) -> None:
    with pytest.raises(ValueError, match="begins with"):
        Route(path, Hello(), "")


def test_a_resource_that_answers_no_method_is_refused() -> None:
    with pytest.raises(ValueError, match="no method such as on_get"):
        Route("/hello", object(), "")
