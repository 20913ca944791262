"""The route of a policy version drawn from top to bottom, the stages of one wave side by side, and the same in words.

Example: "2. Graduate Council: recommends only where academic credit is asked for; 15 working days." Pure functions:
where every box and line of text stands is worked out here, so that the page needs no script and can be printed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from governance.policies.resolve import Route
from governance.policies.rules import Rules, Stage
from governance.policies.sentences import (
    both,
    days_in_words,
    does,
    each_quoted,
    one_after_another,
    part_in_words,
    quorum_in_words,
)
from governance.policies.statements import companions
from governance.policies.vocabulary import Effect

# Two drawings of one route: the page shows the one that fits, at its own size, so that its words stay readable.
WIDE: Final = 540
NARROW: Final = 300

_SPINE: Final = 9
_BOXES: Final = 30
_GAP: Final = 12
_BETWEEN: Final = 20
_PADDING: Final = 12
_CAPTION: Final = 24
_LEAST_BOX: Final = 150


class _Type(NamedTuple):
    """How one kind of text is set; `app.css` gives it the same size."""

    size: float
    line: int
    bold: bool = False


_TYPES: Final[dict[str, _Type]] = {
    "name": _Type(15, 21, bold=True),
    "not": _Type(13, 19, bold=True),
    "part": _Type(13, 18),
    "facts": _Type(13, 18),
}


@dataclass(frozen=True)
class Step:
    """A stage in words. `passed` is None where no example is drawn."""

    number: int
    stage: Stage
    effects: frozenset[Effect]
    part: str
    beside: str
    facts: str
    passed: bool | None = None

    @property
    def label(self) -> str:
        return self.stage.label

    @property
    def words(self) -> str:
        """All that is said of it, to go on after its name."""
        missed = _("not for this proposal") if self.passed is False else ""
        return one_after_another([missed, self.part, self.beside, self.facts])

    @property
    def look(self) -> str:
        """The name of how its box looks; the box says the same in words."""
        if self.passed is False:
            return "skipped"
        strongest = next(effect for effect in Effect if effect in self.effects)
        return f"{strongest.value} is-passed" if self.passed else strongest.value


@dataclass(frozen=True)
class Line:
    """One line of text."""

    x: int
    y: int
    kind: str
    words: str


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    width: int
    height: int
    look: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Dot:
    """Where a wave hangs on the line from top to bottom; full where every proposal passes it."""

    x: int
    y: int
    full: bool


@dataclass(frozen=True)
class Layout:
    """Everything in its place, for one width."""

    name: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    frames: tuple[Box, ...]
    dots: tuple[Dot, ...]
    path: str


@dataclass(frozen=True)
class Drawing:
    """A route to be shown: the steps in words, and the drawing at both widths."""

    title: str
    steps: tuple[Step, ...]
    layouts: tuple[Layout, ...]
    wave_count: int

    @property
    def is_example(self) -> bool:
        return any(step.passed is not None for step in self.steps)

    @property
    def passed_count(self) -> int:
        return sum(step.passed is True for step in self.steps)


def drawing_of(rules: Rules, route: Route | None = None) -> Drawing:
    """The route of all proposals with the conditions of its stages; or, given the route of one proposal, with the
    stages that it passes marked, and those that are not for it."""
    steps = tuple(_step(number, stage, rules, route) for number, stage in enumerate(rules.route, start=1))
    # A stage without a wave is one of its own, under a name that no wave can have.
    waves = [list(wave) for _key, wave in groupby(steps, key=lambda step: step.stage.wave or f"#{step.number}")]
    return Drawing(
        title=_("The route of version %(number)s") % {"number": rules.version},
        steps=steps,
        layouts=tuple(_layout(name, width, waves) for name, width in (("wide", WIDE), ("narrow", NARROW))),
        wave_count=len(waves),
    )


# ---- what is said of a stage


def _step(number: int, stage: Stage, rules: Rules, route: Route | None) -> Step:
    others = both(each_quoted(other.label for other in companions(stage, rules)))
    beside = _("side by side with %(others)s") % {"others": others} if others else ""
    facts = [days_in_words(stage.due.working_days)]
    if stage.vote is not None:
        facts.append(_("by vote, with a quorum of %(quorum)s") % {"quorum": quorum_in_words(stage.vote)})
    if stage.mandatory:
        facts.append(_("mandatory"))
    effects, part, passed = stage.effects, part_in_words(stage), None
    if route is not None:
        passed = stage.key in route
        if passed and isinstance(stage.effect, tuple):
            effect = route[stage.key].effect
            effects, part = frozenset({effect}), does(effect)
    return Step(number, stage, effects, part=part, beside=beside, facts=one_after_another(facts), passed=passed)


def _paragraphs(step: Step) -> Iterator[tuple[str, str]]:
    """What stands in a box: its lines before they are broken, each with its kind of text."""
    yield "name", _("%(number)s. %(stage)s") % {"number": step.number, "stage": step.label}
    if step.passed is False:
        yield "not", capfirst(_("not for this proposal"))
    yield "part", capfirst(step.part)
    yield "facts", capfirst(step.facts)


# ---- where everything stands


def _layout(name: str, width: int, waves: list[list[Step]]) -> Layout:
    boxes: list[Box] = []
    frames: list[Box] = []
    dots: list[Dot] = []
    top = 1
    for wave in waves:
        inset = _GAP if len(wave) > 1 else 0
        inner = width - _BOXES - 2 * inset - 2
        placed = list(_rows(wave, _BOXES + inset, top + (_CAPTION if inset else 0), inner))
        bottom = placed[-1].y + placed[-1].height + inset
        if inset:
            caption = Line(_BOXES + inset, top + 17, "facts", _("Side by side"))
            frames.append(Box(_BOXES, top, width - _BOXES - 2, bottom - top, "frame", (caption,)))
        boxes += placed
        dots.append(Dot(_SPINE, (top + bottom) // 2, full=any(_always(step) for step in wave)))
        top = bottom + _BETWEEN
    height = top - _BETWEEN + 2
    return Layout(name, width, height, tuple(boxes), tuple(frames), tuple(dots), _path(dots))


def _always(step: Step) -> bool:
    """Whether the proposal, or every one, passes the stage."""
    return step.stage.when is None if step.passed is None else step.passed


def _rows(wave: list[Step], left: int, top: int, width: int) -> Iterator[Box]:
    """The boxes of a wave, as many in a row as stay readable, and each row as high as its highest box."""
    columns = min(len(wave), max(1, (width + _GAP) // (_LEAST_BOX + _GAP)))
    box_width = (width - (columns - 1) * _GAP) // columns
    for at in range(0, len(wave), columns):
        row = wave[at : at + columns]
        texts = [list(_set(step, box_width - 2 * _PADDING)) for step in row]
        height = max(sum(_TYPES[kind].line for kind, _words in text) for text in texts) + 2 * _PADDING - 4
        for column, (step, text) in enumerate(zip(row, texts, strict=True)):
            x = left + column * (box_width + _GAP)
            yield Box(x, top, box_width, height, step.look, tuple(_lines(text, x + _PADDING, top + _PADDING - 2)))
        top += height + _GAP


def _lines(text: Iterable[tuple[str, str]], x: int, top: int) -> Iterator[Line]:
    for kind, words in text:
        # The baseline lies about three quarters down the line.
        yield Line(x, top + round(_TYPES[kind].line * 0.76), kind, words)
        top += _TYPES[kind].line


def _path(dots: list[Dot]) -> str:
    """The line from the first dot to the last, an arrow head before each dot, and a twig from each dot to its box."""
    parts = [f"M{_SPINE} {dots[0].y}V{dots[-1].y}"]
    parts += [f"M{_SPINE} {dot.y}H{_BOXES}" for dot in dots]
    parts += [f"M{_SPINE - 5} {dot.y - 15}l5 6l5-6" for dot in dots[1:]]
    return "".join(parts)


# ---- breaking lines without a browser


def _set(step: Step, width: int) -> Iterator[tuple[str, str]]:
    """The lines of a box, none wider than `width`."""
    for kind, words in _paragraphs(step):
        yield from ((kind, line) for line in broken(words, width, kind))


def broken(words: str, width: float, kind: str) -> Iterator[str]:
    """The words in lines that fit; a word that is too long for a line is broken."""
    line = ""
    for word in words.split():
        while width_of(word, kind) > width and len(word) > 1:
            fits = next((n for n in range(len(word) - 1, 1, -1) if width_of(word[:n], kind) <= width), 1)
            yield from [line] if line else []
            yield word[:fits]
            line, word = "", word[fits:]
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, kind) > width:
            yield line
            longer = word
        line = longer
    if line:
        yield line


_WIDTHS: Final = dict.fromkeys("iljtfrI.,:;'’|!()[]-“”1 ", 0.4) | dict.fromkeys("mwMW@%—…", 0.96)


def width_of(words: str, kind: str) -> float:
    """How wide words are in the broadest of the fonts that a system may have; rather too much than too little."""
    em = sum(_WIDTHS.get(letter) or _usual_width(letter) for letter in words)
    return em * _TYPES[kind].size * (1.09 if _TYPES[kind].bold else 1)


def _usual_width(letter: str) -> float:
    if ord(letter) > 0x2E80:  # where the scripts begin whose letters fill a square
        return 1
    return 0.73 if letter.isupper() else 0.62
