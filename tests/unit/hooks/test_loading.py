"""Plugins named by the configuration, found, checked and made."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from fyr.config.settings import Settings
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks import discovery
from fyr.core.hooks.loading import load_plugins

GREETER = """
    from pydantic import Field, SecretStr
    from fyr.core import Manifest, Plugin, PluginSettings, hookimpl

    class GreeterSettings(PluginSettings):
        greeting: str = Field("Hello", min_length=1)
        key: SecretStr | None = None

    class Greeter(Plugin):
        manifest = Manifest("Greets.", core=">=0.1", settings=GreeterSettings, version="7")
        settings: GreeterSettings

        @hookimpl
        def before_store(self, new):
            new["greeting"] = self.settings.greeting
"""
MODULE = """
    from fyr.core import hookimpl

    @hookimpl
    def before_store(new):
        new["module"] = True
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def offer(folder, monkeypatch):
    """Offer a module under an entry point, as an installed distribution does."""
    points = []
    monkeypatch.setattr(discovery, "entry_points", lambda group: points)
    monkeypatch.syspath_prepend(folder / "site")
    (folder / "site").mkdir()

    def offered(name, source, value=None, distribution="fyr-thing"):
        module = f"thing_{name}"
        (folder / "site" / f"{module}.py").write_text(dedent(source))
        monkeypatch.delitem(sys.modules, module, raising=False)
        point = EntryPoint(name, value or module, discovery.GROUP)
        object.__setattr__(
            point, "dist", SimpleNamespace(name=distribution, version="1.2")
        )
        points.append(point)

    return offered


def settings(*enabled, folder=None, **plugin) -> Settings:
    return Settings(plugins={"enabled": list(enabled), "folder": folder}, plugin=plugin)


def problems_of(wanted: Settings) -> list[str]:
    with pytest.raises(PluginError) as told:
        load_plugins(wanted)
    return told.value.problems


def stored_by(registry) -> dict[str, object]:
    new: dict[str, object] = {}
    registry.hooks.before_store(context=None, session=None, old=None, new=new)
    return new


def test_a_plugin_that_is_installed_and_not_named_is_not_even_imported(offer) -> None:
    offer("broken", "raise RuntimeError('imported')")
    registry = load_plugins(settings())

    assert not any(registry.hooks)
    assert [(one["name"], one["state"]) for one in registry.report()] == [
        ("broken", "available")
    ]


def test_a_module_is_a_plugin(offer) -> None:
    offer("module", MODULE)

    assert stored_by(load_plugins(settings("module"))) == {"module": True}


def test_a_class_is_made_with_its_settings(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter")
    registry = load_plugins(settings("greeter", greeter={"greeting": "Goddag"}))

    assert stored_by(registry) == {"greeting": "Goddag"}


def test_a_class_is_made_anew_for_each_application(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter")
    one = load_plugins(settings("greeter", greeter={"greeting": "Hi"}))
    other = load_plugins(settings("greeter"))

    assert (stored_by(one), stored_by(other)) == (
        {"greeting": "Hi"},
        {"greeting": "Hello"},
    )


def test_a_name_that_nobody_offers_is_refused_with_a_neighbour(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter")

    assert problems_of(settings("greter")) == [
        "plugins.enabled: no such plugin: greter; did you mean greeter? (installed: greeter)"
    ]


def test_an_unknown_key_of_a_plugin_is_refused_with_a_neighbour(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter")

    assert problems_of(settings("greeter", greeter={"greting": "x"})) == [
        "plugin.greeter.greting: no such setting; did you mean greeting?"
    ]


def test_a_wrong_value_of_a_plugin_is_named(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter")
    (problem,) = problems_of(settings("greeter", greeter={"greeting": ""}))

    assert problem.startswith("plugin.greeter.greeting: String should have at least 1")


def test_settings_of_a_plugin_that_is_not_there_are_refused(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter")

    assert problems_of(settings(gretter={"greeting": "x"})) == [
        "plugin.gretter: no such plugin; did you mean greeter?"
    ]


def test_settings_of_a_plugin_that_is_switched_off_may_stay(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter")

    assert not load_plugins(settings(greeter={"greeting": "x"})).plugins


def test_a_module_that_is_given_settings_is_refused(offer) -> None:
    offer("module", MODULE)

    assert problems_of(settings("module", module={"a": 1})) == [
        "plugin.module.a: no such setting"
    ]


def test_a_plugin_that_cannot_be_imported_is_named_with_the_reason(offer) -> None:
    offer("broken", "import there_is_no_such_module")

    assert problems_of(settings("broken")) == [
        "plugin broken: cannot be loaded: ModuleNotFoundError:"
        " No module named 'there_is_no_such_module'"
    ]


def test_something_that_is_no_plugin_is_refused(offer) -> None:
    offer("number", "answer = 42", "thing_number:answer")
    (problem,) = problems_of(settings("number"))

    assert "42 is neither a module nor a subclass of Plugin" in problem


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (">=99", "plugin greeter: needs core >=99, and this is "),
        ("soon", "plugin greeter: manifest.core: "),
    ],
)
def test_a_plugin_for_another_core_is_refused(offer, wanted, problem) -> None:
    offer("greeter", GREETER.replace(">=0.1", wanted), "thing_greeter:Greeter")
    (told,) = problems_of(settings("greeter"))

    assert told.startswith(problem)


def test_two_distributions_with_one_name_are_refused(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter", "fyr-greeter")
    offer("greeter", MODULE, "thing_greeter", "other-greeter")

    assert problems_of(settings("greeter")) == [
        "plugin greeter: offered by two distributions: other-greeter and fyr-greeter"
    ]


def test_all_problems_are_told_at_once(offer) -> None:
    offer("broken", "raise OSError('disk')")

    problems = problems_of(settings("broken", "absent", nobody={}))
    assert len(problems) == 3


def test_every_file_of_the_folder_takes_part(offer, folder) -> None:
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "one.py").write_text(dedent(MODULE))
    (plugins / "two.py").write_text(dedent(GREETER))
    (plugins / "_helper.py").write_text("raise RuntimeError('not a plugin')")
    registry = load_plugins(settings(folder=plugins, two={"greeting": "Hi"}))

    assert stored_by(registry) == {"module": True, "greeting": "Hi"}
    assert [(one["name"], one["version"]) for one in registry.report()] == [
        ("one", ""),
        ("two", "7"),
    ]


def test_a_folder_that_is_not_there_is_refused(offer, folder) -> None:
    assert problems_of(settings(folder=folder / "absent")) == [
        f"plugins.folder: no such folder: {folder / 'absent'}"
    ]


def test_a_file_and_an_enabled_plugin_of_one_name_are_refused(offer, folder) -> None:
    offer("one", MODULE)
    (folder / "one.py").write_text(dedent(MODULE))

    assert problems_of(settings("one", folder=folder)) == [
        f"plugin one: offered by fyr-thing and by {folder / 'one.py'}"
    ]


def test_a_file_with_two_plugins_is_refused(offer, folder) -> None:
    twice = dedent(GREETER) + "\nclass Other(Plugin): ...\n"
    (folder / "two.py").write_text(twice)
    (problem,) = problems_of(settings(folder=folder))

    assert "more than one subclass of Plugin" in problem


def test_a_plugin_that_cannot_be_made_is_named_with_the_reason(offer, folder) -> None:
    (folder / "sick.py").write_text(
        dedent("""
        from fyr.core import Plugin

        class Sick(Plugin):
            def __init__(self, settings):
                raise KeyError("ward")
        """)
    )

    assert problems_of(settings(folder=folder)) == [
        "plugin sick: cannot be made: KeyError: 'ward'"
    ]


def test_secrets_are_masked_in_the_report(offer) -> None:
    offer("greeter", GREETER, "thing_greeter:Greeter")
    registry = load_plugins(settings("greeter", greeter={"key": "hemmeligt"}))

    (told,) = registry.report()
    assert told["settings"] == {"greeting": "Hello", "key": "**********"}
    assert "hemmeligt" not in str(registry.report())


def test_the_search_of_fyr_is_a_plugin_like_any_other() -> None:
    assert "search" in discovery.installed()
