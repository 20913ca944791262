"""Retention and legal holds: whose time is over, what a disposal empties, what stays, and who may do it."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from governance import clock
from governance.audit.actions import seal_and_sign
from governance.audit.models import Event
from governance.policies.rules import Retention
from governance.refusals import Incomplete, NotPermitted, NotPossible, Stale
from tests.conftest import Institution
from tests.versions import adopted
from tests.workflows.auditing.test_erasure import as_person, later, send_what_is_left
from tests.workflows.auditing.world import PDF
from workflows.auditing.actions.erasure import dispose, lift_hold, place_hold
from workflows.auditing.checking import check_database
from workflows.auditing.erasing.plans import disposal_plan
from workflows.auditing.erasing.queries import kept, term_for, whose_time_is_over
from workflows.auditing.erasing.retention import Term, term_of
from workflows.auditing.models import Hold
from workflows.memos.actions import issue
from workflows.notices.models import Outbox
from workflows.proposals.actions import attach
from workflows.proposals.models import Audience, Comment, Proposal, Revision
from workflows.review import actions as review
from workflows.review.models import Decision

SIX_YEARS = timedelta(days=6 * 366)


# ---- the pure rule


RULES = (
    Retention.model_validate({"ending": "approved", "years": None, "clause": "11.1"}),
    Retention.model_validate({"ending": "declined", "years": 6, "clause": "11.2"}),
)


@pytest.mark.parametrize(
    ("ending", "ended_on", "term"),
    [
        ("approved", date(2026, 6, 11), Term(clause="11.1")),
        ("declined", date(2026, 6, 11), Term(until=date(2032, 6, 11), years=6, clause="11.2")),
        ("declined", date(2028, 2, 29), Term(until=date(2034, 3, 1), years=6, clause="11.2")),
        ("withdrawn", date(2026, 6, 11), Term()),
    ],
)
def test_a_term_is_what_the_policy_says(ending: str, ended_on: date, term: Term) -> None:
    assert term_of(RULES, ending, ended_on) == term


def test_a_term_is_over_on_its_last_day_and_never_without_one() -> None:
    term = Term(until=date(2032, 6, 11))
    assert [term.is_over(date(2032, 6, day)) for day in (10, 11, 12)] == [False, True, True]
    assert not Term().is_over(date(2999, 1, 1))


# ---- disposal


def with_retention(rules: dict[str, Any]) -> None:
    rules["retention"] = [
        {"ending": "approved", "years": None, "clause": "9.9"},
        {"ending": "declined", "years": 6, "clause": "9.9"},
    ]


@pytest.fixture
def declined(institution: Institution) -> Proposal:
    """Sent with a file and a note, commented on, and declined at the first stage, under rules of retention; its memo is
    issued."""
    adopted(institution, with_retention)
    return with_memos(decline(institution))


def with_memos(proposal: Proposal) -> Proposal:
    for decision in proposal.decisions.all():
        issue(decision_id=decision.pk)
    return Proposal.objects.get(pk=proposal.pk)


def decline(place: Institution, *, after: int = 0) -> Proposal:
    """A proposal that was declined after so many approvals."""
    draft = place.draft()
    attach(actor=draft.author, proposal=draft, name="letter.pdf", file=BytesIO(PDF))
    draft.refresh_from_db()
    review.submit(actor=draft.author, proposal=draft, seen=draft.version, note_to_reviewers="The letter is attached.")
    for _ in range(after):
        place.approve(draft)
    review.comment(actor=draft.author, proposal=draft, audience=Audience.EVERYONE, text="Thank you.", section="need")
    draft.refresh_from_db()
    item = place.item(draft)
    review.decline(actor=place.reviewer_of(item), item=item, seen=draft.version, reasons="Offered already.")
    return Proposal.objects.get(pk=draft.pk)


def disposed(place: Institution, proposal: Proposal, **given: Any) -> Proposal:
    said = {
        "actor": place.person("administrator"),
        "authority": "Clause 9.9",
        "reason": "Its six years are over.",
        "plan_digest": disposal_plan(proposal).digest,
    }
    dispose(proposal=proposal, **(said | given))
    return Proposal.objects.get(pk=proposal.pk)


@pytest.mark.django_db
def test_a_disposal_empties_the_contents_and_keeps_the_record(institution: Institution, declined: Proposal) -> None:
    file = declined.attachments.get()
    assert default_storage.exists(file.stored_name)
    before = {event.pk: bytes(event.body) for event in Event.objects.all()}
    reasons = list(Decision.objects.order_by("id").values_list("reasons", "by_name"))
    with later(days=SIX_YEARS.days):
        proposal = disposed(institution, declined)
    send_what_is_left()
    revision = Revision.objects.get()
    assert (revision.content_text, revision.note, revision.digest) == ("", "", declined.revisions.get().digest)
    assert Comment.objects.get().text == ""
    assert not proposal.draft_sections.exists()
    assert not default_storage.exists(file.stored_name)
    assert list(Decision.objects.order_by("id").values_list("reasons", "by_name")) == reasons
    assert {event.pk: bytes(event.body) for event in Event.objects.filter(pk__in=before)} == before
    event = Event.objects.latest("id")
    assert (event.verb, event.subject, event.sequence) == (
        "proposal.disposed-of",
        declined.subject,
        proposal.version,
    )
    assert event.facts["after"] == {
        "authority": "Clause 9.9",
        "emptied": {"submissions": 1, "comments": 1, "sections": 11, "files": 1},
    }
    assert event.sentence == "Daniel Fortin disposed of the contents of the proposal, under Clause 9.9."
    # What signs asks the real clock.
    with time_machine.travel(event.at + timedelta(minutes=1)):
        seal_and_sign(now=True)
        assert check_database(whole=True).report.failures == []


@pytest.mark.django_db
def test_a_file_that_another_proposal_holds_stays(institution: Institution, declined: Proposal) -> None:
    file = declined.attachments.get()
    another = institution.draft()
    attach(actor=another.author, proposal=another, name="the-same.pdf", file=BytesIO(PDF))
    with later(days=SIX_YEARS.days):
        disposed(institution, declined)
    send_what_is_left()
    assert default_storage.exists(file.stored_name)
    assert Outbox.objects.filter(task="auditing.discard_file", done_at__isnull=False).count() == 1


@pytest.mark.django_db
def test_a_file_that_was_discarded_can_be_attached_again(institution: Institution, declined: Proposal) -> None:
    with later(days=SIX_YEARS.days):
        disposed(institution, declined)
    send_what_is_left()
    another = institution.draft()
    file = attach(actor=another.author, proposal=another, name="the-same.pdf", file=BytesIO(PDF))
    with default_storage.open(file.stored_name) as stored:
        assert stored.read() == PDF


@pytest.mark.django_db
def test_what_is_kept_for_good_in_flight_or_not_long_enough_is_refused(institution: Institution) -> None:
    place = institution
    old = place.submitted()
    place.item(old)
    review.withdraw(actor=old.author, proposal=old, seen=old.version, reason="Too early.")
    adopted(place, with_retention)
    approved = place.at_stage("senate")
    place.approve(approved)
    flying, recent = place.submitted(), decline(place)
    with later(days=SIX_YEARS.days - 100):
        refused = {
            old: "The policy does not say how long it is kept, so it is kept for good.",
            approved: "The policy keeps it for good (clause 9.9).",
            flying: "This proposal has not ended.",
            recent: "The policy keeps it until",
        }
        for proposal, sentence in refused.items():
            proposal.refresh_from_db()
            with pytest.raises(NotPossible) as no:
                disposed(place, proposal)
            assert str(no.value).startswith(sentence)
    assert not Proposal.objects.exclude(disposed_at=None).exists()


@pytest.mark.django_db
def test_a_memo_that_is_still_to_be_made_needs_the_words(institution: Institution) -> None:
    adopted(institution, with_retention)
    proposal = decline(institution)
    with later(days=SIX_YEARS.days), pytest.raises(NotPossible, match=r"A decision memo .* is still to be issued"):
        disposed(institution, proposal)


@pytest.mark.django_db
def test_a_hold_on_it_or_on_its_author_keeps_it(institution: Institution, declined: Proposal) -> None:
    admin = institution.person("administrator")
    with later(days=SIX_YEARS.days):
        for held, sentence in ((declined, "stands on it"), (declined.author, "stands on its author")):
            hold = place_hold(actor=admin, on=held, reason="An inquiry.")
            with pytest.raises(NotPossible, match=sentence):
                disposed(institution, declined)
            lift_hold(actor=admin, hold=hold, reason="Closed.")
        disposed(institution, declined)
        declined.refresh_from_db()
        with pytest.raises(NotPossible, match="nothing can be said"):
            review.comment(actor=declined.author, proposal=declined, audience=Audience.EVERYONE, text="One thing more.")
        with pytest.raises(NotPossible, match="disposed of on"):
            disposed(institution, declined)
        with pytest.raises(NotPossible, match="Nothing is left to hold"):
            place_hold(actor=admin, on=declined, reason="An inquiry.")


@pytest.mark.django_db
def test_only_administrators_dispose_and_only_of_what_was_shown(institution: Institution, declined: Proposal) -> None:
    with later(days=SIX_YEARS.days):
        for key in ("author", "ad-hsci", "secretary", "observer", "stranger"):
            with pytest.raises(NotPermitted):
                disposed(institution, declined, actor=institution.person(key))
        shown = disposal_plan(declined).digest
        review.comment(actor=declined.author, proposal=declined, audience=Audience.EVERYONE, text="One thing more.")
        with pytest.raises(Stale):
            disposed(institution, declined, plan_digest=shown)
        for words in ({"authority": ""}, {"reason": " "}):
            with pytest.raises(Incomplete):
                disposed(institution, declined, **words)


# ---- the list


@pytest.mark.django_db
def test_the_list_has_those_that_are_over_and_those_that_soon_will_be(institution: Institution) -> None:
    place = institution
    adopted(place, with_retention)
    first = decline(place)
    with later(days=60):
        second = decline(place)
    with later(days=120):
        decline(place)
    assert term_for(first).years == 6
    with clock.at(clock.now().replace(year=clock.now().year + 6)):
        rows = kept(whose_time_is_over().order_by("id"))
        assert [(row.proposal, row.is_over, row.term.clause) for row in rows] == [
            (first, True, "9.9"),
            (second, False, "9.9"),
        ]
        place_hold(actor=place.person("administrator"), on=second.author, reason="An inquiry.")
        assert [row.hold is not None for row in kept(whose_time_is_over())] == [True, True]


@pytest.mark.django_db
def test_the_list_costs_the_same_for_one_and_for_many(
    institution: Institution, django_assert_max_num_queries: Any
) -> None:
    adopted(institution, with_retention)
    client = as_person(institution, "administrator")
    for count in (1, 4):
        while Proposal.objects.count() < count:
            decline(institution)
        with later(days=SIX_YEARS.days):
            place_hold(
                actor=institution.person("administrator"), on=Proposal.objects.latest("id"), reason="An inquiry."
            )
            with django_assert_max_num_queries(12):
                page = client.get(reverse("retention")).content.decode()
            assert page.count('data-label="Kept until"') == count
            with django_assert_max_num_queries(8):
                client.get(reverse("holds"))


# ---- pages


@pytest.mark.django_db
def test_a_disposal_takes_two_steps(institution: Institution, declined: Proposal) -> None:
    client, address = (
        as_person(institution, "administrator"),
        reverse("retention-proposal", args=[declined.reference]),
    )
    assert "The policy keeps it until" in client.get(address).content.decode()
    with later(days=SIX_YEARS.days):
        assert address in client.get(reverse("retention")).content.decode()
        page = client.get(address).content.decode()
        assert "What 1 submission said" in page
        assert "Clause 9.9 of version 2 kept it until" in page
        said = {"plan": disposal_plan(declined).digest, "authority": "Clause 9.9", "reason": ""}
        assert "Say why it is disposed of" in client.post(address, said).content.decode()
        said["reason"] = "Its time is over."
        assert "What the record will say" in client.post(address, said).content.decode()
        assert Proposal.objects.get().disposed_at is None
        answer = client.post(reverse("retention-dispose", args=[declined.reference]), said, follow=True)
        assert "were disposed of" in answer.content.decode()
        assert "still verify" in answer.content.decode()
        assert client.post(reverse("retention-dispose", args=[declined.reference]), said).status_code == 409
    assert Proposal.objects.get().disposed_at is not None


@pytest.mark.django_db
def test_a_draft_that_was_never_sent_is_nobodys_to_list(institution: Institution) -> None:
    draft = institution.draft()
    client = as_person(institution, "administrator")
    assert client.get(reverse("retention-proposal", args=[draft.reference])).status_code == 404


@pytest.mark.django_db
def test_pages_of_a_proposal_that_was_disposed_of_say_so(institution: Institution) -> None:
    adopted(institution, with_retention)
    declined = with_memos(decline(institution, after=2))
    # Read before, so that a page that was drawn and remembered is not shown again.
    client = as_person(institution, "author")
    address = f"/proposals/{declined.reference}/"
    assert "26 employers rank data stewardship" in client.get(address).content.decode()
    download = reverse("attachment", args=[declined.reference, declined.attachments.get().digest])
    with later(days=SIX_YEARS.days):
        disposed(institution, declined)
        for key in ("author", "ad-hsci", "ugc", "observer"):
            page = as_person(institution, key).get(address)
            assert page.status_code == 200
            text = page.content.decode()
            assert "What it said was disposed of on" in text
            assert "The words were disposed of." in text
            assert "26 employers" not in text
            # Who answered, and why, is still there, in the stages that it came to.
            assert "Declined by Louis Beaudry" in text
            assert "Approved by Marc Lavoie" in text
            assert "disposed of the contents of the proposal" in text
            answer = as_person(institution, key).get(download)
            assert answer.status_code == 409
            assert "The files of this proposal were disposed of" in answer.content.decode()
        assert client.get("/proposals/").status_code == 200
        administrator = as_person(institution, "administrator")
        version = declined.policy_version
        assert version is not None
        assert declined.reference in as_person(institution, "observer").get("/proposals/all/").content.decode()
        assert administrator.get(f"{version.get_absolute_url()}decided/").status_code == 200


@pytest.mark.django_db
def test_a_hold_is_placed_and_lifted_on_the_record(institution: Institution, declined: Proposal) -> None:
    client = as_person(institution, "administrator")
    answer = client.post(reverse("hold-place"), {"on": "MC-1999-0001", "reason": "An inquiry."})
    assert "There is no such proposal or person" in answer.content.decode()
    for on in (declined.reference, "author@kawartha.example", f"person/{institution.people['ctl'].pk}"):
        answer = client.post(reverse("hold-place"), {"on": on, "reason": "An inquiry."}, follow=True)
        assert "The legal hold stands." in answer.content.decode()
        assert client.post(reverse("hold-place"), {"on": on, "reason": "Again."}).status_code == 409
    page = client.get(reverse("holds")).content.decode()
    assert "Nadia Rahimi" in page
    assert "Priya Venkataraman" in page
    event = Event.objects.filter(verb="hold.placed").order_by("id")[1]
    assert event.sentence == "Daniel Fortin placed a legal hold on Nadia Rahimi."
    assert b"Nadia" not in bytes(event.body)
    hold = Hold.objects.get(subject=f"person/{declined.author_id}")
    assert "Say why it is lifted" in client.post(reverse("hold-lift", args=[hold.pk]), {}).content.decode()
    client.post(reverse("hold-lift", args=[hold.pk]), {"reason": "Closed."})
    assert client.post(reverse("hold-lift", args=[hold.pk]), {"reason": "Closed."}).status_code == 409
    event = Event.objects.latest("id")
    assert (event.verb, event.sequence, event.reason) == ("hold.lifted", 2, "Closed.")
    assert "Closed." in client.get(reverse("holds"), {"all": "1"}).content.decode()
    assert "Nadia Rahimi" not in client.get(reverse("holds")).content.decode()
    # Why it is held is not for everybody who may see the proposal.
    page = as_person(institution, "author").get(f"/proposals/{declined.reference}/").content.decode()
    assert "An inquiry." not in page


@pytest.mark.django_db
def test_visitors_are_asked_to_sign_in(client: Client) -> None:
    for name in ("personal-data", "retention", "holds", "hold-place"):
        assert client.get(reverse(name)).headers["Location"].startswith("/sign-in/")
