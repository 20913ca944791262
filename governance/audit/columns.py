"""What an event's columns repeat of its body, for lists to filter on: one rule each, which a verifier follows too."""

from collections.abc import Mapping
from typing import Any, Final

OF_BODY: Final = "body/"
OF_POLICY: Final = "policy."


def body_code(facts: Mapping[str, Any]) -> str:
    """Code of the body that the event is about or was done for; empty where there is none."""
    seat = (facts["after"] or {}).get("seat")
    subject: str = facts["subject"]
    return str(seat) if seat else subject.removeprefix(OF_BODY) if subject.startswith(OF_BODY) else ""


def policy_version(facts: Mapping[str, Any]) -> str:
    """Label of the law that the act rests on, or of the version that it is about; empty where there is none."""
    about = (facts["after"] or {}).get("policy") if str(facts["verb"]).startswith(OF_POLICY) else None
    return str(facts["policy_version"] or about or "")
