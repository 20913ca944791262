"""What changed between two submissions, section by section: nothing is left out, and nothing is marked that stayed."""

from typing import Any

import pytest

from tests.samples import complete_content
from workflows.proposals.blocks import Matrix, Numbered, Shape
from workflows.proposals.content import FURTHER, SECTIONS, Content
from workflows.proposals.display import section, sections


def content(**changes: dict[str, Any]) -> Content:
    data = complete_content()
    for key, fields in changes.items():
        data[key] = data[key] | fields
    return Content.model_validate(data)


def test_unchanged_document_marks_nothing() -> None:
    views = sections(content(), content())
    assert [view.key for view in views] == [key for key in SECTIONS if key != FURTHER]
    assert not any(view.changed or view.changes or view.added_words for view in views)


def test_every_answer_of_a_document_is_shown() -> None:
    shown = repr(sections(content(), files=[{"name": "letter.pdf", "digest": "ab", "size": 3}]))
    for words in ("Captioned sessions", "Letter grade", "11 January 2027", "Ingrid Solberg", "letter.pdf", "51.0706"):
        assert words in shown


def test_outcome_rewritten_added_and_removed() -> None:
    was = content()
    o1, _o2, o3 = ({"key": outcome.key, "text": outcome.text} for outcome in was.outcomes.outcomes)
    now = content(
        outcomes={"outcomes": [o1 | {"text": "Draw where health data is kept."}, o3, {"key": "o4", "text": "New."}]}
    )
    block = section("outcomes", now, was).blocks[0]
    assert isinstance(block, Numbered)
    assert [(number, words.new, words.old[:9]) for number, words in block.items] == [
        (1, "Draw where health data is kept.", "Map where"),
        (None, "", "Judge the"),
        (2, o3["text"], "Defend a "),
        (3, "New.", ""),
    ]


def test_matrix_cells_are_compared() -> None:
    was = content()
    cells = [
        {"outcome": "o1", "assessment": "a1", "coverage": "A"},
        {"outcome": "o2", "assessment": "a2", "coverage": "A"},
    ]
    view = section("assessment", content(assessment={"alignment": cells}), was)
    matrix = next(block for block in view.blocks if block.shape is Shape.MATRIX)
    assert isinstance(matrix, Matrix)
    assert [[(cell.now, cell.was, cell.mark.value) for cell in row.cells] for row in matrix.rows] == [
        [("A", "", ""), ("", "", "")],
        [("", "A", "del"), ("A", "D", "ins")],
        [("", "", ""), ("", "A", "del")],
    ]
    assert matrix.open_outcomes == (3,)
    assert view.changed_cells == 3
    assert "Outcome 2 by Oral defence: Developed was replaced by Assessed." in view.changes


def test_list_items_are_compared_by_what_they_are_called() -> None:
    was = content()
    library = was.as_json()["partners"]["consultations"][0]
    faculty = library | {"unit": "Faculty of Education", "answer": "They agree."}
    view = section("partners", content(partners={"consultations": [faculty, library | {"answer": "No overlap."}]}), was)
    assert view.changes == (
        "Units consulted: “Faculty of Education” was added.",
        "Library, What they answered: “; the library offers two sessions” was removed.",
    )


def test_short_answers_are_replaced_as_a_whole_and_files_compared_by_digest() -> None:
    was, now = content(), content(delivery={"mode": "blended", "hours": 40})
    assert section("delivery", now, was).changes == (
        "Delivery: “Online, at set times” was replaced by “Blended”.",
        "Contact hours: “36” was replaced by “40”.",
    )
    old = [{"name": "a.pdf", "digest": "1", "size": 1}, {"name": "b.pdf", "digest": "2", "size": 2}]
    new = [old[0], {"name": "b.pdf", "digest": "3", "size": 2}]
    view = sections(now, now, files=new, base_files=old)[-1]
    assert (view.changed, view.changes) == (True, ("“b.pdf” was added.", "“b.pdf” was removed."))


@pytest.mark.parametrize("key", [key for key in SECTIONS if key != FURTHER])
def test_section_taken_back_to_empty_is_all_removed(key: str) -> None:
    view = section(key, Content(), content())
    assert view.changed
    assert view.added_words == 0
    assert view.changes
