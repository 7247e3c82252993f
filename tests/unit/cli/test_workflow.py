"""``fyr workflow`` as an operator types it, over a store that has something to tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from fyr.config.load import load
from fyr.config.settings import Settings
from fyr.core.app import Application, build
from fyr.core.cli import main
from fyr.core.testing.applications import client_of

Fyr = Callable[..., Result]

PLUGIN = """
from fyr.core import Issue, Machine, Schedule, Step, Timer, hookimpl


def has_owner(transition):
    if "owner" not in transition.new:
        yield Issue("business-rule", "somebody must own it", ("Task.owner",))


def is_lost(transition):
    raise KeyError("more than what is stored")


def break_off(acting, fired):
    raise RuntimeError("broken")


@hookimpl
def register_machines():
    yield Machine(
        "errand",
        "Task",
        (
            Step(None, "requested"),
            Step("requested", "accepted", by={"PRACTITIONER"}, when=(has_owner,)),
            Step("requested", "rejected"),
            Step("requested", "failed", by={"SYSTEM"}, when=(is_lost,)),
            Step("requested", None, by={"SYSTEM"}),
        ),
        schedule=Schedule(status="urn:planned"),
    )


@hookimpl
def register_timers():
    yield Timer("breaks", break_off, attempts=1)
"""
ENTRY = {
    "url": "urn:planned",
    "extension": [
        {"url": "status", "valueCode": "rejected"},
        {"url": "scheduledTime", "valueDateTime": "2999-01-01T00:00:00Z"},
    ],
}
TASK = {"resourceType": "Task", "status": "requested", "intent": "order"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "errands.py").write_text(PLUGIN)
    file = tmp_path / "fyr.toml"
    file.write_text(
        f'data_dir = "{tmp_path / "data"}"\n'
        '[store]\nurl = "sqlite:///fyr.db"\n'
        f'[plugins]\nenabled = ["search"]\nfolder = "{folder}"\n'
    )
    return file


@pytest.fixture
def fyr(config: Path) -> Fyr:
    def call(*arguments: str) -> Result:
        command = ["workflow", *arguments, "--config", str(config)]
        return CliRunner().invoke(main, command)

    return call


@pytest.fixture
def app(config: Path) -> Application:
    settings: Settings = load(config, {"security.mode": "open", "log.level": "error"})
    return build(settings)


def test_the_machines_of_a_deployment_are_listed(fyr: Fyr) -> None:
    told = fyr("list").output.split()

    assert told[:2] == ["errand", "Task"]
    assert "accepted," in told


def test_a_machine_is_drawn_for_mermaid(fyr: Fyr) -> None:
    told = fyr("draw", "errand").output.splitlines()

    assert told[0] == "stateDiagram-v2"
    assert "    [*] --> s_requested : anybody" in told
    assert "    s_requested --> s_accepted : PRACTITIONER [has owner]" in told
    assert "    s_requested --> [*] : SYSTEM" in told


def test_a_machine_is_drawn_as_svg(fyr: Fyr) -> None:
    drawing = ElementTree.fromstring(fyr("draw", "errand", "--svg").output)
    words = [one.text for one in drawing.iter("{http://www.w3.org/2000/svg}text")]

    assert {"(new)", "requested", "accepted", "failed", "(deleted)"} <= set(words)
    assert "2  requested → accepted: PRACTITIONER [has owner]" in words


def test_a_machine_that_nobody_offers_is_told_with_one_like_it(fyr: Fyr) -> None:
    told = fyr("draw", "erand")

    assert told.exit_code == 2
    assert "no machine is named erand" in told.output
    assert "errand" in told.output.replace("erand", "")
    assert "fyr workflow list names them" in fyr("draw", "x").output


def test_a_task_is_explained_with_what_is_to_be_done(
    fyr: Fyr, app: Application
) -> None:
    task = {**TASK, "description": "Look at the pulse"}
    identity = client_of(app).create(task).json["id"]
    app.close()

    told = fyr("explain", f"Task/{identity}").output.splitlines()
    assert told[0] == f"Task/{identity} (Look at the pulse), version 1"


@pytest.mark.parametrize("command", [("list",), ("draw", "task")])
def test_a_deployment_without_machines_says_so(
    config: Path, fyr: Fyr, command: tuple[str, ...]
) -> None:
    (config.parent / "plugins" / "errands.py").unlink()

    assert "no plugin of this configuration has any" in fyr(*command).output


def test_where_a_resource_stands_is_explained(fyr: Fyr, app: Application) -> None:
    identity = client_of(app).create({**TASK, "extension": [ENTRY]}).json["id"]
    app.close()

    told = fyr("explain", f"Task/{identity}").output.splitlines()
    assert told == [
        f"Task/{identity}, version 1",
        "  errand        requested",
        "    may become  accepted           by PRACTITIONER",
        "                  not now: somebody must own it (Task.owner)",
        "    may become  rejected           by PATIENT, PRACTITIONER, SSL, SYSTEM",
        "    may become  failed             by SYSTEM",
        "                  not now: a guard cannot be asked without the write (KeyError)",
        "    may become  deleted            by SYSTEM",
        "  planned       rejected at 2999-01-01T00:00:00.000Z",
        f"  timer         workflow-schedule  Task/{identity}  2999-01-01T00:00:00.000Z",
    ]


def test_what_may_come_next_is_explained_for_one_type_of_user(
    fyr: Fyr, app: Application
) -> None:
    code = {"text": "Iltmætning", "coding": [{"code": "NPU03011"}]}
    identity = client_of(app).create({**TASK, "code": code}).json["id"]
    app.close()

    told = fyr("explain", f"Task/{identity}", "--for", "practitioner").output
    assert told.splitlines() == [
        f"Task/{identity} (Iltmætning), version 1",
        "  errand        requested",
        "    may become  accepted           by PRACTITIONER",
        "                  not now: somebody must own it (Task.owner)",
        "    may become  rejected           by PRACTITIONER",
    ]
    assert "nothing may follow" not in told
    assert fyr("explain", f"Task/{identity}", "--for", "anybody").exit_code == 2


def test_a_resource_of_no_machine_and_one_that_is_not_there_are_told(
    fyr: Fyr, app: Application
) -> None:
    stored = client_of(app).create({"resourceType": "Patient"}).json
    client_of(app).delete(f"Patient/{stored['id']}")
    kept = client_of(app).create({"resourceType": "Patient"}).json
    app.close()

    assert "No state machine" in fyr("explain", f"Patient/{kept['id']}").output
    gone, never = fyr("explain", f"Patient/{stored['id']}"), fyr("explain", "Task/x")
    assert (gone.exit_code, never.exit_code) == (1, 1)
    assert "has been deleted" in gone.output
    assert "no Task/x" in never.output


def test_a_resource_is_explained_by_its_url_and_by_a_version(
    fyr: Fyr, app: Application
) -> None:
    task = f"Task/{client_of(app).create(TASK).json['id']}"
    server = app.settings.server
    base = f"http://{server.host}:{server.port}/fhir"
    app.close()

    for named in (f"{task}/_history/1", f"{base}/{task}", f"{base}/{task}/_history/1"):
        told = fyr("explain", named)
        assert told.exit_code == 0, told.output
        assert told.output.startswith(f"{task}, version 1")


@pytest.mark.parametrize(
    "named", ["http://example.org/fhir/Task/1", "Task", "Task/1/_history", "Tusk/1"]
)
def test_what_names_no_resource_is_told_how_one_is_named(
    fyr: Fyr, app: Application, named: str
) -> None:
    app.close()

    told = fyr("explain", named)

    assert told.exit_code == 1
    assert f"no {named}: name a resource of this server, such as Task/1" in told.output


def test_timers_are_counted_and_what_was_given_up_is_tried_again(
    fyr: Fyr, app: Application
) -> None:
    now = app.clock()
    app.database.write(lambda s: app.timers.arm(s, "breaks", "Task/1", now))
    app.worker().drain()
    (failed,) = app.timers.given_up()
    app.close()
    assert "breaks                              0 wait, 0 late (0 s), 1 given up" in (
        fyr("timers").output
    )
    assert f"{failed.id}  breaks  Task/1" in fyr("timers", "--failed").output
    assert "RuntimeError: broken" in fyr("timers", "--failed").output

    some = fyr("retry", "nobody", failed.id)
    assert some.exit_code == 1
    assert some.output.splitlines() == [
        "1 will fire again.",
        "Error: no timer that was given up has the id nobody",
    ]
    assert fyr("timers", "--failed").output == ""
    assert fyr("retry", failed.id).exit_code == 1
    assert "1 wait, 1 late" in fyr("timers").output


def test_what_is_explained_says_which_privileges_each_user_needs(
    tmp_path: Path,
) -> None:
    enabled = '"search", "administrative", "clinical", "access_control"'
    config = tmp_path / "fyr.toml"
    config.write_text(
        f'data_dir = "{tmp_path / "data"}"\n'
        f"[plugins]\nenabled = [{enabled}]\n"
        "[plugin.access_control]\ndevelopment = true\n"
    )
    settings = load(config, {"security.mode": "open", "log.level": "error"})
    application = build(settings)
    plan = {"resourceType": "CarePlan", "id": "1", "status": "draft", "intent": "plan"}
    plan["subject"] = {"reference": "Patient/1"}
    client_of(application).update(plan)
    application.close()

    command = ["workflow", "explain", "CarePlan/1", "--config", str(config)]
    told = CliRunner().invoke(main, command).output.splitlines()
    systems = CliRunner().invoke(main, [*command, "--for", "system"]).output

    assert (
        "  access        update at careplan by PRACTITIONER: CarePlan.update, if episode"
        " team-on-plan lists responsibility"
    ) in told
    assert "  access        patch at fhir by SYSTEM: CarePlan.patch" in told
    assert "  no access     SSL" in told
    assert (
        "  access        $update-care-teams at careplan by PRACTITIONER:"
        " CarePlan$update-care-teams, if episode team-on-plan"
    ) in told
    # What changes nothing is not told, nor who may not call.
    assert not any("$suggest-care-teams" in line for line in told)
    assert not any("$update-care-teams" in line and "SSL" in line for line in told)
    assert "PRACTITIONER:" not in systems
    assert "update at careplan by SYSTEM: CarePlan.update" in systems
