"""How a person's data stands in the record without being in it: as a commitment, HMAC-SHA-256 under a salt.

Who has the salt and the value can show that the record meant this name. Once both are destroyed nobody can, not by
trying every name there is either; and the events, their hashes and every proof stay as they were.
"""

import hashlib
import hmac
from typing import Any, Final

from governance.audit.canonical import Json

HIDDEN: Final = "commitment"


def commitment(salt: bytes, value: str) -> str:
    """64 hexadecimal digits that stand for the value."""
    return hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()


def hidden(salt: bytes, value: str) -> Json:
    """The value as an event holds it; what is empty, and what has no salt because it is no person's, stays as it is."""
    return {HIDDEN: commitment(salt, value)} if salt and value else value


def is_hidden(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {HIDDEN}


def hidden_in(value: Any) -> list[str]:
    """Every commitment in an event, or a part of one."""
    if is_hidden(value):
        return [value[HIDDEN]]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for part in parts for found in hidden_in(part)]
