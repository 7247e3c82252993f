"""The reference of the rule language in ``docs/rules.md``, made of its models."""

from __future__ import annotations

import json

from fyr.plugins.rules.language import Rules


def schema() -> str:
    """Write the JSON schema of a source, as a block of Markdown."""
    told = json.dumps(Rules.model_json_schema(by_alias=True), indent=2)
    return f"```json\n{told}\n```"
