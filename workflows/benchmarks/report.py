"""The results as people read them in a terminal, and as programs do."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from workflows.benchmarks.timing import Result

HEADINGS: Final = ("name", "ratio", "target", "", "ours", "floor", "unit", "rounds", "spread")


def as_json(results: Sequence[Result], controls: Sequence[Result]) -> str:
    """One object; the controls stand in a list of their own, where they were asked for."""
    said: dict[str, Any] = {"results": [asdict(result) for result in results]}
    if controls:
        said["controls"] = [asdict(control) for control in controls]
    return json.dumps(said, indent=1)


def as_table(results: Sequence[Result], controls: Sequence[Result]) -> str:
    """One line a result: a ratio up to its target is met. A control is the opposite: it must reach twice the target."""
    rows = [HEADINGS, *(_row(result, "met" if result.met else "MISSED") for result in results)]
    if controls:
        rows.append(("controls, which must fail:", *[""] * (len(HEADINGS) - 1)))
        rows += [_row(one, "fails, as it must" if fails(one) else "DOES NOT FAIL") for one in controls]
    widths = [max(len(row[column]) for row in rows if row[1] or not column) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            f"{word:{'<' if column in (0, 3, 6) else '>'}{width}}"
            for column, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def fails(control: Result) -> bool:
    """Whether a control misses by as much as it must, so that the benchmark is seen to measure."""
    return control.ratio >= control.target


def all_is_well(results: Sequence[Result], controls: Sequence[Result]) -> bool:
    """Whether every target is met and every control fails."""
    return all(result.met for result in results) and all(fails(control) for control in controls)


def _row(result: Result, verdict: str) -> tuple[str, ...]:
    low, high = result.spread
    return (
        result.name,
        f"{result.ratio:.2f}",
        f"{result.target:.2f}",
        verdict,
        f"{result.ours:.4g}",
        f"{result.floor:.4g}",
        result.unit,
        str(result.rounds),
        f"{low:.2f}-{high:.2f}" if result.rounds > 1 else "",
    )
