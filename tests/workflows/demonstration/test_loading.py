"""Loading the demonstration: through the real actions, into an empty database only, to where its files promise."""

import json
import re
import shutil
from datetime import date, datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import Model
from django.test import Client, TestCase, override_settings
from django.urls import reverse

from governance import clock
from governance.audit import keys
from governance.audit.actions import ASSENT, record, seal_and_sign
from governance.audit.models import Event, Leaf, Pending
from governance.audit.queries import LOG, keys_of_log, latest_checkpoint
from governance.audit.verbs import Verb
from governance.audit.verifier import LogCheck, Report
from governance.people.actions import refresh_grants
from governance.people.duties import Right, duties_that_allow
from governance.people.models import Body, Mandate, Unit, User
from governance.policies.at_a_date import at_a_date
from governance.policies.checking import check
from governance.policies.institution import soundness_of
from governance.policies.models import PolicyVersion
from governance.policies.queries import in_force
from workflows.auditing.source import DatabaseSource
from workflows.demonstration.loading import load
from workflows.demonstration.reading import FOLDER, read_demonstration, read_institution
from workflows.memos.models import Memo
from workflows.notices.models import Outbox
from workflows.proposals.models import Attachment, Proposal
from workflows.proposals.states import State
from workflows.review.models import Condition, Decision, WorkItem
from workflows.review.permits import Act, refusal
from workflows.review.queries import standing

pytestmark = pytest.mark.django_db
EVERYTHING: list[type[Model]] = [User, Unit, Body, PolicyVersion, Proposal, Event, Outbox]


def demo(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def nothing_there() -> bool:
    return not any(model._default_manager.exists() for model in EVERYTHING)


def person(sign_in: str) -> User:
    return User.objects.get(email=read_institution().email(sign_in))


def of_title(start: str) -> Proposal:
    return Proposal.objects.get(title__startswith=start)


class TestWhatIsThereAfterwards(TestCase):
    """Loaded once for all of these, which only read."""

    @classmethod
    def setUpTestData(cls) -> None:
        storage = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
        hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        cls.enterClassContext(override_settings(KEY_FOLDER=cls.enterClassContext(TemporaryDirectory())))
        with override_settings(STORAGES=settings.STORAGES | {"default": storage}, PASSWORD_HASHERS=hashers):
            load(read_demonstration())

    def test_proposals_stand_where_their_files_promise(self) -> None:
        read = read_demonstration()
        stands = {
            proposal.title: (
                proposal.state,
                ", ".join(proposal.work_items.filter(closed_at=None).values_list("stage_key", flat=True)),
                proposal.revision_number,
            )
            for proposal in Proposal.objects.all()
        }
        assert stands == {
            told.proposal.content.summary.title: (
                told.proposal.expect.state,
                told.proposal.expect.stage,
                told.proposal.expect.submissions,
            )
            for told in read.tales
        }
        late = {item.proposal.title for item in WorkItem.objects.filter(closed_at=None, due_on__lt=clock.today())}
        assert late == {told.proposal.content.summary.title for told in read.tales if told.proposal.expect.late}

    def test_the_record_is_complete_and_in_order_of_time(self) -> None:
        events = list(Event.objects.order_by("id"))
        assert all(before.at <= after.at for before, after in pairwise(events))
        assert events[-1].at < clock.now()
        for proposal in Proposal.objects.all():
            stream = [event for event in events if event.subject == proposal.subject]
            assert [event.sequence for event in stream] == list(range(1, proposal.version + 1))
            assert stream[0].at == proposal.created_at
        numbers = list(Decision.objects.order_by("id").values_list("event_number", flat=True))
        assert numbers == [event.pk for event in events if event.verb.startswith("decision.")]
        assert not any("…" in event.sentence for event in events if event.verb != "memo.issued")

    def test_the_record_is_sealed_and_signed_to_its_end_and_verifies(self) -> None:
        assert not Pending.objects.exclude(event__subject=LOG).exists()
        source, report = DatabaseSource(), Report()
        assert source.size == Event.objects.count() - Pending.objects.count()
        LogCheck(source, report).run()
        assert report.failures == []

    def test_every_memo_was_made_under_a_checkpoint_over_its_decision(self) -> None:
        memos = list(Memo.objects.select_related("decision", "checkpoint"))
        assert len(memos) > 60
        for memo in memos:
            assert Leaf.objects.get(event=memo.decision.event_number).index < memo.checkpoint.size
            assert memo.decision.at < memo.checkpoint.at <= memo.issued_at

    def test_references_follow_the_order_of_creation_and_its_year(self) -> None:
        proposals = list(Proposal.objects.order_by("created_at"))
        assert [proposal.pk for proposal in proposals] == sorted(proposal.pk for proposal in proposals)
        for proposal in proposals:
            year = proposal.created_at.astimezone(ZoneInfo("America/Toronto")).year
            assert re.fullmatch(rf"MC-{year}-\d{{4}}", proposal.reference)

    def test_whoever_decided_held_a_mandate_that_day_and_no_other_part_in_it(self) -> None:
        decisions = list(Decision.objects.select_related("proposal", "body", "by"))
        assert len(decisions) > 60
        for decision in decisions:
            day = decision.at.astimezone(ZoneInfo("America/Toronto")).date()
            held = Mandate.objects.in_force(day).filter(user=decision.by, body=decision.body)
            assert held.filter(duty__in=duties_that_allow(Right.DECIDE)).exists()
            assert decision.by_id != decision.proposal.author_id
            others = Decision.objects.filter(proposal=decision.proposal, by=decision.by).exclude(pk=decision.pk)
            if not decision.policy_version.typed_rules.duties.one_person_many_stages.allowed:
                assert {other.stage_key for other in others} <= {decision.stage_key}
            # It was first sent while the version was in force.
            assert decision.proposal.submitted_at is not None
            sent = decision.proposal.submitted_at.astimezone(ZoneInfo("America/Toronto")).date()
            assert in_force("micro-credential-approval", sent) == decision.policy_version

    def test_a_memo_names_who_decided_then_and_under_which_version(self) -> None:
        decision = of_title("Welding Inspection").decisions.get(stage_key="senate")
        assert (decision.by_name, decision.by_title) == ("William Ashdown", "President, Chair of Senate")
        assert decision.by.title == "President Emeritus"
        assert decision.policy_version.number == 1
        centre = of_title("Sensors on Small Lakes").decisions.get(stage_key="teaching-centre")
        assert centre.body_name == "Centre for Teaching Innovation"
        assert centre.body.name == "Centre for Teaching and Learning"

    def test_grants_are_those_of_today(self) -> None:
        assert refresh_grants() == 0
        assert Mandate.objects.filter(ends_on__lt=clock.today()).exists()
        assert Mandate.objects.filter(starts_on__gt=clock.today()).exists()

    def test_every_decision_and_nothing_else_asks_for_a_memo(self) -> None:
        memos = Outbox.objects.filter(task="memos.render")
        assert sorted(memo.payload["decision_id"] for memo in memos) == sorted(
            Decision.objects.values_list("pk", flat=True)
        )

    def test_conditions_attachments_and_the_policy_are_there(self) -> None:
        assert Condition.objects.filter(decision__stage_key="senate").count() == 2
        assert {file.media_type for file in Attachment.objects.all()} == {"application/pdf", "image/png"}
        *law, fourth = PolicyVersion.objects.order_by("number")
        assert [version.status for version in law] == ["superseded", "superseded", "in-force"]
        for version in law:
            assert version.drafted_by != version.adopted_by
            assert version.adopted_at is not None and version.adopted_at.date() < version.effective_from
        assert in_force("micro-credential-approval") == law[2]
        assert (fourth.status, fourth.effective_from > clock.today()) == ("draft", True)
        turned = Event.objects.filter(verb__in=["policy.in-force", "policy.superseded"])
        for event in turned:  # each on its day, not when somebody happened to come by
            day = event.at.astimezone(ZoneInfo("America/Toronto")).date()
            assert day in {version.effective_from for version in law}
        assert turned.count() == 5

    def test_the_past_had_other_people_and_one_body_less(self) -> None:
        then = at_a_date(date(2024, 3, 15))
        senate = next(body for body in then.bodies if body.code == "SEN")
        assert [seat.person for seat in senate.gone] == ["William Ashdown", "Dylan Okafor"]
        assert [body.name for body in then.set_up_since] == ["Centre for Teaching and Learning"]
        assert {seat.person for body in then.bodies for seat in body.gone} >= {"Eleanor Prescott", "Bruno Castellani"}
        law = next(body for body in then.bodies if body.code == "AD-LAWJ")
        assert law.then[0].name_then == "Geneviève Roy-Bélanger"
        version = then.policies[0].version
        assert version is not None and version.number == 1

    def test_every_version_is_sound_on_its_first_day_and_the_draft_could_be_proposed(self) -> None:
        for policy in read_demonstration().policies:
            assert soundness_of(policy.rules).faults == ()

    def test_the_chair_who_approved_as_associate_dean_is_kept_from_deciding_again(self) -> None:
        proposal = of_title("Outdoor Inquiry")
        item = proposal.work_items.get(closed_at=None)
        no = refusal(Act.APPROVE, standing(person("louise.beaudry"), proposal, item))
        assert no is not None and "clause 8.2" in str(no)
        assert refusal(Act.APPROVE, standing(person("desmond.clarke"), proposal, item)) is None

    def test_every_sign_in_works_and_every_duty_has_one(self) -> None:
        institution = read_institution()
        for one in institution.sign_ins:
            assert self.client.login(username=institution.email(one.person), password=institution.password)
        duties = Mandate.objects.in_force().filter(
            user__email__in=[institution.email(o.person) for o in institution.sign_ins]
        )
        assert set(duties.values_list("duty", flat=True)) == {
            "proposer", "officer", "reviewer", "chair", "member", "secretary", "observer",
        }  # fmt: skip
        assert {one.person for one in institution.sign_ins if person(one.person).is_staff} == {
            "helen.osei",
            "daniel.fortin",
        }

    def test_what_the_sign_ins_promise_is_so(self) -> None:
        def waiting(*codes: str) -> list[WorkItem]:
            return list(WorkItem.objects.filter(closed_at=None, body__code__in=codes).select_related("proposal"))

        def late(items: list[WorkItem]) -> int:
            return sum(item.due_on < clock.today() for item in items)

        assert (len(waiting("AD-HSCI")), late(waiting("AD-HSCI"))) == (3, 1)
        assert (len(waiting("CTL")), late(waiting("CTL"))) == (6, 2)
        assert [len(waiting(code)) for code in ("UGC", "GC", "SEN")] == [1, 1, 1]
        changed = [
            item.proposal
            for item in waiting("CTL")
            if item.proposal.looks.filter(
                user=person("priya.venkataraman"), revision_number__lt=item.proposal.revision_number
            ).exists()
        ]
        assert len(changed) == 2
        assert person("nadia.rahimi").proposals.get().decisions.filter(outcome="return").count() == 2
        draft = PolicyVersion.objects.get(number=4)
        assert check(json.loads(draft.rules), draft.text).rules is not None  # ready to be replayed
        assert draft.drafted_by != person("helen.osei")  # so that she may adopt it


@pytest.mark.once
@pytest.mark.parametrize(
    "today",
    [
        datetime(2026, 12, 27, 12, 0, tzinfo=ZoneInfo("America/Toronto")),  # the Sunday after Christmas
        datetime(2027, 3, 1, 0, 10, tzinfo=ZoneInfo("America/Toronto")),
    ],
)
def test_it_looks_the_same_on_another_day(today: datetime) -> None:
    with clock.at(today):
        load(read_demonstration())  # holds every story to its promise, late or not
        assert Event.objects.latest("id").at < today
        assert not Proposal.objects.filter(state=State.IN_REVIEW, since__gt=today).exists()


# ---- the command


@pytest.mark.once
def test_demo_fills_an_empty_database_and_says_how_far_it_is() -> None:
    said = demo()
    assert "31 proposals" in said
    assert said.endswith("The demonstration is loaded.\n")
    assert Proposal.objects.count() == 31


def test_demo_again_says_that_it_is_loaded_whatever_visitors_did_since(tmp_path: Path) -> None:
    load(read_demonstration(copied(tmp_path, only="drone-survey-practice")))
    User.objects.create_user("visitor@elsewhere.example", "A visitor")
    before = Event.objects.count()
    assert demo() == "The demonstration is already loaded.\n"
    assert Event.objects.count() == before


def test_demo_refuses_a_database_that_holds_anything_else() -> None:
    User.objects.create_superuser("admin@university.ca", "password")
    with pytest.raises(CommandError, match=r"not empty \(people: 1, events: 1\)"):
        demo()
    assert User.objects.count() == 1


def test_demo_after_an_earlier_one_was_thrown_away_begins_a_log_of_its_own(tmp_path: Path, settings: Any) -> None:
    """`make demo` on a database that was removed, while the key folder stayed."""
    settings.DEMONSTRATION = True
    folder = Path(settings.KEY_FOLDER)
    old = an_earlier_log()
    assert demo("--from", one_proposal(tmp_path)).endswith("The demonstration is loaded.\n")
    key = keys.load()
    assert key is not None
    assert [*map(str, keys_of_log())] == [str(key.public)]
    checkpoint = latest_checkpoint()
    assert checkpoint is not None
    assert keys.head() == checkpoint.note
    assert str(key) != old.key
    assert {path.read_text() for path in folder.glob("*.set-aside")} == {f"{old.key}\n", old.head}


def test_demo_beside_the_log_of_a_real_installation_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.DEMONSTRATION = False
    old = an_earlier_log()
    with pytest.raises(CommandError, match=r"^.*keys holds the last checkpoint of another log") as error:
        demo("--from", one_proposal(tmp_path))
    assert "\n" not in str(error.value)
    assert (str(keys.load()), keys.head()) == (old.key, old.head)
    assert nothing_there()


def test_demo_that_fails_leaves_no_log_behind(tmp_path: Path, settings: Any) -> None:
    settings.DEMONSTRATION = True
    folder = one_proposal(tmp_path)
    path = Path(folder) / "proposals" / "drone-survey-practice.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("state: draft", "state: approved"), encoding="utf-8")
    with pytest.raises(CommandError, match="ends with draft"):
        demo("--from", folder)
    assert (keys.load(), keys.head(), nothing_there()) == (None, "", True)


class EarlierLog(NamedTuple):
    key: str
    head: str


def an_earlier_log() -> EarlierLog:
    """Key and head of a log whose database is gone."""
    before = transaction.savepoint()
    with transaction.atomic():
        record(verb=Verb.UNIT_ADDED, subject="unit/OLD", actor=ASSENT)
    seal_and_sign(now=True)
    transaction.savepoint_rollback(before)
    return EarlierLog(str(keys.load()), keys.head())


def one_proposal(tmp_path: Path) -> str:
    return str(copied(tmp_path, only="drone-survey-practice"))


@pytest.mark.once
def test_a_malformed_file_is_one_line_and_nothing_is_loaded(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    path = folder / "proposals" / "drone-survey-practice.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("kind: academic", "kind: vocational"), encoding="utf-8")
    with pytest.raises(CommandError) as error:
        demo("--from", str(folder))
    assert str(error.value).startswith(f"{path}: line 11, content.summary.kind: ")
    assert "\n" not in str(error.value)
    assert nothing_there()


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "old", "new", "place", "says"),
    [
        # The actions themselves refuse these; the files alone look right.
        (
            "land-based-learning-facilitation",
            "by: louise.beaudry",
            "by: marc.lavoie",
            "story.3",
            "You hold no duty today",
        ),
        ("small-modular-reactor-safety", "stage: associate-dean", "stage: senate", "story.3", "not at senate"),
        ("land-based-learning-facilitation", "    pass_rule: ", "    pass_rule: '' # ", "story.2", "not complete"),
        (
            "land-based-learning-facilitation",
            "author: erin.whiteduck",
            "author: yuki.tanaka",
            "story.0",
            "Faculty of Education",
        ),
        ("drone-survey-practice", "state: draft", "state: approved", "expect.state", "ends with draft"),
    ],
)
def test_a_step_that_is_refused_is_named_and_nothing_is_loaded(
    tmp_path: Path, name: str, old: str, new: str, place: str, says: str
) -> None:
    path = copied(tmp_path, only=name) / "proposals" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CommandError) as error:
        demo("--from", str(path.parent.parent))
    sentence = str(error.value)
    assert re.match(rf"{re.escape(str(path))}: line \d+, {place}: ", sentence), sentence
    assert says in sentence
    assert "\n" not in sentence
    assert nothing_there()


def copied(tmp_path: Path, *, only: str = "") -> Path:
    """A copy of the files to break something in; with one proposal alone where the others only take time."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "demo"))
    for path in folder.glob("proposals/*.yaml") if only else ():
        if path.stem != only:
            path.unlink()
    return folder


# ---- signing in


def test_sign_ins_are_a_table_and_nothing_else() -> None:
    lines = demo("--sign-ins").splitlines()
    institution = read_institution()
    assert institution.password in lines[0]
    assert [line.split()[0] for line in lines[1:]] == [institution.email(one.person) for one in institution.sign_ins]
    assert nothing_there()


def test_the_sign_in_page_shows_them_in_a_demonstration_only(client: Client, settings: Any) -> None:
    settings.DEMONSTRATION = True
    page = client.get(reverse("sign-in")).content.decode()
    assert "nadia.rahimi@kawartha.example" in page
    assert "nadia.rahimi@kawartha.example" not in client.get(reverse("help")).content.decode()
    settings.DEMONSTRATION = False
    assert "kawartha.example" not in client.get(reverse("sign-in")).content.decode()
