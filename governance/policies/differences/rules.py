"""What differs between the rules of two versions: the route, and all that stands beside it.

Example: "Nobody decides two stages of one proposal. Before: One person may decide several stages of a proposal."
"""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from governance.dates import in_full
from governance.policies.differences.parts import Clauses, Difference, added, matched, removed, restated
from governance.policies.differences.stages import route_differences
from governance.policies.fields import field_in_words
from governance.policies.rules import Question, Reopening, Requirement, Rules
from governance.policies.sentences import (
    both,
    check_in_words,
    condition_in_words,
    each_quoted,
    either,
)
from governance.policies.statements import (
    RuleKind,
    duty_statements,
    question_statement,
    reopening_statement,
    requirement_statement,
    resubmission_statement,
    retention_statement,
    stage_names,
)
from governance.policies.vocabulary import Action

REQUIREMENT, QUESTION, REOPENING = RuleKind.REQUIREMENT, RuleKind.QUESTION, RuleKind.REOPENING


def rule_differences(before: Rules, after: Rules, renumbered: Mapping[str, str]) -> tuple[Difference, ...]:
    """Every difference in the order of the document; none where the rules say the same.

    `renumbered` gives the later number of clauses whose words stand under another one. That the versions have two
    numbers is what is being compared, and no difference.
    """
    clauses = Clauses(renumbered)
    return (
        *_head(before, after),
        *route_differences(before, after, clauses),
        *_requirements(before, after, clauses),
        *_questions(before, after, clauses),
        *_duties(before, after, clauses),
        *_resubmission(before, after, clauses),
        *_reopenings(before, after, clauses),
        *_retention(before, after, clauses),
    )


def _head(before: Rules, after: Rules) -> Iterator[Difference]:
    said = {"was": before.title, "now": after.title}
    if before.title != after.title:
        yield Difference(RuleKind.SCOPE, _("The policy is now called “%(now)s” instead of “%(was)s”.") % said)
    if before.policy != after.policy:
        sentence = _("The policy is now kept under the key “%(now)s” instead of “%(was)s”.")
        yield Difference(RuleKind.SCOPE, sentence % {"was": before.policy, "now": after.policy})
    if before.effective_from != after.effective_from:
        days = {"was": in_full(before.effective_from), "now": in_full(after.effective_from)}
        yield Difference(RuleKind.DATE, _("Its first day is %(now)s instead of %(was)s.") % days)
    lost = [action.label for action in Action if action in before.governs and action not in after.governs]
    gained = [action.label for action in Action if action in after.governs and action not in before.governs]
    if gained:
        sentence = _("It now also governs proposals of the kind %(actions)s.")
        yield Difference(RuleKind.SCOPE, sentence % {"actions": both(each_quoted(gained))})
    if lost:
        sentence = _("It no longer governs proposals of the kind %(actions)s.")
        yield Difference(RuleKind.SCOPE, sentence % {"actions": either(each_quoted(lost))})
    if not gained and not lost and before.governs != after.governs:
        yield Difference(RuleKind.SCOPE, _("The kinds of proposal that it governs stand in another order."))


# ---- what a proposal says


def _requirements(before: Rules, after: Rules, clauses: Clauses) -> Iterator[Difference]:
    found = matched(
        before.requires,
        after.requires,
        lambda rule: (rule.field, rule.check),
        lambda rule: rule.field,
        lambda rule: rule.says,
    )
    for rule in found.removed:
        yield removed(requirement_statement(rule))
    for rule in found.added:
        yield added(requirement_statement(rule))
    for was, now in found.pairs:
        for sentence in _requirement(was, now):
            yield Difference(REQUIREMENT, sentence, now.clause)
        yield from clauses.moved(was.clause, requirement_statement(now))
    if not found.in_order:
        yield Difference(REQUIREMENT, _("What is required before sending stands in another order."))


def _requirement(was: Requirement, now: Requirement) -> Iterator[str]:
    if was.says != now.says:
        yield _("The author is now told “%(now)s” instead of “%(was)s”.") % {"was": was.says, "now": now.says}
    if was.field != now.field:
        said = {"says": now.says, "was": field_in_words(was.field), "now": field_in_words(now.field)}
        yield _("“%(says)s” now looks at “%(now)s” instead of “%(was)s”.") % said
    if (was.check, was.number) != (now.check, now.number):
        said = {"says": now.says, "was": check_in_words(was), "now": check_in_words(now)}
        yield _("“%(says)s” now looks for %(now)s instead of %(was)s.") % said
    yield from _asked_where(now.says, was, now)


def _asked_where(words: str, was: Requirement | Question, now: Requirement | Question) -> Iterator[str]:
    if was.when == now.when:
        return
    before, after = (condition_in_words(rule.when) if rule.when else "" for rule in (was, now))
    said = {"words": words, "was": before, "now": after}
    if before == after:
        yield _("The condition of “%(words)s” is written in another way.") % said
    elif not before:
        yield _("“%(words)s” is now asked only where %(now)s.") % said
    elif not after:
        yield _("“%(words)s” is now asked of every proposal, not only where %(was)s.") % said
    else:
        yield _("“%(words)s” is now asked only where %(now)s, instead of where %(was)s.") % said


def _questions(before: Rules, after: Rules, clauses: Clauses) -> Iterator[Difference]:
    found = matched(before.questions, after.questions, lambda rule: rule.key, lambda rule: rule.text)
    for rule in found.removed:
        yield removed(question_statement(rule))
    for rule in found.added:
        yield added(question_statement(rule))
    for was, now in found.pairs:
        for sentence in (*_question(was, now), *_choices(was, now), *_asked_where(now.text, was, now)):
            yield Difference(QUESTION, sentence, now.clause)
        yield from clauses.moved(was.clause, question_statement(now))
    if not found.in_order:
        yield Difference(QUESTION, _("The further questions stand in another order."))


def _question(was: Question, now: Question) -> Iterator[str]:
    said = {f"{name}_was": value for name, value in was} | dict(now)
    if was.text != now.text:
        yield _("The further question “%(text_was)s” now reads “%(text)s”.") % said
    if was.key != now.key:
        yield _("The answer to “%(text)s” is now kept under the key “%(key)s” instead of “%(key_was)s”.") % said
    if was.kind != now.kind:
        said |= {"kind": now.kind.label, "kind_was": was.kind.label}
        yield _("“%(text)s” is now answered by “%(kind)s” instead of “%(kind_was)s”.") % said
    if was.required != now.required:
        yield (
            _("“%(text)s” must now be answered.") % said
            if now.required
            else _("“%(text)s” may now be left unanswered.") % said
        )
    if was.hint != now.hint:
        if not was.hint:
            yield _("“%(text)s” now has the hint “%(hint)s”.") % said
        elif not now.hint:
            yield _("“%(text)s” no longer has the hint “%(hint_was)s”.") % said
        else:
            yield _("The hint of “%(text)s” is now “%(hint)s” instead of “%(hint_was)s”.") % said


def _choices(was: Question, now: Question) -> Iterator[str]:
    lost = [choice for choice in was.choices if choice not in now.choices]
    gained = [choice for choice in now.choices if choice not in was.choices]
    if gained:
        said = {"text": now.text, "choices": both(each_quoted(gained))}
        yield _("“%(text)s” now also offers %(choices)s.") % said
    if lost:
        said = {"text": now.text, "choices": either(each_quoted(lost))}
        yield _("“%(text)s” no longer offers %(choices)s.") % said
    if not gained and not lost and was.choices != now.choices:
        yield _("The answers to choose from for “%(text)s” stand in another order.") % {"text": now.text}


# ---- what stands beside the route


def _duties(before: Rules, after: Rules, clauses: Clauses) -> Iterator[Difference]:
    for was, now in zip(duty_statements(before.duties), duty_statements(after.duties), strict=True):
        yield from restated(was, now)
        yield from clauses.moved(was.clause, now)


def _resubmission(before: Rules, after: Rules, clauses: Clauses) -> Iterator[Difference]:
    was, now = resubmission_statement(before.resubmission), resubmission_statement(after.resubmission)
    yield from restated(was, now)
    yield from clauses.moved(was.clause, now)


# Of a field and a stage whose approval its change reopens: the clauses that say so.
Reopened = dict[tuple[str, str], list[str]]


def _reopenings(before: Rules, after: Rules, clauses: Clauses) -> Iterator[Difference]:
    """Field by field and stage by stage, since how the rules are grouped changes nothing."""
    names = stage_names(after)
    was, now = _reopened(before), _reopened(after)
    found = [
        *(removed(reopening_statement(rule, stage_names(before))) for rule in _alone(was, now)),
        *(added(reopening_statement(rule, names)) for rule in _alone(now, was)),
    ]
    moved: dict[tuple[str, str, str], list[str]] = {}
    for field, stage in was.keys() & now.keys():
        earlier, later = was[field, stage], now[field, stage]
        lost = [clause for clause in earlier if clauses.now(clause) not in later]
        gained = [clause for clause in later if clause not in map(clauses.now, earlier)]
        if lost and gained:
            moved.setdefault((lost[0], stage, gained[0]), []).append(field)
    for (clause_was, stage, clause), fields in sorted(moved.items()):
        rule = Reopening(fields=tuple(sorted(fields)), stages=(stage,), clause=clause)
        found += clauses.moved(clause_was, reopening_statement(rule, names))
    if not found and before.reopens != after.reopens:
        sentence = _("The rules on what reopens an approval are written in another way.")
        found.append(Difference(REOPENING, sentence))
    yield from found


def _reopened(rules: Rules) -> Reopened:
    reopened: Reopened = {}
    for rule in rules.reopens:
        for field in rule.fields:
            for stage in rule.stages:
                reopened.setdefault((field, stage), []).append(rule.clause)
    return reopened


def _alone(one: Reopened, other: Reopened) -> Iterator[Reopening]:
    """What one side reopens and the other does not, as one rule for each stage and clause."""
    fields: dict[tuple[str, str], list[str]] = {}
    for (field, stage), clauses in one.items():
        if (field, stage) not in other:
            fields.setdefault((stage, clauses[0]), []).append(field)
    for (stage, clause), names in fields.items():
        yield Reopening(fields=tuple(names), stages=(stage,), clause=clause)


def _retention(before: Rules, after: Rules, clauses: Clauses) -> Iterator[Difference]:
    found = matched(before.retention, after.retention, lambda rule: rule.ending)
    yield from (removed(retention_statement(rule)) for rule in found.removed)
    yield from (added(retention_statement(rule)) for rule in found.added)
    for was, now in found.pairs:
        yield from restated(retention_statement(was), retention_statement(now))
        yield from clauses.moved(was.clause, retention_statement(now))
    if not found.in_order:
        yield Difference(RuleKind.RETENTION, _("The rules on how long proposals are kept stand in another order."))
