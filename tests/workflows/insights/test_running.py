"""A replay is asked for by an administrator, taken further by workers that may be killed, and each proposal counts
once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from governance import clock
from governance.policies.actions import save_draft
from governance.policies.models import PolicyVersion
from governance.policies.rules import Check, Requirement
from governance.refusals import Incomplete, NotPermitted, NotPossible
from tests.conftest import Institution, drop_triggers, install_triggers
from tests.samples import complete_content
from tests.workflows.insights.world import SHIPPED, approved, declined, deliver_replays, drafted, withdrawn, without
from workflows.insights import actions
from workflows.insights.cases import Period, last_event
from workflows.insights.models import Finding, Replay, Standing
from workflows.insights.replay import Result
from workflows.notices.models import Outbox
from workflows.proposals.models import Proposal, Revision
from workflows.review import actions as review

MONDAY = datetime(2026, 10, 12, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "BATCH", 2)


@pytest.fixture
def past(institution: Institution) -> Institution:
    """Three undergraduate proposals that were approved, one declined, one withdrawn, one graduate, one still open."""
    for title in ("First", "Second", "Third"):
        approved(institution, content=complete_content(title=title))
    declined(institution)
    withdrawn(institution)
    approved(institution, content=complete_content(level="graduate"))
    institution.submitted()
    return institution


def started(institution: Institution, version: PolicyVersion | None = None, **given: Any) -> Replay:
    version = version or drafted(institution, **without("undergraduate-council"))
    return actions.start(actor=institution.person("administrator"), version=version, **given)


def finished(institution: Institution, version: PolicyVersion | None = None, **given: Any) -> Replay:
    replay = started(institution, version, **given)
    deliver_replays()
    return Replay.objects.get(pk=replay.pk)


def test_a_replay_comes_to_its_end_through_the_outbox(past: Institution) -> None:
    replay = started(past)
    assert (replay.get_standing(), replay.total) == (Standing.WAITING, 6)
    deliver_replays()
    replay.refresh_from_db()
    assert (replay.get_standing(), replay.done, replay.total) == (Standing.DONE, 6, 6)
    assert replay.tally.results == {"same": 3, "route": 3}
    assert [finding.proposal.title for finding in replay.findings.select_related("proposal")] == [
        "First",
        "Second",
        "Third",
    ]
    assert past.policy is not None
    assert replay.compared == [{"key": past.policy.pk, "number": 1, "digest": past.policy.digest, "proposals": 6}]
    assert replay.digest == replay.version.digest
    assert replay.last_event == last_event()
    assert replay.tally.unlike_record == 0
    assert [(message.to, message.subject) for message in mail.outbox][-1] == (
        ["administrator@kawartha.example"],
        "Replay of Micro-credential approval policy, version 2, is done",
    )


def test_a_version_replayed_over_what_it_governed_changes_nothing(past: Institution) -> None:
    replay = finished(past, past.policy)
    assert replay.tally.results == {"same": 6}
    assert (replay.tally.unlike_record, replay.tally.halves_before) == (0, replay.tally.halves_after)
    assert not replay.findings.exists()


def test_killed_after_any_batch_it_goes_on_where_it_was(past: Institution, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = finished(past)
    replay = started(past, whole.version)
    keep = actions._keep

    def killed(replay: Replay, batch: Any) -> None:
        keep(replay, batch)
        raise KeyboardInterrupt

    monkeypatch.setattr(actions, "_keep", killed)
    for times in range(1, 4):
        with pytest.raises(KeyboardInterrupt):
            actions.run(replay_id=replay.pk)
        replay.refresh_from_db()
        assert replay.done == 2 * times
    monkeypatch.setattr(actions, "_keep", keep)
    actions.run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert replay.get_standing() is Standing.DONE
    assert replay.tally == whole.tally
    found = [list(one.findings.values_list("proposal", "result", "marks")) for one in (replay, whole)]
    assert found[0] == found[1]


def test_killed_before_a_batch_is_kept_nothing_of_it_counts_twice(
    past: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = started(past)

    def killed(replay: Replay, batch: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(actions, "_keep", killed)
        with pytest.raises(KeyboardInterrupt):
            actions.run(replay_id=replay.pk)
    actions.run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert (replay.done, replay.tally.cases) == (6, 6)


@pytest.mark.parametrize("seconds", [-1, 60])
def test_two_workers_at_once_count_each_proposal_once(
    past: Institution, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """Between the first one's reading and keeping of a batch, the second comes one batch further, or to the end."""
    replay = started(past)
    keep = actions._keep

    def after_another(seen: Replay, batch: Any) -> None:
        monkeypatch.setattr(actions, "_keep", keep)
        actions.run(replay_id=replay.pk, seconds=seconds)
        keep(seen, batch)

    monkeypatch.setattr(actions, "_keep", after_another)
    actions.run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert (replay.done, replay.tally.cases, replay.findings.count()) == (6, 6, 3)
    assert Outbox.objects.filter(key=f"replay-done:{replay.pk}").count() == 1


def test_run_again_when_it_is_over_does_nothing(past: Institution) -> None:
    replay = finished(past)
    actions.run(replay_id=replay.pk)
    assert Replay.objects.get(pk=replay.pk).done == 6


def test_other_work_has_its_turn_between_batches(past: Institution) -> None:
    replay = started(past)
    actions.run(replay_id=replay.pk, seconds=-1)
    replay.refresh_from_db()
    assert (replay.get_standing(), replay.done) == (Standing.RUNNING, 2)
    assert replay.left() is not None
    turns = Outbox.objects.filter(task="insights.replay").order_by("id").values_list("key", flat=True)
    assert list(turns) == [f"replay:{replay.pk}:0:0", f"replay:{replay.pk}:{replay.position}:0"]
    deliver_replays()
    replay.refresh_from_db()
    assert replay.get_standing() is Standing.DONE


def test_stopped_it_goes_no_further(past: Institution) -> None:
    replay = started(past)
    actions.run(replay_id=replay.pk, seconds=-1)
    actions.stop(actor=past.person("drafter"), replay=replay)
    deliver_replays()
    replay.refresh_from_db()
    assert (replay.get_standing(), replay.done) == (Standing.STOPPED, 2)
    with pytest.raises(NotPossible, match="over already"):
        actions.stop(actor=past.person("drafter"), replay=replay)


def test_stopped_while_a_batch_is_worked_out_the_batch_is_not_kept(
    past: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = started(past)
    keep = actions._keep

    def stopped_first(seen: Replay, batch: Any) -> None:
        actions.stop(actor=past.person("administrator"), replay=replay)
        keep(seen, batch)

    monkeypatch.setattr(actions, "_keep", stopped_first)
    actions.run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert (replay.get_standing(), replay.done) == (Standing.STOPPED, 0)


@pytest.fixture
def damaged(past: Institution) -> Proposal:
    """The second proposal's words as nobody can read them."""
    second = Proposal.objects.get(title="Second")
    drop_triggers()
    Revision.objects.filter(proposal=second).update(content_text='{"summary": {"colour": "blue"}}')
    install_triggers()
    return second


def test_a_proposal_that_cannot_be_read_is_named_and_can_be_left_out(past: Institution, damaged: Proposal) -> None:
    replay = finished(past)
    assert replay.get_standing() is Standing.FAILED
    assert replay.failed_on == damaged
    assert "colour" in replay.error
    assert "blue" not in replay.error  # who replays may not see what a proposal says
    replay = actions.go_on_without(actor=past.person("administrator"), replay=replay)
    deliver_replays()
    replay.refresh_from_db()
    assert (replay.get_standing(), replay.done, replay.left_out) == (Standing.DONE, 5, [damaged.pk])
    with pytest.raises(NotPossible):
        actions.go_on_without(actor=past.person("administrator"), replay=replay)


def test_what_was_finished_never_changes(past: Institution) -> None:
    replay = finished(past)
    replay.result = "{}"
    with pytest.raises(Exception, match="append-only"):
        replay.save()


# ---- over which past


@pytest.mark.parametrize(
    ("given", "titles"),
    [
        ({"kind": "non-academic"}, []),
        ({"ended": Period(date(2026, 10, 13), date(2026, 10, 13))}, ["Tuesday"]),
        ({"ended": Period(None, date(2026, 10, 12))}, ["Monday"]),
        ({"ended": Period(date(2026, 10, 13), None)}, ["Tuesday", "Wednesday"]),
    ],
)
def test_the_past_is_narrowed_down(institution: Institution, given: dict[str, Any], titles: list[str]) -> None:
    for days, title in enumerate(["Monday", "Tuesday", "Wednesday"]):
        # Late in the evening where the institution is, which is the next day elsewhere.
        with clock.at(MONDAY + timedelta(days=days, hours=11)):
            approved(institution, content=complete_content(title=title))
    version = drafted(institution, **without("undergraduate-council"))
    if not titles:
        with pytest.raises(NotPossible, match="nothing to replay"):
            started(institution, version, **given)
        return
    replay = finished(institution, version, **given)
    assert [finding.proposal.title for finding in replay.findings.select_related("proposal")] == titles


def test_a_faculty_is_everything_in_it(institution: Institution) -> None:
    approved(institution, content=complete_content(title="Health"))
    approved(institution, author="author-eng", unit="ENG", content=complete_content(title="Engineering"))
    version = drafted(institution, **without("undergraduate-council"))
    totals = {code: started(institution, version, unit=institution.units[code]).total for code in ("KU", "HSCI", "ENG")}
    assert totals == {"KU": 2, "HSCI": 1, "ENG": 1}


def test_time_in_stage_is_the_institutions_own(institution: Institution) -> None:
    """Two proposals were with the Associate Dean for two and four working days; Senate was never come to."""
    for days in (2, 4):
        with clock.at(MONDAY):
            proposal = institution.submitted()
        with clock.at(MONDAY + timedelta(days=days)):
            item = institution.item(proposal)
            review.decline(
                actor=institution.reviewer_of(item), item=item, seen=proposal.version, reasons="It is taught already."
            )
    with clock.at(MONDAY + timedelta(days=4)):
        replay = finished(institution, drafted(institution, **without("associate-dean")))
    assert replay.typed_times["associate-dean"].halves == 6
    assert replay.typed_times["associate-dean"].stays == 2
    # Six halves each at the Associate Dean; without it, all other stages with their due days: 10, 15 and 20.
    assert (replay.tally.halves_before, replay.tally.halves_after) == (12, 2 * 2 * (10 + 15 + 20))


# ---- what was run


def test_a_draft_changed_meanwhile_is_replayed_as_it_was_and_then_out_of_date(past: Institution) -> None:
    version = drafted(past, **without("undergraduate-council"))
    replay = started(past, version)
    more = Requirement(field="need.evidence", check=Check.AT_LEAST, number=2, says="Add two", clause="3.3")
    changed = SHIPPED.rules.model_copy(update={"requires": (*SHIPPED.rules.requires, more)})
    data = {**changed.model_dump(mode="json", by_alias=True), "effective_from": "2027-07-01"}
    save_draft(actor=past.person("drafter"), version=version, seen=0, rules=data)
    deliver_replays()
    replay = Replay.objects.select_related("version").get(pk=replay.pk)
    assert replay.tally.results == {"same": 3, "route": 3}
    assert replay.is_of_other_words
    assert replay.is_out_of_date(last_event())


def test_a_new_decision_puts_it_out_of_date_and_a_comment_does_not(past: Institution) -> None:
    replay = finished(past)
    assert not replay.is_out_of_date(last_event())
    still_open = Proposal.objects.get(state="in_review")
    review.comment(actor=past.person("ad-hsci"), proposal=still_open, audience="everyone", text="Which weeks?")
    assert not replay.is_out_of_date(last_event())
    past.approve(still_open)
    assert replay.is_out_of_date(last_event())


def test_rules_that_cannot_be_used_are_not_replayed(past: Institution) -> None:
    version = drafted(past)
    save_draft(actor=past.person("drafter"), version=version, seen=0, rules={"title": "Half a policy"})
    with pytest.raises(Incomplete) as caught:
        started(past, version)
    assert "route" in caught.value.gaps


@pytest.mark.parametrize("key", ["author", "senate", "observer", "stranger"])
def test_only_administrators_replay(past: Institution, key: str) -> None:
    version = drafted(past, **without("undergraduate-council"))
    person = past.person(key)
    with pytest.raises(NotPermitted):
        actions.start(actor=person, version=version)
    replay = started(past, version)
    with pytest.raises(NotPermitted):
        actions.stop(actor=person, replay=replay)
    with pytest.raises(NotPermitted):
        actions.go_on_without(actor=person, replay=replay)


def test_findings_keep_the_way_as_it_was_and_as_it_would_have_been(past: Institution) -> None:
    finding = finished(past).findings.order_by("id").first()
    assert isinstance(finding, Finding)
    assert finding.before == {
        "stages": ["Associate Dean", "Centre for Teaching and Learning", "Undergraduate Council", "Senate"],
        "ended": "approved",
    }
    assert finding.after["stages"] == ["Associate Dean", "Centre for Teaching and Learning", "Senate"]
    assert (finding.result, finding.marks, finding.number) == (
        Result.ROUTE.value,
        "|loses:undergraduate-council|",
        1,
    )
