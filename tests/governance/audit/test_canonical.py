"""Canonical bytes are those of RFC 8785, and types that would not be the same everywhere are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.audit.canonical import canonical_bytes, digest_of

words = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1) | words,
    lambda inner: st.lists(inner) | st.dictionaries(words, inner),
)


@given(values)
def test_reading_back_gives_the_value(value: object) -> None:
    assert json.loads(canonical_bytes(value)) == value  # type: ignore[arg-type]


def test_order_and_spaces_do_not_matter() -> None:
    assert canonical_bytes({"b": 1, "a": [True, None, "é"]}) == '{"a":[true,null,"é"],"b":1}'.encode()
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [1.5, {"a": 0.1}, {1: "a"}, {"a"}, b"bytes", [object()]])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="canonical bytes"):
        canonical_bytes(value)  # type: ignore[arg-type]
