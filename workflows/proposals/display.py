"""A content document as typed blocks that a page can draw, section by section, with what changed since an earlier one.

Example: the section "Learning outcomes" is one numbered list; beside the submission before, its fourth item is marked
as rewritten. Pure functions over content: no database, no HTML.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

from django.utils.translation import gettext as _

from governance.dates import in_full
from governance.policies.vocabulary import AnswerKind
from governance.redline import Item, Mark, Marked, Run, compare, count_words, paired, plain, replaced
from workflows.proposals.blocks import (
    Block,
    Cell,
    Entries,
    Entry,
    Fact,
    Facts,
    File,
    Files,
    Matrix,
    MatrixColumn,
    MatrixRow,
    Numbered,
    Prose,
    SectionView,
)
from workflows.proposals.changes import changes_in, texts_of
from workflows.proposals.content import (
    FIELDS,
    FURTHER,
    SECTIONS,
    YES,
    Assessment,
    Consultation,
    Content,
    Coverage,
    Evidence,
    FieldSpec,
    Further,
    FurtherAnswer,
    LearningOutcome,
    Part,
    Partner,
    Skill,
    Supporter,
    fields_of,
)

FILES: Final = "files"
# The field that a person calls an item of a list by.
NAMED_BY: Final[dict[type[Part], str]] = {
    Evidence: "title",
    Supporter: "name",
    Skill: "name",
    Assessment: "title",
    Partner: "name",
    Consultation: "unit",
}


# ---- sections


def sections(
    content: Content,
    base: Content | None = None,
    *,
    files: Sequence[Mapping[str, Any]] = (),
    base_files: Sequence[Mapping[str, Any]] | None = None,
) -> list[SectionView]:
    """Every section of a document and last its files, with what changed since `base` where one is given."""
    answered = content.further.answers or (base is not None and base.further.answers)
    views = [section(key, content, base) for key in SECTIONS if key != FURTHER or answered]
    number = len(views) + 1
    changed = base is not None and list(files) != list(base_files or ())
    if files or changed:
        block = _files(files, base_files if base is not None else None)
        views.append(_summed_up(FILES, number, _("Files"), (block,), changed=changed))
    return views


def section(key: str, content: Content, base: Content | None = None) -> SectionView:
    """One section of a document, with what changed in it since `base` where one is given."""
    new = content.section(key)
    old = None if base is None else base.section(key)
    blocks = tuple(_blocks(key, content, base))
    return _summed_up(key, list(SECTIONS).index(key) + 1, str(SECTIONS[key][0]), blocks, changed=old not in (None, new))


def how_many_sections(shown: Collection[str]) -> int:
    """The sections that a submission can change, files included; further questions count only where they are shown."""
    return len(SECTIONS) + (FURTHER in shown)


def label_of(key: str) -> str:
    """What people call a section."""
    return _("Files") if key == FILES else str(SECTIONS[key][0])


def label_of_field(path: str) -> str:
    """What people call a field, given by a path such as `resources.fee`; else the section that it stands in."""
    spec = FIELDS.get(path)
    return str(spec.says.label) if spec is not None else label_of(path.partition(".")[0])


def _summed_up(key: str, number: int, label: str, blocks: tuple[Block, ...], *, changed: bool) -> SectionView:
    if not changed:
        return SectionView(key=key, number=number, label=label, blocks=blocks, changed=False)
    texts = [words for block in blocks for _label, words in texts_of(block)]
    return SectionView(
        key=key,
        number=number,
        label=label,
        blocks=blocks,
        changed=True,
        added_words=sum(count_words(run.text) for text in texts for run in text.runs if run.mark is Mark.ADDED),
        removed_words=sum(count_words(run.text) for text in texts for run in text.runs if run.mark is Mark.REMOVED),
        changed_cells=sum(block.changed_cells for block in blocks if isinstance(block, Matrix)),
        changes=tuple(sentence for block in blocks for sentence in changes_in(block)),
    )


def _blocks(key: str, content: Content, base: Content | None) -> Iterable[Block]:
    """The blocks of a section in the document's order; short answers that follow each other stand together."""
    if key == FURTHER:
        yield from _further(content.further, base.further if base is not None else None)
        return
    new = content.section(key)
    old = base.section(key) if base is not None else None
    for is_short, specs in groupby(fields_of(type(new), key), key=_is_short):
        if is_short:
            facts = tuple(fact for spec in specs if (fact := _fact(spec, new, old)) is not None)
            if facts:
                yield Facts(facts)
            continue
        for spec in specs:
            block = _long_block(spec, content, base, new, old)
            if block is not None:
                yield block


def _is_short(spec: FieldSpec) -> bool:
    return spec.item is None and not spec.says.long


def _long_block(spec: FieldSpec, content: Content, base: Content | None, new: Part, old: Part | None) -> Block | None:
    if spec.path == "assessment.alignment":
        return _matrix(str(spec.says.label), content, base)
    if spec.item is None:
        words = _words(spec, new, old)
        return Prose(label=str(spec.says.label), words=words) if words else None
    now: tuple[Any, ...] = getattr(new, spec.name)
    before: tuple[Any, ...] | None = getattr(old, spec.name) if old is not None else None
    if not now and not before:
        return None
    if spec.item is LearningOutcome:
        return _numbered(str(spec.says.label), now, before)
    return _entries(str(spec.says.label), spec.item, now, before)


# ---- values


def in_words(value: Any, spec: FieldSpec | None = None) -> str:
    """A value as a reader sees it; empty for an answer that was not given."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, date):
        return in_full(value)
    if spec is not None and spec.says.choices is not None:
        return str(spec.says.choices(value).label)
    return str(value)


def _words(spec: FieldSpec, new: Part, old: Part | None) -> Marked:
    now = in_words(getattr(new, spec.name), spec)
    if old is None:
        return plain(now)
    before = in_words(getattr(old, spec.name), spec)
    is_text = isinstance(getattr(old, spec.name), str) and spec.says.choices is None
    return compare(before, now) if is_text else replaced(before, now)


def _fact(spec: FieldSpec, new: Part, old: Part | None) -> Fact | None:
    words = _words(spec, new, old)
    if not words:
        return None
    return Fact(label=str(spec.says.label), words=words, href=_web_address(words))


def _web_address(words: Marked) -> str:
    return words.new if not words.changed and words.new.startswith(("https://", "http://")) else ""


# ---- further questions


def _further(new: Further, old: Further | None) -> Iterable[Block]:
    """Every answer under its question as it was asked; short answers that follow each other stand together."""
    pairs = _side_by_side(old.answers if old is not None else None, new.answers, lambda answer: answer.key)
    for is_long, group in groupby(pairs, key=lambda pair: any(one and one.kind is AnswerKind.TEXT for one in pair)):
        answered = [
            (now or before, _answer(before, now) if old is not None else plain(answer_in_words(now)))
            for before, now in group
        ]
        if is_long:
            yield from (Prose(label=shown.question, words=words) for shown, words in answered if shown)
        else:
            yield Facts(tuple(Fact(label=shown.question, words=words) for shown, words in answered if shown))


def _answer(before: FurtherAnswer | None, now: FurtherAnswer | None) -> Marked:
    written = all(one is None or one.kind in (AnswerKind.LINE, AnswerKind.TEXT) for one in (before, now))
    return (compare if written else replaced)(answer_in_words(before), answer_in_words(now))


def answer_in_words(answer: FurtherAnswer | None) -> str:
    """An answer to a further question as a reader sees it; empty where there is none."""
    if answer is None:
        return ""
    return in_words(answer.answer == YES) if answer.kind is AnswerKind.YES_NO else answer.answer


# ---- lists


def _numbered(label: str, new: tuple[LearningOutcome, ...], old: tuple[LearningOutcome, ...] | None) -> Numbered:
    items: list[tuple[int | None, Marked]] = []
    for before, now in _side_by_side(old, new, lambda outcome: outcome.key):
        number = new.index(now) + 1 if now is not None else None
        text = now.text if now is not None else ""
        items.append((number, plain(text) if old is None else compare(before.text if before else "", text)))
    return Numbered(label=label, items=tuple(items))


def _entries(label: str, part: type[Part], new: tuple[Part, ...], old: tuple[Part, ...] | None) -> Entries:
    def identity(item: Part) -> str:
        return str(getattr(item, "key", None) or getattr(item, NAMED_BY[part]))

    specs = list(fields_of(part))
    return Entries(
        label=label,
        entries=tuple(
            _entry(part, specs, now, before, compared=old is not None)
            for before, now in _side_by_side(old, new, identity)
        ),
    )


def _entry(part: type[Part], specs: list[FieldSpec], now: Part | None, before: Part | None, *, compared: bool) -> Entry:
    mark = Mark.SAME
    if compared and before is None:
        mark = Mark.ADDED
    elif now is None:
        mark = Mark.REMOVED
    shown = now if now is not None else before
    assert shown is not None
    # All of an added or removed item has one mark, so its words need none of their own.
    old = before if mark is Mark.SAME else None
    words = {spec.name: _all_marked(_words(spec, shown, old), mark) for spec in specs}
    return Entry(
        title=words[NAMED_BY[part]],
        facts=tuple(
            Fact(label=str(spec.says.label), words=words[spec.name], href=_web_address(words[spec.name]))
            for spec in specs
            if not spec.says.long and spec.name != NAMED_BY[part] and words[spec.name]
        ),
        prose=tuple(
            Prose(label=str(spec.says.label), words=words[spec.name])
            for spec in specs
            if spec.says.long and words[spec.name]
        ),
        mark=mark,
    )


def _all_marked(words: Marked, mark: Mark) -> Marked:
    return words if mark is Mark.SAME else Marked(tuple(Run(run.text, mark) for run in words.runs))


def _side_by_side(
    old: tuple[Item, ...] | None, new: tuple[Item, ...], identity: Callable[[Item], str]
) -> list[tuple[Item | None, Item | None]]:
    return [(None, item) for item in new] if old is None else paired(old, new, identity)


# ---- the matrix and the files


def _matrix(label: str, content: Content, base: Content | None) -> Matrix | None:
    outcomes = _side_by_side(
        base.outcomes.outcomes if base is not None else None, content.outcomes.outcomes, lambda outcome: outcome.key
    )
    assessments = _side_by_side(
        base.assessment.assessments if base is not None else None, content.assessment.assessments, lambda item: item.key
    )
    if not outcomes or not assessments:
        return None
    covered, was_covered = _coverage(content), _coverage(base) if base is not None else None
    columns = []
    for before, now in assessments:
        shown = now if now is not None else before
        assert shown is not None
        columns.append(MatrixColumn(shown.title, shown.weight, _mark(before, now, compared=base is not None)))
    rows = []
    for before_outcome, outcome in outcomes:
        shown_outcome = outcome if outcome is not None else before_outcome
        assert shown_outcome is not None
        cells = []
        for before, now in assessments:
            key = (shown_outcome.key, now.key if now is not None else before.key if before is not None else "")
            here = covered.get(key, "") if outcome is not None and now is not None else ""
            there = here if was_covered is None else was_covered.get(key, "")
            mark = Mark.SAME if here == there else Mark.ADDED if here else Mark.REMOVED
            cells.append(Cell(now=here, was=there if mark is not Mark.SAME else "", mark=mark))
        rows.append(
            MatrixRow(
                number=content.outcomes.outcomes.index(outcome) + 1 if outcome is not None else None,
                text=shown_outcome.text,
                mark=_mark(before_outcome, outcome, compared=base is not None),
                cells=tuple(cells),
            )
        )
    return Matrix(
        label=label,
        columns=tuple(columns),
        rows=tuple(rows),
        open_outcomes=tuple(
            row.number
            for row in rows
            if row.number is not None and all(cell.now != Coverage.ASSESSED for cell in row.cells)
        ),
    )


def _coverage(content: Content) -> dict[tuple[str, str], str]:
    return {(cell.outcome, cell.assessment): cell.coverage.value for cell in content.assessment.alignment}


def _mark(before: object | None, now: object | None, *, compared: bool) -> Mark:
    if now is None:
        return Mark.REMOVED
    return Mark.ADDED if compared and before is None else Mark.SAME


def _files(files: Sequence[Mapping[str, Any]], base_files: Sequence[Mapping[str, Any]] | None) -> Files:
    def identity(file: Mapping[str, Any]) -> str:
        return str(file["digest"])

    known = {identity(file) for file in base_files or ()}
    kept = {identity(file) for file in files}
    shown = [_file(file, Mark.SAME if base_files is None or identity(file) in known else Mark.ADDED) for file in files]
    shown += [_file(file, Mark.REMOVED) for file in base_files or () if identity(file) not in kept]
    return Files(tuple(shown))


def _file(file: Mapping[str, Any], mark: Mark) -> File:
    return File(
        name=str(file["name"]),
        digest=str(file["digest"]),
        size=int(file["size"]),
        mark=mark,
        confidential=bool(file.get("confidential")),
    )
