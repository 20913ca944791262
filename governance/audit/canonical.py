"""The one way data becomes bytes that are hashed: RFC 8785 canonical JSON without floats, then SHA-256.

Anyone can make the same bytes in any language and find the same digest; floats are refused because they are where
implementations differ.
"""

import hashlib
from collections.abc import Mapping, Sequence

import rfc8785

REFUSED = "only text, whole numbers, booleans, null, lists and objects have canonical bytes here, not {}"

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]


def canonical_bytes(value: Json) -> bytes:
    """The RFC 8785 form of `value`. Raises TypeError for a float or any type that JSON does not have."""
    _refuse_other_types(value)
    return rfc8785.dumps(value)


def digest(data: bytes) -> str:
    """SHA-256 of the bytes, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Json) -> str:
    """SHA-256 of the value's canonical bytes."""
    return digest(canonical_bytes(value))


def _refuse_other_types(value: object) -> None:
    if value is None or isinstance(value, bool | int | str):
        return
    if isinstance(value, list | tuple):
        for item in value:
            _refuse_other_types(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(REFUSED.format(f"a key of type {type(key).__name__}"))
            _refuse_other_types(item)
    else:
        raise TypeError(REFUSED.format(type(value).__name__))
