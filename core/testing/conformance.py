"""What every plugin is held against: a class of tests that its author inherits.

    from fyr.core.testing import PluginContract


    class TestGreeter(PluginContract):
        plugin = "greeter"

The plugin must be one that ``fyr_options`` or ``fyr_plugins`` brings; this class
enables it by name when nobody has. What it cannot promise, it says by the class
attributes below.
"""

from __future__ import annotations

import ast
import inspect
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.app import Application
    from fyr.core.hooks.registry import LoadedPlugin
    from fyr.core.testing.applications import Plugins
    from fyr.core.testing.client import Client
    from fyr.core.testing.clock import FakeClock

#: A resource that no rule of an API area should have an opinion about.
_BASIC: Mapping[str, Any] = {
    "resourceType": "Basic",
    "code": {"text": "conformance"},
}


class PluginContract:
    """Tests that hold for any plugin; inherit, and name yours."""

    #: its name, as ``plugins.enabled`` has it
    plugin: ClassVar[str]
    #: its settings, when it cannot start without
    settings: ClassVar[Mapping[str, Any]] = {}
    #: a resource that it lets anybody store
    acceptable: ClassVar[Mapping[str, Any]] = _BASIC
    #: modules of Fyr that it imports beside ``fyr.core`` and ``fyr.core.testing``
    private_imports: ClassVar[frozenset[str]] = frozenset()

    @pytest.fixture
    def fyr_options(self, fyr_plugins: Plugins) -> dict[str, Any]:
        """Enable the plugin."""
        installed = [] if self.plugin in fyr_plugins else [self.plugin]
        return {
            "plugins": {"enabled": list(dict.fromkeys(["search", *installed]))},
            "plugin": {self.plugin: dict(self.settings)} if self.settings else {},
        }

    @pytest.fixture
    def loaded(self, fyr_app: Application) -> LoadedPlugin:
        """The plugin as it was loaded."""
        return next(one for one in fyr_app.plugins if one.name == self.plugin)

    def test_it_takes_part_and_the_report_says_so(self, fyr_app: Application) -> None:
        told = {one["name"]: one for one in fyr_app.plugins.report()}

        assert told[self.plugin]["state"] == "active"

    def test_it_says_in_a_sentence_what_it_is_for(self, loaded: LoadedPlugin) -> None:
        summary = loaded.manifest.summary or inspect.getdoc(loaded.target)

        assert summary, "give it Manifest(summary=...) or a docstring"

    def test_it_refuses_a_setting_that_it_does_not_know(
        self, fyr_settings: Settings, fyr_clock: FakeClock, fyr_plugins: Plugins
    ) -> None:
        from fyr.core.errors.plugins import PluginError
        from fyr.core.hooks.loading import load_plugins

        wrong = {self.plugin: {**self.settings, "no_such_setting": 1}}
        settings = fyr_settings.model_copy(update={"plugin": wrong})

        with pytest.raises(PluginError, match=f"plugin.{self.plugin}.no_such_setting"):
            load_plugins(settings, clock=fyr_clock, plugins=fyr_plugins)

    def test_every_setting_is_explained(self, loaded: LoadedPlugin) -> None:
        fields = type(loaded.settings).model_fields
        silent = [name for name, field in fields.items() if not field.description]

        assert not silent, f"give each a Field(description=...): {silent}"

    def test_it_imports_what_fyr_publishes_and_nothing_else(
        self, loaded: LoadedPlugin
    ) -> None:
        allowed = {"fyr.core", "fyr.core.testing", *self.private_imports}
        own = _package_of(loaded.target)
        used = {
            name
            for file in _sources(loaded.target)
            for name in _imports(file)
            if own is None or not f"{name}.".startswith(f"{own}.")
        }

        private = sorted(used - allowed)

        assert not private, f"these modules are private to Fyr: {private}"

    def test_two_applications_in_one_process_do_not_disturb_each_other(
        self,
        fyr_app: Application,
        fyr_client: Client,
        fyr_settings: Settings,
        fyr_clock: FakeClock,
        fyr_plugins: Plugins,
        tmp_path: Path,
    ) -> None:
        from fyr.core.testing.applications import application, client_of

        elsewhere = fyr_settings.model_copy(update={"data_dir": tmp_path / "other"})
        with application(elsewhere, fyr_clock, fyr_plugins) as other:
            there = client_of(other).get("metadata").status
        here = fyr_client.get("metadata").status

        assert (here, there) == (200, 200)

    def test_it_leaves_no_thread_behind(
        self,
        fyr_settings: Settings,
        fyr_clock: FakeClock,
        fyr_plugins: Plugins,
    ) -> None:
        from fyr.core.testing.applications import application
        from fyr.core.testing.contracts.threads import left_since

        before = set(threading.enumerate())
        with application(fyr_settings, fyr_clock, fyr_plugins):
            pass

        assert left_since(before) == set()

    def test_a_resource_that_it_accepts_can_be_kept_changed_and_deleted(
        self, fyr_client: Client
    ) -> None:
        created = fyr_client.create(self.acceptable)
        path = f"{self.acceptable['resourceType']}/{created.json.get('id')}"
        read = fyr_client.get(path)
        updated = fyr_client.update(read.json)
        deleted = fyr_client.delete(path)

        told = [one.status for one in (created, read, updated, deleted)]
        assert (told[:3], told[3] in (200, 204)) == ([201, 200, 200], True)

    def test_nonsense_is_refused_with_an_outcome_and_no_server_error(
        self, fyr_client: Client
    ) -> None:
        kind = self.acceptable["resourceType"]
        for body in (b"{", b"[]", b"{}", {"resourceType": kind, "id": "../.."}):
            answer = fyr_client.post(kind, body)

            assert 400 <= answer.status < 500
            assert answer.json["resourceType"] == "OperationOutcome"

    def test_every_operation_is_explained_and_described(
        self, fyr_app: Application
    ) -> None:
        from fyr.core.declarations.operation_definitions import operation_definition
        from fyr.core.model.validation import problems

        for operation in self._registered(fyr_app, "register_operations"):
            url = f"http://example.org/OperationDefinition/{operation.name}"
            definition = operation_definition(operation, url)

            assert operation.documentation, f"${operation.name}: say what it does"
            assert problems(definition) == []

    def test_every_operation_is_listed_in_the_capability_statement(
        self, fyr_app: Application, fyr_client: Client
    ) -> None:
        statement = fyr_client.get("metadata").json
        listed = set(_operations(statement))

        offered = self._registered(fyr_app, "register_operations")
        assert {operation.name for operation in offered} <= listed

    def test_every_route_is_explained(self, fyr_app: Application) -> None:
        routes = self._registered(fyr_app, "register_routes")

        assert [route.path for route in routes if not route.documentation] == []

    def _registered(self, built: Application, hook: str) -> list[Any]:
        """Tell what this plugin alone registers."""
        chain = getattr(built.hooks, hook)
        return [
            item
            for one in chain
            if one.plugin == self.plugin
            for item in one.attempt({"settings": built.settings}) or ()
        ]


def _module_of(target: object) -> object:
    name = target.__name__ if inspect.ismodule(target) else type(target).__module__
    return sys.modules.get(name, target)


def _package_of(target: object) -> str | None:
    """Tell the package that a plugin is in, if it is in one."""
    return getattr(_module_of(target), "__package__", None) or None


def _sources(target: object) -> list[Path]:
    """Tell the files of a plugin: its module's, or those of the package that it is in."""
    module = _module_of(target)
    package = sys.modules.get(_package_of(target) or "")
    top = getattr(package, "__file__", None)
    if top is None:
        return [Path(str(inspect.getsourcefile(module)))]  # type: ignore[arg-type]
    return sorted(Path(top).parent.rglob("*.py"))


def _imports(file: Path) -> Iterator[str]:
    """Tell the modules of Fyr that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] == "fyr")


def _operations(statement: Mapping[str, Any]) -> Iterator[str]:
    """Tell the names of operations in a CapabilityStatement, at every level."""
    for rest in statement["rest"]:
        for level in [rest, *rest.get("resource", [])]:
            yield from (one["name"] for one in level.get("operation", []))
