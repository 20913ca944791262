"""What changed in a section, said in sentences for somebody who does not see the marks.

Example: "Fee, dollars: “950” was replaced by “990”." Pure functions over blocks.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from governance.redline import Mark, Marked
from workflows.proposals.blocks import Block, Entries, Facts, Files, Matrix, Numbered, Prose
from workflows.proposals.content import Coverage


def texts_of(block: Block) -> Iterable[tuple[str, Marked]]:
    """Every text of a block with the question that it answers."""
    match block:
        case Facts(facts):
            yield from ((fact.label, fact.words) for fact in facts)
        case Prose(label, words):
            yield label, words
        case Numbered(label, items):
            for number, words in items:
                yield _("%(list)s, %(number)s") % {"list": label, "number": number} if number else label, words
        case Entries(label, entries):
            for entry in entries:
                yield label, entry.title
                yield from ((fact.label, fact.words) for fact in entry.facts)
                yield from ((prose.label, prose.words) for prose in entry.prose)


def changes_in(block: Block) -> Iterable[str]:
    if isinstance(block, Entries):
        yield from _entry_changes(block)
    elif isinstance(block, Matrix):
        yield from _cell_changes(block)
    elif isinstance(block, Files):
        for file in block.files:
            if file.mark is not Mark.SAME:
                yield _added_or_removed(file.mark, file.name)
    else:
        for label, words in texts_of(block):
            yield from _word_changes(label, words)


def _entry_changes(block: Entries) -> Iterable[str]:
    for entry in block.entries:
        name = entry.title.new or entry.title.old or block.label
        if entry.mark is not Mark.SAME:
            yield _labelled(block.label, _added_or_removed(entry.mark, name))
            continue
        yield from _word_changes(block.label, entry.title)
        answers = [(fact.label, fact.words) for fact in entry.facts]
        answers += [(prose.label, prose.words) for prose in entry.prose]
        for label, words in answers:
            yield from _word_changes(_("%(item)s, %(field)s") % {"item": name, "field": label}, words)


def _cell_changes(block: Matrix) -> Iterable[str]:
    for row in block.rows:
        for column, cell in zip(block.columns, row.cells, strict=True):
            if cell.mark is Mark.SAME:
                continue
            words = {
                "outcome": row.number or _shortened(row.text),
                "assessment": column.title,
                "now": Coverage(cell.now).label if cell.now else "",
                "was": Coverage(cell.was).label if cell.was else "",
            }
            if not cell.was:
                yield _("Outcome %(outcome)s by %(assessment)s: %(now)s was added.") % words
            elif not cell.now:
                yield _("Outcome %(outcome)s by %(assessment)s: %(was)s was removed.") % words
            else:
                yield _("Outcome %(outcome)s by %(assessment)s: %(was)s was replaced by %(now)s.") % words


def _word_changes(label: str, words: Marked) -> Iterable[str]:
    for removed, added in words.replacements:
        said = {"old": _shortened(removed), "new": _shortened(added)}
        if said["old"] and said["new"]:
            sentence = _("“%(old)s” was replaced by “%(new)s”.") % said
        elif said["new"]:
            sentence = _("“%(new)s” was added.") % said
        elif said["old"]:
            sentence = _("“%(old)s” was removed.") % said
        else:
            sentence = _("The line breaks changed.")
        yield _labelled(label, sentence)


def _labelled(label: str, sentence: str) -> str:
    return _("%(label)s: %(words)s") % {"label": label, "words": sentence}


def _added_or_removed(mark: Mark, name: str) -> str:
    said = {"name": _shortened(name)}
    return (_("“%(name)s” was added.") if mark is Mark.ADDED else _("“%(name)s” was removed.")) % said


def _shortened(text: str, words: int = 40) -> str:
    """The text in one line, cut after so many words."""
    found = text.split()
    return " ".join(found[:words]) + (" …" if len(found) > words else "")
