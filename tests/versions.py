"""Later versions of the policy, drafted and adopted by the real acts, for tests of what a change of rules does."""

import json
from collections.abc import Callable
from typing import Any

from governance import clock
from governance.policies.actions import adopt, begin_draft, propose, save_draft
from governance.policies.models import PolicyVersion
from tests.conftest import Institution

Change = Callable[[dict[str, Any]], None]

# Clauses that the shipped text does not have and that rules of a test may rest on.
MORE_CLAUSES = """
**7.6** Where the fee changes, the Associate Dean is asked again; where what is taught changes, the Centre is.

**7.7** A new file is seen by the Centre.

**9.9** The University may ask further questions.
"""


def adopted(institution: Institution, change: Change) -> PolicyVersion:
    """The next version of the policy, in force from today, with the rules as `change` left them."""
    assert institution.policy is not None
    drafter = institution.person("drafter")
    latest = institution.policy.policy.versions.order_by("-number").first()
    assert latest is not None
    version = begin_draft(actor=drafter, like=latest, effective_from=clock.today())
    rules = json.loads(version.rules)
    change(rules)
    text = latest.text if MORE_CLAUSES in latest.text else latest.text + MORE_CLAUSES
    version = save_draft(actor=drafter, version=version, seen=version.saves, text=text, rules=rules)
    version = propose(actor=drafter, version=version)
    return adopt(actor=institution.person("administrator"), version=version, motion="Senate minute, item 5")


def stage_of(rules: dict[str, Any], key: str) -> dict[str, Any]:
    """The stage of that key in rules as data."""
    return next(stage for stage in rules["route"] if stage["key"] == key)
