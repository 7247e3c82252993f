"""The rows of all areas that Fyr brings, and the code that raises them."""

import ast
from importlib.metadata import entry_points
from importlib.resources import files

import pytest

from fyr.core.errors.catalogue import ErrorCode, ErrorCodes, read_error_codes
from fyr.core.hooks.loading import load_plugins
from fyr.core.model.validation import problems
from fyr.core.testing.applications import settings_with
from fyr.plugins.error_codes.page import areas, errors_page, raised_in, texts, trees
from fyr.plugins.error_codes.serving import code_system

ALL = ErrorCodes(row for area in areas() for row in read_error_codes(area).values())
#: Areas that have rows and are plugins.
PLUGINS = [one for one in entry_points(group="fyr.plugins") if one.module in areas()]
#: Where each name stands in the source.
RAISED = raised_in("fyr.core") | raised_in("fyr.plugins")
#: How many codes are published: https://ehealth.sundhed.dk/fhir/error-messages.html
PUBLISHED = 388


def calls(tree: ast.Module):
    """Tell code and number of values of each ``CODES["NAME"].error(...)``."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("error", "issue")
            and isinstance(node.func.value, ast.Subscript)
            and isinstance(node.func.value.slice, ast.Constant)
            and not any(isinstance(one, ast.Starred) for one in node.args)
        ):
            yield node.func.value.slice.value, len(node.args)


def test_every_published_code_has_one_row() -> None:
    assert len(ALL) >= PUBLISHED


@pytest.mark.parametrize("code", ALL.values(), ids=lambda code: code.name)
def test_a_row_is_a_sentence_and_takes_its_values(code: ErrorCode) -> None:
    (issue,) = code.error(*range(code.values)).issues

    assert issue.diagnostics[:1].isupper() or code.text.startswith("%s")
    assert "%s" not in issue.diagnostics
    assert all(str(value) in issue.diagnostics for value in range(code.values))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("SECURITY_USER_NOT_ALLOWED", 403),
        ("PROVENANCE_NO_READ_PRIVILEGE", 403),
        ("GENERAL_RESOURCE_NOT_FOUND", 404),
        ("MEASUREMENT_SEARCHMEASUREMENT_PERIOD_NOT_SPECIFIED", 400),
        ("REPORTING_MISSING_INPUT_PARAMETER", 400),
        ("PLANDEFINITION_UPDATE_ALLOWED_FOR_STATUS", 422),
    ],
)
def test_the_family_decides_the_status(name, status) -> None:
    assert ALL[name].status == status


@pytest.mark.parametrize("package", areas())
def test_code_gives_each_row_as_many_values_as_it_takes(package) -> None:
    known = dict(ALL)
    for _, tree in trees(files(package)):
        for name, values in calls(tree):
            assert name in known, f"{package}: no such error code: {name}"
            assert values == known[name].values, f"{package}: {name}"


def test_the_check_of_values_finds_them() -> None:
    tree = ast.parse('raise CODES["A_CODE"].error(one, two, expression=["x"])')

    assert list(calls(tree)) == [("A_CODE", 2)]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda one: one.name)
def test_an_area_that_has_rows_offers_them(plugin, tmp_path) -> None:
    settings = settings_with({"plugins": {"enabled": [plugin.name]}}, tmp_path)

    offered = load_plugins(settings).hooks.register_error_codes()

    assert list(read_error_codes(plugin.module).values()) == offered


def test_the_page_has_every_code_and_tells_where_it_is_raised() -> None:
    page, raised = errors_page(), RAISED

    for name, code in ALL.items():
        (line,) = [line for line in page.splitlines() if f" `{name}`<br>" in line]
        assert line.startswith(f"| {code.status} |")
        assert all(f"`{room}`" in line for room in raised.get(name, ()))
        assert (name in raised) or line.endswith(f" | {code.not_raised} |")


@pytest.mark.parametrize("code", ALL.values(), ids=lambda code: code.name)
def test_every_code_is_raised_somewhere_or_says_why_not(code: ErrorCode) -> None:
    assert (code.name in RAISED) != bool(code.not_raised)
    assert not code.not_raised or code.not_raised.endswith(".")


def test_a_code_is_raised_where_its_name_stands_or_a_rule_is_broken() -> None:
    tree = ast.parse('yield CODES["RAISED"].error(); broken_rule("so it is", "Task")')

    assert {"RAISED", "GENERAL_VALIDATION_ERROR"} <= set(texts(tree))


def test_the_code_system_is_valid_fhir() -> None:
    made = code_system(ALL.values(), "https://fhir.example.org/error-code")

    assert problems(made) == []
    assert made["count"] == len(ALL)
