"""Saving a part of a draft: what says the same is not saved again, and a file that still says the same is kept."""

import json
from collections.abc import Mapping
from typing import Any

from governance.audit.canonical import canonical_bytes
from governance.people.models import User
from governance.policies.actions import save_draft
from governance.policies.editing.queries import Draft
from governance.policies.models import PolicyVersion


def save(
    draft: Draft, *, actor: User, text: str | None = None, rules: Mapping[str, Any] | None = None
) -> PolicyVersion:
    """Save the text or the rules where they differ from what is saved. Raises Stale when somebody saved it since it
    was read."""
    if text == draft.text:
        text = None
    if rules is not None and _same(rules, draft.data):
        rules = None
    if text is None and rules is None:
        return draft.version
    return save_draft(actor=actor, version=draft.version, seen=draft.version.saves, text=text, rules=rules)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return canonical_bytes(json.loads(json.dumps(one))) == canonical_bytes(json.loads(json.dumps(other)))
