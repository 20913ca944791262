"""The report: a table for people, JSON for programs, and the verdicts in both."""

import json

from workflows.benchmarks.report import all_is_well, as_json, as_table
from workflows.benchmarks.timing import Result, counted

MET = Result("queue", 1.08, 1.25, 4.316, 4.0, "ms", 9, (1.01, 1.172))
MISSED = Result("decide", 2.5, 2.0, 1.25, 0.5, "ms", 11, (2.4, 2.61))
QUERIES = counted("queue-queries", 6, 6, "queries")
FAILS = Result("queue", 30.0, 2.5, 120.0, 4.0, "ms", 9, (25.0, 33.333))
PASSES = Result("decide", 3.9, 4.0, 1.95, 0.5, "ms", 9, (3.0, 4.2))


def test_table_has_a_line_a_result_with_its_verdict() -> None:
    assert as_table([MET, QUERIES, MISSED], []).splitlines() == [
        "name           ratio  target           ours  floor  unit     rounds     spread",
        "queue           1.08    1.25  met     4.316      4  ms            9  1.01-1.17",
        "queue-queries   1.00    1.00  met         6      6  queries       1",
        "decide          2.50    2.00  MISSED   1.25    0.5  ms           11  2.40-2.61",
    ]


def test_table_shows_controls_apart_and_which_of_them_do_not_fail() -> None:
    lines = as_table([MET], [FAILS, PASSES]).splitlines()
    assert lines[2:] == [
        "controls, which must fail:",
        "queue                       30.00    2.50  fails, as it must    120      4  ms         9  25.00-33.33",
        "decide                       3.90    4.00  DOES NOT FAIL       1.95    0.5  ms         9    3.00-4.20",
    ]


def test_json_gives_every_result_in_full() -> None:
    said = json.loads(as_json([MET, QUERIES], []))
    assert said == {
        "results": [
            {
                "name": "queue",
                "ratio": 1.08,
                "target": 1.25,
                "ours": 4.316,
                "floor": 4.0,
                "unit": "ms",
                "rounds": 9,
                "spread": [1.01, 1.172],
            },
            {
                "name": "queue-queries",
                "ratio": 1.0,
                "target": 1.0,
                "ours": 6,
                "floor": 6,
                "unit": "queries",
                "rounds": 1,
                "spread": [1.0, 1.0],
            },
        ]
    }
    with_controls = json.loads(as_json([MET], [FAILS]))
    assert [one["name"] for one in with_controls["controls"]] == ["queue"]


def test_all_is_well_when_targets_are_met_and_controls_fail() -> None:
    assert all_is_well([MET, QUERIES], [FAILS])
    assert not all_is_well([MET, MISSED], [FAILS])
    assert not all_is_well([MET], [FAILS, PASSES])
