"""What differs between the routes of two versions, stage by stage.

Example: "Senate’s quorum rises from 20 to 25." and "“Graduate Council” now comes before “Senate”."
"""

from bisect import bisect_left
from collections.abc import Iterator

from django.utils.translation import gettext as _

from governance.policies.differences.parts import Clauses, Difference, added, matched, removed
from governance.policies.rules import ChecklistItem, Rules, Stage, Vote
from governance.policies.sentences import (
    cases_in_words,
    condition_in_words,
    days_in_words,
    does,
    each_quoted,
    either,
    part_in_words,
    quorum_in_words,
)
from governance.policies.statements import (
    RuleKind,
    details,
    due_statement,
    item_statement,
    stage_statement,
    vote_statement,
)
from governance.policies.vocabulary import Effect, Outcome

Pair = tuple[Stage, Stage]


def route_differences(before: Rules, after: Rules, clauses: Clauses) -> Iterator[Difference]:
    """Stages that are new or gone, those that stand elsewhere, and what each one does otherwise."""
    found = matched(before.route, after.route, lambda stage: stage.key, lambda stage: stage.label)
    for stage in found.removed:
        sentence = _("The stage “%(stage)s” is gone; under the version before, it %(part)s.")
        yield Difference(ROUTE, sentence % _named(stage, part=part_in_words(stage)), stage.clause, gone=True)
        yield from (removed(rule) for rule in details(stage, before))
    for stage in found.added:
        sentence = _("The stage “%(stage)s” is new; it %(part)s.")
        yield Difference(ROUTE, sentence % _named(stage, part=part_in_words(stage)), stage.clause)
        yield from (added(rule) for rule in details(stage, after))
    yield from _order(found.pairs, before)
    yield from _waves(found.pairs)
    for was, now in found.pairs:
        yield from _names(was, now)
        yield from clauses.moved(was.clause, stage_statement(now))
        yield from _body(was, now)
        yield from _part(was, now)
        yield from _outcomes(was, now)
        yield from _time(was, now, clauses)
        yield from _vote(was, now, clauses)
        yield from _checklist(was, now, clauses)


ROUTE, CHECK, TARGET, VOTE = RuleKind.ROUTE, RuleKind.CHECK, RuleKind.TARGET, RuleKind.VOTE


def _named(stage: Stage, **words: object) -> dict[str, object]:
    return {"stage": stage.label, **words}


# ---- where stages stand


def _order(pairs: tuple[Pair, ...], before: Rules) -> Iterator[Difference]:
    """As few stages as possible are said to have moved: those outside the longest run that kept its order."""
    places = [before.route.index(was) for was, _now in pairs]
    kept = _longest_run(places)
    for at, (was, now) in enumerate(pairs):
        if at in kept:
            continue
        overtaken = next((other for other in range(at + 1, len(pairs)) if places[other] < places[at]), None)
        if overtaken is not None:
            other_was, other_now = pairs[overtaken]
            sentence = _("“%(stage)s” now comes before “%(other)s”.")
        else:
            other_was, other_now = pairs[max(other for other in range(at) if places[other] > places[at])]
            sentence = _("“%(stage)s” now comes after “%(other)s”.")
        if _side_by_side(was, other_was) and _side_by_side(now, other_now):
            sentence = _("“%(stage)s” stands beside “%(other)s” as before; only their order on paper changes.")
        yield Difference(ROUTE, sentence % _named(now, other=other_now.label), now.clause)


def _longest_run(places: list[int]) -> set[int]:
    """The indexes of a longest rising run of `places`, which need not stand next to each other."""
    ends: list[int] = []
    previous: dict[int, int | None] = {}
    for at, place in enumerate(places):
        length = bisect_left([places[end] for end in ends], place)
        previous[at] = ends[length - 1] if length else None
        ends[length : length + 1] = [at]
    run: set[int] = set()
    at_end = ends[-1] if ends else None
    while at_end is not None:
        run.add(at_end)
        at_end = previous[at_end]
    return run


def _side_by_side(one: Stage, other: Stage) -> bool:
    return one.wave is not None and one.wave == other.wave


def _waves(pairs: tuple[Pair, ...]) -> Iterator[Difference]:
    told: set[str] = set()
    for at, (was, now) in enumerate(pairs):
        for other_was, other_now in pairs[at + 1 :]:
            together = _side_by_side(was, other_was), _side_by_side(now, other_now)
            if together[0] == together[1]:
                continue
            told |= {now.key, other_now.key}
            sentence = (
                _("“%(stage)s” and “%(other)s” now stand side by side.")
                if together[1]
                else _("“%(stage)s” and “%(other)s” no longer stand side by side.")
            )
            yield Difference(ROUTE, sentence % _named(now, other=other_now.label), now.clause)
    for was, now in pairs:
        if was.wave != now.wave and now.key not in told:
            said = _named(now, was=was.wave or "–", now=now.wave or "–")
            sentence = _("The wave of “%(stage)s” is now called “%(now)s” instead of “%(was)s”.")
            yield Difference(ROUTE, sentence % said, now.clause)


# ---- what one stage is


def _names(was: Stage, now: Stage) -> Iterator[Difference]:
    if was.label != now.label:
        sentence = _("The stage “%(was)s” is now called “%(now)s”.")
        yield Difference(ROUTE, sentence % {"was": was.label, "now": now.label}, now.clause)
    if was.key != now.key:
        sentence = _("The stage “%(stage)s” is now kept under the key “%(now)s” instead of “%(was)s”.")
        yield Difference(ROUTE, sentence % _named(now, was=was.key, now=now.key), now.clause)


def _body(was: Stage, now: Stage) -> Iterator[Difference]:
    if was.body.kind != now.body.kind:
        sentence = _("“%(stage)s” is now a body of the kind “%(now)s” instead of “%(was)s”.")
        yield Difference(ROUTE, sentence % _named(now, was=was.body.kind, now=now.body.kind), now.clause)
    if was.body.of != now.body.of:
        sentence = (
            _("“%(stage)s” is now the body of the host unit, not the only one of the institution.")
            if now.body.of
            else _("“%(stage)s” is now the only body of the institution, not the one of the host unit.")
        )
        yield Difference(ROUTE, sentence % _named(now), now.clause)


def _part(was: Stage, now: Stage) -> Iterator[Difference]:
    """What it does, and for which proposals."""
    if was.effect != now.effect:
        if isinstance(was.effect, Effect) and isinstance(now.effect, Effect):
            sentence = _("“%(stage)s” now %(now)s rather than %(was)s.")
            said = _named(now, was=does(was.effect), now=does(now.effect))
        else:
            sentence = _("“%(stage)s” now %(now)s. Before: %(was)s.")
            said = _named(now, was=_effect_alone(was), now=_effect_alone(now))
        if said["was"] == said["now"]:
            sentence = _("The cases of “%(stage)s” are written in another way.")
        yield Difference(ROUTE, sentence % said, now.clause)
    if was.when != now.when:
        yield Difference(ROUTE, _when(was, now), now.clause)
    if was.mandatory != now.mandatory:
        sentence = (
            _("“%(stage)s” is now mandatory: no proposal is approved around it.")
            if now.mandatory
            else _("“%(stage)s” is no longer mandatory.")
        )
        yield Difference(ROUTE, sentence % _named(now), now.clause)


def _effect_alone(stage: Stage) -> str:
    return does(stage.effect) if isinstance(stage.effect, Effect) else cases_in_words(stage.effect)


def _when(was: Stage, now: Stage) -> str:
    verb = does(now.effect) if isinstance(now.effect, Effect) else _("has a part")
    if was.when is None:
        assert now.when is not None
        said = _named(now, does=verb, condition=condition_in_words(now.when))
        return _("“%(stage)s” now %(does)s only where %(condition)s.") % said
    before = condition_in_words(was.when)
    if now.when is None:
        said = _named(now, does=verb, condition=before)
        return _("“%(stage)s” now %(does)s for every proposal, not only where %(condition)s.") % said
    said = _named(now, does=verb, now=condition_in_words(now.when), was=before)
    if said["now"] == said["was"]:
        return _("The condition of “%(stage)s” is written in another way.") % said
    return _("“%(stage)s” now %(does)s only where %(now)s, instead of where %(was)s.") % said


def _outcomes(was: Stage, now: Stage) -> Iterator[Difference]:
    lost = [outcome for outcome in Outcome if outcome in was.outcomes and outcome not in now.outcomes]
    gained = [outcome for outcome in Outcome if outcome in now.outcomes and outcome not in was.outcomes]
    sentences = []
    if lost:
        sentences.append((_("“%(stage)s” can no longer answer %(answers)s."), lost))
    if gained:
        sentences.append((_("“%(stage)s” can now also answer %(answers)s."), gained))
    if not sentences and was.outcomes != now.outcomes:
        sentences.append((_("The answers of “%(stage)s” stand in another order."), []))
    for sentence, outcomes in sentences:
        said = _named(now, answers=either(each_quoted(outcome.label for outcome in outcomes)))
        yield Difference(ROUTE, sentence % said, now.clause)


def _time(was: Stage, now: Stage, clauses: Clauses) -> Iterator[Difference]:
    if was.due.working_days != now.due.working_days:
        said = _named(now, now=days_in_words(now.due.working_days), was=was.due.working_days)
        yield Difference(TARGET, _("“%(stage)s” has %(now)s instead of %(was)s.") % said, now.due.clause)
    yield from clauses.moved(was.due.clause, due_statement(now, now.due))


# ---- its vote


def _vote(was: Stage, now: Stage, clauses: Clauses) -> Iterator[Difference]:
    if was.vote is not None and now.vote is not None:
        yield from _vote_changed(was.vote, now.vote, now)
        yield from clauses.moved(was.vote.clause, vote_statement(now, now.vote))
    elif now.vote is not None:
        sentence = _("A vote takes the place of one person’s answer. %(rule)s")
        yield Difference(VOTE, sentence % {"rule": vote_statement(now, now.vote).sentence}, now.vote.clause)
    elif was.vote is not None:
        sentence = _("One person’s answer takes the place of a vote. Before: %(rule)s")
        yield Difference(VOTE, sentence % {"rule": vote_statement(was, was.vote).sentence}, was.vote.clause, gone=True)


def _vote_changed(was: Vote, now: Vote, stage: Stage) -> Iterator[Difference]:
    quorums = quorum_in_words(was), quorum_in_words(now)
    if quorums[0] != quorums[1]:
        pair = (was.quorum, now.quorum) if was.quorum and now.quorum else (was.quorum_percent, now.quorum_percent)
        sentence = _("%(stage)s’s quorum is now %(now)s instead of %(was)s.")
        if pair[0] and pair[1]:
            sentence = (
                _("%(stage)s’s quorum rises from %(was)s to %(now)s.")
                if pair[1] > pair[0]
                else _("%(stage)s’s quorum falls from %(was)s to %(now)s.")
            )
        yield Difference(VOTE, sentence % _named(stage, was=quorums[0], now=quorums[1]), now.clause)
    if was.carries != now.carries:
        sentence = _("A motion of “%(stage)s” is now carried by %(now)s of the votes instead of %(was)s.")
        yield Difference(VOTE, sentence % _named(stage, was=was.carries.label, now=now.carries.label), now.clause)
    if was.of != now.of:
        sentence = _("The votes of “%(stage)s” are now counted among %(now)s instead of %(was)s.")
        yield Difference(VOTE, sentence % _named(stage, was=was.of.label, now=now.of.label), now.clause)


# ---- its checklist


def _checklist(was: Stage, now: Stage, clauses: Clauses) -> Iterator[Difference]:
    found = matched(was.checklist, now.checklist, lambda item: item.key, lambda item: item.text)
    yield from (removed(item_statement(was, item)) for item in found.removed)
    yield from (added(item_statement(now, item)) for item in found.added)
    for item_was, item_now in found.pairs:
        yield from _item(item_was, item_now, now)
        yield from clauses.moved(item_was.clause, item_statement(now, item_now))
    if not found.in_order:
        yield Difference(CHECK, _("The checks of “%(stage)s” stand in another order.") % _named(now), now.clause)


def _item(was: ChecklistItem, now: ChecklistItem, stage: Stage) -> Iterator[Difference]:
    sentences = []
    if was.text != now.text:
        sentences.append(_("“%(stage)s” now confirms “%(text)s” instead of “%(text_was)s”"))
    if was.required != now.required:
        sentences.append(
            _("“%(stage)s” cannot approve any more before it has confirmed: “%(text)s”")
            if now.required
            else _("“%(stage)s” may now approve without having confirmed: “%(text)s”")
        )
    if was.evidence != now.evidence:
        if now.evidence and was.evidence:
            sentences.append(_("The evidence for “%(text)s” is now “%(evidence)s” instead of “%(evidence_was)s”."))
        elif now.evidence:
            sentences.append(_("For “%(text)s”, evidence is now asked for: “%(evidence)s”."))
        else:
            sentences.append(_("For “%(text)s”, evidence is no longer asked for. Before: “%(evidence_was)s”."))
    if was.key != now.key:
        sentences.append(_("The check “%(text)s” is now kept under the key “%(key)s” instead of “%(key_was)s”."))
    said = _named(stage) | {f"{name}_was": value for name, value in was} | dict(now)
    for sentence in sentences:
        yield Difference(CHECK, sentence % said, now.clause)
