"""Filling an empty database with the demonstration, by replaying every story through the real actions at its own time.

All stories are replayed together in the order of their moments, as they would have happened, so that references, events
and memo numbers follow each other as in life.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial

from django.contrib.auth.hashers import make_password
from django.db import models, transaction
from pydantic import ValidationError

from governance import clock
from governance.audit.actions import ASSENT, Actor, log_begun_anew, seal_and_sign
from governance.audit.models import Event
from governance.people.actions import (
    add_person,
    add_unit,
    change_body,
    change_person,
    create_body,
    end_mandate,
    give_mandate,
    refresh_grants,
)
from governance.people.models import Body, Mandate, Unit, User
from governance.policies.actions import adopt, draft, propose, turn_the_day
from governance.policies.loading import PolicyFile
from governance.policies.models import PolicyVersion
from governance.refusals import Incomplete, Refusal
from governance.working_days import working_days_between
from workflows.demonstration import story
from workflows.demonstration.reading import Demonstration, File, Place, Tale
from workflows.demonstration.story import Institution, working_days_before
from workflows.notices.actions import run_in_place
from workflows.notices.models import Outbox
from workflows.proposals import actions as writing
from workflows.proposals.content import Content
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review import actions as review
from workflows.review.models import WorkItem
from workflows.review.queries import open_items

UNTIL_DELIVERED = timedelta(minutes=2)
NOTICE_OF_MANDATE = 10  # working days before its first day on which a later mandate is entered
MIDNIGHT = time(0, 1)  # when the clock's own work of a new day is done


def holds(institution: Institution) -> bool:
    """Whether the database holds this demonstration: its first person is the demonstration's first administrator.

    Their address is in a domain that exists nowhere, so no real installation has such a first person, and whatever
    visitors did since, nobody is ever deleted.
    """
    first = User.objects.order_by("pk").first()
    return first is not None and first.email == institution.email(institution.first_person.sign_in)


def anything_there() -> str:
    """What a database that is not empty holds, in words; nothing when it is empty."""
    kept: list[type[models.Model]] = [Proposal, PolicyVersion, Body, Unit, User, Event]
    found = [(model._default_manager.count(), model._meta.verbose_name_plural) for model in kept]
    return ", ".join(f"{name}: {count}" for count, name in found if count)


@dataclass(frozen=True)
class Deed:
    """One thing to replay at a moment, and where it is written."""

    at: datetime
    do: Callable[[], object]
    file: File
    place: Place


def load(demonstration: Demonstration, *, say: Callable[[str], object] = lambda sentence: None) -> None:
    """Replay everything in one transaction. Raises BadFile, with nothing loaded, for a step that the actions refuse."""
    with log_begun_anew(), transaction.atomic():
        replay = Replay(demonstration)
        say(f"{demonstration.institution.name}: {len(demonstration.institution.people)} people.")
        deeds = sorted(replay.deeds(), key=lambda deed: deed.at)
        say(f"{len(demonstration.tales)} proposals, {len(deeds)} steps.")
        for number, deed in enumerate(deeds, start=1):
            replay.carry_out(deed)
            if number % 50 == 0 or number == len(deeds):
                say(f"  {number} of {len(deeds)} steps, up to {deed.at:%-d %B %Y}")
        refresh_grants()
        for tale in demonstration.tales:
            replay.hold_to_promise(tale)
        seal_and_sign(now=True)


@dataclass
class Replay:
    """The institution as it comes to life: who and what there is so far, by the names that the files use."""

    demonstration: Demonstration
    units: dict[str, Unit] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    day: date | None = None
    delivered: int = 0

    @property
    def institution(self) -> Institution:
        return self.demonstration.institution

    @property
    def today(self) -> date:
        return self.demonstration.today

    def person(self, sign_in: str) -> User:
        """Fetched anew each time, because guardian remembers grants on the object."""
        return User.objects.get(email=self.institution.email(sign_in))

    def setter_up(self) -> Actor:
        return self.person(self.institution.first_person.sign_in).as_actor()

    # ---- deeds, in the order of the files; the sort by moment keeps that order among equals

    def deeds(self) -> Iterator[Deed]:
        institution, file, today = self.institution, self.demonstration.file, self.today
        begun = institution.set_up.on(today)
        yield Deed(begun, self.set_up, file, ("people",))
        for number, body in enumerate(institution.bodies):
            place: Place = ("bodies", number)
            yield Deed(self.set_up_on(body), partial(self.create_body, body), file, place)
            if body.formerly is not None:
                yield Deed(body.formerly.until.on(today), partial(self.rename_body, body), file, (*place, "formerly"))
        for number, person in enumerate(institution.people):
            place = ("people", number)
            if person.formerly is not None:
                renamed = partial(self.rename_person, person)
                yield Deed(person.formerly.until.on(today), renamed, file, (*place, "formerly"))
            for at, held in enumerate(person.duties):
                yield from self.mandate(person, held, (*place, "duties", at))
        for number, (version, policy) in enumerate(zip(institution.policy, self.demonstration.policies, strict=True)):
            yield from self.version(version, policy, ("policy", number))
        for tale in self.demonstration.tales:
            for number, step in enumerate(tale.proposal.story):
                yield Deed(step.at.on(today), partial(self.step, tale, step), tale.file, ("story", number))

    def version(self, version: story.Version, policy: PolicyFile, place: Place) -> Iterator[Deed]:
        acts = {"drafted": self.draft_policy, "proposed": self.propose_policy, "adopted": self.adopt_policy}
        for name, step in version.steps().items():
            yield Deed(
                step.at.on(self.today), partial(acts[name], version, policy), self.demonstration.file, (*place, name)
            )
        begins = policy.rules.effective_from
        if version.adopted is not None and begins <= self.today:
            yield Deed(
                story.Moment(story.Day(fixed=begins), MIDNIGHT).on(self.today),
                turn_the_day,
                self.demonstration.file,
                place,
            )

    def set_up_on(self, body: story.Body) -> datetime:
        return (body.set_up or self.institution.set_up).on(self.today)

    def mandate(self, person: story.Person, held: story.Mandate, place: Place) -> Iterator[Deed]:
        """A mandate is entered some days before its first day, but never in the future, nor before its body."""
        begun = self.set_up_on(self.institution.body(held.body))
        starts_on = (held.from_ or self.institution.mandates_from).on(self.today)
        entered = min(working_days_before(starts_on, NOTICE_OF_MANDATE), working_days_before(self.today, 1))
        at = max(begun, begun.replace(year=entered.year, month=entered.month, day=entered.day))
        yield Deed(at, partial(self.give_mandate, person, held, starts_on), self.demonstration.file, place)
        if held.ended is not None:
            yield Deed(
                held.ended.noted.on(self.today),
                partial(self.end_mandate, person, held, held.ended, starts_on),
                self.demonstration.file,
                (*place, "ended"),
            )

    def carry_out(self, deed: Deed) -> None:
        """Do it at its moment, with the grants of that day.

        Its memo and letters follow as in life; mail waits for the worker.
        """
        with clock.at(deed.at), located(deed):
            self.turn_of_day()
            deed.do()
        with clock.at(deed.at + UNTIL_DELIVERED):
            self.deliver()

    def deliver(self) -> None:
        """What the worker does meanwhile, except for sending mail: it makes memos and writes letters.

        The rows stay for the worker, who finds everything made when it comes to them.
        """
        for row in Outbox.objects.filter(pk__gt=self.delivered).exclude(task="notices.send_mail").order_by("pk"):
            run_in_place(row.task, row.payload)
            self.delivered = row.pk

    def turn_of_day(self) -> None:
        """What the hourly task does in life: grants follow the mandates that begin or end with the day."""
        if self.day is None or self.day < clock.today():
            began = self.day or date.min
            turned = models.Q(starts_on__gt=began, starts_on__lte=clock.today())
            turned |= models.Q(ends_on__gte=began, ends_on__lt=clock.today())
            self.day = clock.today()
            if Mandate.objects.filter(turned).exists():
                refresh_grants()

    # ---- the institution

    def set_up(self) -> None:
        institution = self.institution
        for unit in institution.units:
            self.units[unit.code] = add_unit(
                actor=ASSENT,
                code=unit.code,
                name=unit.name,
                short_name=unit.short_name,
                kind=unit.kind,
                parent=self.units.get(unit.parent),
            )
        for person in institution.people:
            was = person.formerly
            add_person(
                actor=ASSENT if person is institution.first_person else self.setter_up(),
                email=institution.email(person.sign_in),
                name=(was and was.name) or person.name,
                title=(was and was.title) or person.title,
                unit=self.units[person.unit],
                is_staff=person.administrator,
            )
        # The one password is no secret; hashing it once instead of for each person halves the loading time.
        User.objects.update(password=make_password(institution.password))

    def create_body(self, body: story.Body) -> None:
        was = body.formerly
        self.bodies[body.code] = create_body(
            actor=self.setter_up(),
            code=body.code,
            kind=body.kind,
            name=(was and was.name) or body.name,
            short_name=(was and was.short_name) or body.short_name,
            unit=self.units[body.unit],
            address="\n".join(body.address),
            email=body.email,
        )

    def rename_body(self, body: story.Body) -> None:
        row = self.bodies[body.code]
        row.name, row.short_name = body.name, body.short_name
        change_body(actor=self.setter_up(), body=row, fields=["name", "short_name"])

    def rename_person(self, person: story.Person) -> None:
        row = self.person(person.sign_in)
        row.name, row.title = person.name, person.title
        change_person(actor=self.setter_up(), person=row, fields=["name", "title"])

    def give_mandate(self, person: story.Person, held: story.Mandate, starts_on: date) -> None:
        give_mandate(
            actor=self.setter_up(),
            person=self.person(person.sign_in),
            body=self.bodies[held.body],
            duty=held.duty,
            starts_on=starts_on,
        )

    def end_mandate(self, person: story.Person, held: story.Mandate, ended: story.Ended, starts_on: date) -> None:
        mandate = Mandate.objects.get(
            user=self.person(person.sign_in), body=self.bodies[held.body], duty=held.duty, starts_on=starts_on
        )
        end_mandate(actor=self.setter_up(), mandate=mandate, ends_on=ended.after.on(self.today), reason=ended.reason)

    def draft_policy(self, version: story.Version, policy: PolicyFile) -> None:
        draft(actor=self.person(version.drafted.by), source=policy)

    def propose_policy(self, version: story.Version, policy: PolicyFile) -> None:
        assert version.proposed is not None
        propose(actor=self.person(version.proposed.by), version=stored(policy))

    def adopt_policy(self, version: story.Version, policy: PolicyFile) -> None:
        assert version.adopted is not None
        adopt(actor=self.person(version.adopted.by), version=stored(policy), motion=version.adopted.motion)

    # ---- proposals

    def step(self, tale: Tale, step: story.AnyStep) -> None:
        author = self.person(tale.proposal.author)
        if isinstance(step, story.Create):
            self.proposals[tale.name] = writing.create_proposal(
                actor=author,
                unit=self.units[tale.proposal.unit],
                action=step.action,
                title=tale.proposal.content.summary.title,
            )
            return
        proposals = Proposal.objects.select_related("unit", "author", "policy_version")
        proposal = proposals.get(pk=self.proposals[tale.name].pk)
        match step:
            case story.Write():
                self.write(author, proposal, tale.proposal.content, step.sections)
            case story.Change():
                self.change(author, proposal, step)
            case story.Attach():
                with tale.attached(step).open("rb") as file:
                    writing.attach(actor=author, proposal=proposal, name=step.file, file=file)
            case story.Submit():
                review.submit(actor=author, proposal=proposal, seen=proposal.version, note_to_reviewers=step.note)
            case story.Approve() | story.Return() | story.Decline():
                self.decide(proposal, step)
            case story.Withdraw():
                review.withdraw(actor=author, proposal=proposal, seen=proposal.version, reason=step.reason)
            case story.Comment():
                review.comment(
                    actor=self.person(step.by),
                    proposal=proposal,
                    audience=step.audience,
                    text=step.text,
                    section=step.section,
                )
            case story.Look():
                writing.look(user=self.person(step.by), proposal=proposal)

    def write(self, author: User, proposal: Proposal, content: Content, sections: tuple[str, ...]) -> None:
        versions = dict(proposal.draft_sections.values_list("key", "version"))
        for section in sections:
            writing.save_section(
                actor=author,
                proposal=proposal,
                section=section,
                data=content.section(section).model_dump(mode="json"),
                seen=versions[section],
            )

    def change(self, author: User, proposal: Proposal, step: story.Change) -> None:
        before = proposal.draft_content()
        after = story.edited(before, step.parts, self.today)
        changed = [key for key in type(after).model_fields if after.section(key) != before.section(key)]
        self.write(author, proposal, after, tuple(changed))

    def decide(self, proposal: Proposal, step: story.Approve | story.Return | story.Decline) -> None:
        item, by = self.item(proposal, step.stage), self.person(step.by)
        # Whoever decides has read it: their queue afterwards shows what changed since.
        writing.look(user=by, proposal=proposal)
        seen, confirmed = proposal.version, confirmed_by(step, proposal)
        match step:
            case story.Approve():
                review.approve(
                    actor=by,
                    item=item,
                    seen=seen,
                    confirmed=confirmed,
                    reasons=step.reasons,
                    conditions=[
                        review.NewCondition(
                            text=new.text, due_on=new.due.on(self.today) if new.due else None, owner=new.owner
                        )
                        for new in step.conditions
                    ],
                )
            case story.Return():
                review.return_for_changes(
                    actor=by, item=item, seen=seen, reasons=step.reasons, to_stage=step.to, confirmed=confirmed
                )
            case story.Decline():
                review.decline(actor=by, item=item, seen=seen, reasons=step.reasons, confirmed=confirmed)

    def item(self, proposal: Proposal, stage: str) -> WorkItem:
        held = {item.stage_key: item for item in open_items(proposal).select_related("proposal")}
        if stage not in held:
            raise LookupError(
                f"at this time it is not at {stage} but {proposal.state}, at {', '.join(held) or 'no stage'}"
            )
        return held[stage]

    # ---- what the files promise

    def hold_to_promise(self, tale: Tale) -> None:
        """Raises BadFile when the story did not leave its proposal where the file says."""
        proposal = Proposal.objects.get(pk=self.proposals[tale.name].pk)
        held = list(open_items(proposal))
        stands = story.Expect(
            state=State(proposal.state),
            stage=", ".join(item.stage_key for item in held),
            late=any(working_days_between(item.due_on, self.today) > 0 for item in held),
            submissions=proposal.revision_number,
        )
        promised = tale.proposal.expect
        for key in story.Expect.model_fields:
            if getattr(stands, key) != getattr(promised, key):
                sentence = f"the story ends with {getattr(stands, key)!s}, not {getattr(promised, key)!s}"
                raise tale.file.bad(("expect", key), sentence)


def stored(policy: PolicyFile) -> PolicyVersion:
    return PolicyVersion.objects.get(policy__key=policy.rules.policy, number=policy.rules.version)


def confirmed_by(step: story.Decide, proposal: Proposal) -> list[str]:
    """The keys of the questions that were confirmed."""
    if isinstance(step.confirmed, tuple):
        return list(step.confirmed)
    assert proposal.policy_version is not None
    questions = proposal.policy_version.typed_rules.stage(step.stage).checklist
    return [question.key for question in questions if question.required or step.confirmed == "all"]


@contextmanager
def located(deed: Deed) -> Iterator[None]:
    """A step that cannot be carried out becomes an error that says where it is written."""
    try:
        yield
    except Incomplete as no:
        gaps = "; ".join(f"{name}: {sentence}" for name, sentence in no.gaps.items())
        raise deed.file.bad(deed.place, f"{no} {gaps}") from no
    except (Refusal, LookupError, ValidationError) as no:
        raise deed.file.bad(deed.place, str(no)) from no
