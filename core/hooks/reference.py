"""The hook reference, ``docs/hooks.md``, made of the specifications' docstrings."""

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fyr.core.hooks.markers import Answer, Moment, Policy, Rule
from fyr.core.hooks.specs import RULES, SPECIFICATIONS

_MOMENTS = {
    Moment.START: "When the server starts",
    Moment.REQUEST: "On the way of a request",
    Moment.EVENT: "After the commit",
    Moment.COMMAND: "For a command",
}
_POLICIES = {
    Policy.ABORT: "*abort*: an exception ends it",
    Policy.ISOLATE: "*isolate*: a failure is logged and counted, the others are asked",
    Policy.SWALLOW: "*swallow*: nothing that is raised goes anywhere",
}
_ANSWERS = {
    Answer.NONE: "",
    Answer.FIRST: "the first answer counts",
    Answer.COLLECT: "all answers are joined",
}
_ROLE = re.compile(r":\w+:`~?([^`]+)`")


def reference(examples: Path) -> str:
    """Write all hooks as Markdown, in the order of their specifications.

    :param examples: a plugin that implements every hook; each is shown.
    """
    shown = examples_in(examples)
    parts = [_table()]
    moment = None
    for name, rule in RULES.items():
        if rule.moment is not moment:
            moment = rule.moment
            parts.append(f"## {_MOMENTS[moment]}")
        parts.append(_hook(name, rule, shown[name]))
    return "\n\n".join(parts)


def examples_in(file: Path) -> Mapping[str, str]:
    """Tell the source of each hook that a file implements."""
    source = file.read_text(encoding="utf-8")
    return {
        node.name: _with_decorators(source, node)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name in RULES
    }


def _with_decorators(source: str, function: ast.FunctionDef) -> str:
    first = function.decorator_list[0].lineno
    return "\n".join(source.splitlines()[first - 1 : function.end_lineno])


def _table() -> str:
    rows = ["| hook | what an implementation does | policy |", "|---|---|---|"]
    for name, rule in RULES.items():
        sentence = _markdown(_specification(name)).split("\n\n")[0].replace("\n", " ")
        rows.append(f"| [`{name}`](#{name}) | {sentence} | {rule.policy} |")
    return "\n".join(rows)


def _hook(name: str, rule: Rule, example: str) -> str:
    words = [_POLICIES[rule.policy]]
    if rule.answer is Answer.REPLACE:
        words.append(f"an answer takes the place of `{rule.replaces}`")
    elif _ANSWERS[rule.answer]:
        words.append(_ANSWERS[rule.answer])
    text, parameters = _divided(_markdown(_specification(name)))
    parts = [
        f"### {name}",
        _call(name),
        text,
        f"Policy {'; '.join(words)}.",
        parameters,
        f"```python\n{example}\n```",
    ]
    return "\n\n".join(part for part in parts if part)


def _specification(name: str) -> Callable[..., Any]:
    specification = SPECIFICATIONS[name]
    return specification


def _call(name: str) -> str:
    signature = inspect.signature(_specification(name))
    arguments = [str(one).replace("'", "") for one in signature.parameters.values()]
    answer = str(signature.return_annotation)
    line = f"def {name}({', '.join(arguments)}) -> {answer}"
    if len(line) > 88:
        inside = "".join(f"    {argument},\n" for argument in arguments)
        line = f"def {name}(\n{inside}) -> {answer}"
    return f"```python\n{line}\n```"


def _markdown(specification: Callable[..., Any]) -> str:
    """Turn a docstring's roles and literals into Markdown."""
    text = inspect.getdoc(specification) or ""
    text = _ROLE.sub(lambda found: f"`{found[1].rpartition('.')[2]}`", text)
    return text.replace("``", "`")


def _divided(text: str) -> tuple[str, str]:
    """Part a docstring into its text and its parameters, a list item each."""
    body, *fields = re.split(r"\n+(?=:param )", text)
    items = [
        re.sub(r"^:param (\w+):", r"- `\1`:", " ".join(field.split()))
        for field in fields
        if field.startswith(":param ")
    ]
    return body, "\n".join(items)
