"""The drawn route shows every stage with its words inside its box, and says the same in a list."""

import pytest
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.policies.drawing import NARROW, WIDE, Box, Drawing, Layout, broken, drawing_of, width_of
from governance.policies.resolve import resolve
from governance.policies.rules import Rules
from governance.policies.vocabulary import Facts, Kind, Level, UnitPlace
from tests.governance.policies.generated import FACTS, UNITS, rule_sets
from tests.governance.policies.rich import full, typed

RICH = typed(full())
FACULTY = UnitPlace(code="HSCI", kind="faculty")
GRADUATE = Facts(kind=Kind.ACADEMIC, level=Level.GRADUATE, hours=48, weeks=6)
SHORT = Facts(kind=Kind.NON_ACADEMIC, level=Level.PROFESSIONAL, hours=6, weeks=1)


def words_of(box: Box) -> str:
    return " ".join(line.words for line in box.lines)


def layouts(drawing: Drawing) -> dict[str, Layout]:
    return {layout.name: layout for layout in drawing.layouts}


def test_the_route_in_words() -> None:
    assert [(step.label, step.words) for step in drawing_of(RICH).steps] == [
        ("Dean", "recommends for every proposal; 10 working days"),
        (
            "Graduate Council",
            "recommends where academic credit is asked for; advises in all other cases; it has a part only where the "
            "level is graduate or continuing and professional, and either the number of contact hours is at least 40 "
            "or the number of weeks is at least 6; side by side with “Library”; 15 working days",
        ),
        ("Library", "advises on every proposal; side by side with “Graduate Council”; 15 working days"),
        ("Senate", "decides for every proposal; 20 working days; by vote, with a quorum of 20; mandatory"),
    ]


def test_boxes_say_in_words_what_their_looks_say() -> None:
    boxes = layouts(drawing_of(RICH))["wide"].boxes
    assert [box.look for box in boxes] == ["recommend", "recommend", "advise", "decide"]
    assert words_of(boxes[0]) == "1. Dean Recommends for every proposal 10 working days"
    assert words_of(boxes[3]).startswith("4. Senate Decides for every proposal 20 working days; by vote")


def test_stages_of_one_wave_stand_side_by_side_and_on_a_phone_one_below_the_other() -> None:
    drawn = layouts(drawing_of(RICH))
    _dean, council, library, senate = drawn["wide"].boxes
    assert council.y == library.y and council.height == library.height
    assert council.x + council.width < library.x
    assert senate.y > council.y + council.height
    _dean, council, library, _senate = drawn["narrow"].boxes
    assert council.x == library.x and library.y > council.y + council.height
    for layout in drawn.values():
        assert [words_of(frame) for frame in layout.frames] == ["Side by side"]
        assert len(layout.dots) == 3


def test_a_wave_that_a_proposal_may_pass_over_hangs_on_an_empty_dot() -> None:
    def dots(rules: Rules) -> list[bool]:
        return [dot.full for dot in layouts(drawing_of(rules))["wide"].dots]

    data = full()
    data["route"][2]["when"] = data["route"][1]["when"]
    assert dots(RICH) == [True, True, True]
    assert dots(typed(data)) == [True, False, True]


def test_an_example_marks_what_it_passes_and_what_is_not_for_it() -> None:
    drawing = drawing_of(RICH, resolve(RICH, SHORT, FACULTY))
    assert drawing.is_example
    assert [step.passed for step in drawing.steps] == [True, False, True, True]
    assert drawing.passed_count == 3
    council = drawing.steps[1]
    assert council.words.startswith("not for this proposal; recommends where")
    boxes = layouts(drawing)["narrow"].boxes
    assert [box.look for box in boxes] == ["recommend is-passed", "skipped", "advise is-passed", "decide is-passed"]
    assert words_of(boxes[1]).startswith("2. Graduate Council Not for this proposal")


def test_an_example_says_which_of_its_effects_a_stage_has() -> None:
    drawing = drawing_of(RICH, resolve(RICH, GRADUATE, FACULTY))
    assert [step.passed for step in drawing.steps] == [True] * 4
    assert drawing.steps[1].part == "recommends"


def test_without_an_example_nothing_is_marked() -> None:
    drawing = drawing_of(RICH)
    assert (drawing.is_example, drawing.passed_count) == (False, 0)
    assert not any("is-passed" in box.look for layout in drawing.layouts for box in layout.boxes)


@given(rules=rule_sets(), facts=FACTS, unit=UNITS, with_example=st.booleans())
@settings(max_examples=60, deadline=None)
def test_everything_stands_in_its_place(rules: Rules, facts: Facts, unit: UnitPlace, with_example: bool) -> None:
    route = resolve(rules, facts, unit) if with_example else None
    drawing = drawing_of(rules, route)
    assert [step.label for step in drawing.steps] == [stage.label for stage in rules.route]
    if route is not None:
        assert [step.stage.key for step in drawing.steps if step.passed] == [stage.key for stage in route.stages]
    for layout, width in zip(drawing.layouts, (WIDE, NARROW), strict=True):
        assert len(layout.boxes) == len(rules.route)
        assert layout.width == width
        for box in (*layout.boxes, *layout.frames):
            assert box.x > 0 and box.x + box.width < width
            assert box.y > 0 and box.y + box.height < layout.height
            assert all(box.x < line.x and box.y < line.y < box.y + box.height for line in box.lines)
        for at, box in enumerate(layout.boxes):
            for other in layout.boxes[at + 1 :]:
                apart = box.x + box.width < other.x or box.y + box.height < other.y
                assert apart, "boxes overlap"


@given(words=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200), width=st.integers(60, 500))
def test_broken_lines_fit_and_lose_nothing(words: str, width: int) -> None:
    lines = list(broken(words, width, "name"))
    assert "".join("".join(lines).split()) == "".join(words.split())
    assert all(width_of(line, "name") <= width for line in lines)


# ---- the page's part


@pytest.fixture
def html() -> str:
    return render_to_string("policies/route_drawing.html", {"drawing": drawing_of(RICH), "name": "r"})


def test_a_drawing_is_an_image_with_a_name_and_a_description(html: str) -> None:
    assert html.count('role="img"') == 2
    for layout in ("wide", "narrow"):
        assert f'aria-labelledby="r-{layout}-t r-{layout}-d"' in html
        assert f'<title id="r-{layout}-t">The route of version 3</title>' in html
        assert f'<desc id="r-{layout}-d">4 stages in 3 steps, one below the other.' in html


def test_a_drawing_is_followed_by_the_same_in_words(html: str) -> None:
    ordered = html.partition("<ol>")[2]
    assert ordered.count("<li>") == 4
    assert "<strong>Dean:</strong> recommends for every proposal; 10 working days." in ordered
