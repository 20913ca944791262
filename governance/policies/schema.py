"""The JSON Schema of a policy version's rules, for editors that complete and check YAML as one types.

It says which words and shapes there are; what a schema cannot say, such as that a clause exists, `manage.py policy
check` says.
"""

import json
from typing import Any, Final

from governance.policies.rules import Rules

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema of the whole document."""
    found: dict[str, Any] = _on_one_line(Rules.model_json_schema(by_alias=True))
    return {"$schema": DIALECT} | found


def schema_text() -> str:
    """The schema as the file that is published, `docs/policy-rules.schema.json`."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def _on_one_line(value: Any) -> Any:
    """The descriptions come from the code, where they are broken into lines."""
    if isinstance(value, dict):
        return {
            key: " ".join(inner.split()) if key == "description" and isinstance(inner, str) else _on_one_line(inner)
            for key, inner in value.items()
        }
    return [_on_one_line(inner) for inner in value] if isinstance(value, list) else value
