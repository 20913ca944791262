"""Dates written out read as a person of the language writes them."""

from datetime import date

import pytest
from django.utils.translation import override

from governance.dates import in_full


@pytest.mark.parametrize(
    ("language", "day", "words"),
    [
        ("en-ca", date(2025, 7, 1), "1 July 2025"),
        ("en-ca", date(2025, 7, 21), "21 July 2025"),
        ("fr-ca", date(2025, 7, 1), "1er juillet 2025"),
        ("fr-ca", date(2025, 7, 21), "21 juillet 2025"),
    ],
)
def test_a_day_in_full(language: str, day: date, words: str) -> None:
    with override(language):
        assert in_full(day) == words
