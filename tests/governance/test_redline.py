"""The redline is honest: without its deletions it is the new text, without its insertions the old one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.redline import Mark, compare, paired

WORDS = st.text(alphabet=st.sampled_from("aabc dé’\n\t.,-<&\U0001f600́"), max_size=60) | st.text(max_size=60)


@given(old=WORDS, new=WORDS)
@settings(max_examples=400, deadline=None)
def test_marked_text_holds_both_texts_word_for_word(old: str, new: str) -> None:
    marked = compare(old, new)
    assert (marked.old, marked.new) == (old, new)
    assert marked.changed == (old != new)


@given(text=WORDS, put_in=WORDS, at=st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_marked_text_holds_both_texts_when_one_grew_out_of_the_other(text: str, put_in: str, at: int) -> None:
    new = text[:at] + put_in + text[at:]
    marked = compare(text, new)
    assert (marked.old, marked.new) == (text, new)


def test_words_are_compared_whole() -> None:
    marked = compare("Understand a plan for a data set.", "Design and defend a plan for a data set, under PHIPA.")
    assert [(run.mark.value, run.text) for run in marked.runs] == [
        ("del", "Understand"),
        ("ins", "Design and defend"),
        ("", " a plan for a data set"),
        ("ins", ", under PHIPA"),
        ("", "."),
    ]
    assert list(marked.replacements) == [("Understand", "Design and defend"), ("", ", under PHIPA")]


@given(old=st.lists(st.integers(0, 9), unique=True), new=st.lists(st.integers(0, 9), unique=True))
def test_paired_items_hold_both_lists(old: list[int], new: list[int]) -> None:
    pairs = paired(old, new, identity=lambda item: item)
    assert [now for _before, now in pairs if now is not None] == new
    assert sorted(before for before, _now in pairs if before is not None) == sorted(old)
    assert all(before == now for before, now in pairs if before in new and now in old)


def test_removed_item_stands_after_the_one_it_followed() -> None:
    assert paired(["a", "b", "c"], ["a", "c"], identity=lambda item: item) == [("a", "a"), ("b", None), ("c", "c")]
    assert paired(["a", "b"], ["b"], identity=lambda item: item) == [("a", None), ("b", "b")]


def test_marks_are_the_elements_that_say_so() -> None:
    assert {mark.value for mark in Mark} == {"", "ins", "del"}
