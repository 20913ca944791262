"""The institution of the benchmark: a university with a body for every stage and the people of each, made through the
real actions; and the two proposals whose pages are measured.
"""

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from governance.audit.actions import ASSENT
from governance.people.actions import add_person, add_unit, create_body, give_mandate
from governance.people.duties import Duty
from governance.people.models import Body, Unit, User
from governance.policies.actions import adopt, draft, propose
from governance.policies.loading import load_policy_file
from governance.policies.models import PolicyVersion
from governance.policies.rules import Stage
from workflows.proposals import actions as writing
from workflows.proposals.content import Content
from workflows.proposals.models import Audience, Proposal
from workflows.review import actions as review
from workflows.review.models import WorkItem

FACULTIES: Final = ("Arts", "Business", "Education", "Engineering", "Health Sciences", "Law", "Music", "Science")
AUTHORS_OF_A_FACULTY: Final = 5
COUNCIL: Final = "undergraduate-council"
OF_EVERYBODY: Final = {"teaching-centre": "CTL", COUNCIL: "UGC", "graduate-council": "GC", "senate": "SENATE"}
POLICY: Final = Path(settings.BASE_DIR) / "fixtures" / "policies" / "micro-credential-approval-v1.yaml"

EVENTS_OF_THE_LONG_ONE: Final = 60
FILES_OF_THE_LONG_ONE: Final = 12


@dataclass(frozen=True)
class Place:
    """Who and what the measurements are about."""

    reviewer: User
    author: User
    administrator: User
    council: Body
    policy: PolicyVersion
    long: Proposal
    draft: Proposal


@dataclass
class Institution:
    """A university with a body for every stage, and the people of each."""

    units: list[Unit]
    bodies: dict[tuple[str, int | None], Body]
    officers: dict[int, User]
    authors: list[User]
    administrator: User
    policy: PolicyVersion

    @classmethod
    def set_up(cls) -> "Institution":
        root = add_unit(actor=ASSENT, code="U", name="The University", short_name="University", kind="university")
        bodies: dict[tuple[str, int | None], Body] = {}
        officers: dict[int, User] = {}
        authors: list[User] = []
        units: list[Unit] = []
        people = (f"person-{number}@bench.example" for number in range(1, 10_000))

        def person(name: str, **given: Any) -> User:
            return add_person(actor=ASSENT, email=next(people), name=name, **given)

        def body(code: str, kind: str, unit: Unit) -> Body:
            return create_body(
                actor=ASSENT, code=code, kind=kind, name=f"{kind} {unit.name}", short_name=code, unit=unit
            )

        def holds(who: User, duty: Duty, where: Body) -> None:
            give_mandate(actor=ASSENT, person=who, body=where, duty=duty, starts_on=date(2020, 1, 1))

        for number, name in enumerate(FACULTIES):
            unit = add_unit(
                actor=ASSENT, code=f"F{number}", name=f"Faculty of {name}", short_name=name, kind="faculty", parent=root
            )
            units.append(unit)
            staff = body(f"STAFF-{number}", "teaching-staff", unit)
            for count in range(AUTHORS_OF_A_FACULTY):
                author = person(f"Author {count} of {name}", title="Professor", unit=unit)
                holds(author, Duty.PROPOSER, staff)
                authors.append(author)
            dean = bodies["associate-dean", unit.pk] = body(f"AD-{number}", "associate-dean", unit)
            officers[dean.pk] = person(f"Associate Dean of {name}", title="Associate Dean")
            holds(officers[dean.pk], Duty.OFFICER, dean)
        for kind, code in OF_EVERYBODY.items():
            shared = bodies[kind, None] = body(code, kind, root)
            officers[shared.pk] = person(f"Chair of {code}", title="Chair")
            holds(officers[shared.pk], Duty.CHAIR, shared)
        drafter, administrator = person("Drafter", is_staff=True), person("Administrator", is_staff=True)
        version = propose(actor=drafter, version=draft(actor=drafter, source=load_policy_file(POLICY)))
        policy = adopt(actor=administrator, version=version, motion="Minute 1")
        return cls(units, bodies, officers, authors, administrator, policy)

    def body(self, stage: Stage, unit: Unit) -> Body:
        return self.bodies[stage.body.kind, unit.pk if stage.body.of else None]

    def place(self, content: Content) -> Place:
        council = self.bodies[COUNCIL, None]
        author = self.authors[0]
        return Place(
            reviewer=User.objects.get(pk=self.officers[council.pk].pk),
            author=User.objects.get(pk=author.pk),
            administrator=self.administrator,
            council=council,
            policy=self.policy,
            long=self.long_one(author, content),
            draft=self.drafted(author, content),
        )

    def drafted(self, author: User, content: Content) -> Proposal:
        proposal = writing.create_proposal(actor=author, unit=self.units[0], title=content.summary.title)
        for section in type(content).model_fields:
            _save(author, proposal, section, content.section(section).model_dump(mode="json"))
        return Proposal.objects.get(pk=proposal.pk)

    def long_one(self, author: User, content: Content) -> Proposal:
        """A proposal that was returned three times, with four submissions, files, remarks and sixty events in all."""
        proposal = self.drafted(author, content)
        for number in range(FILES_OF_THE_LONG_ONE):
            file = BytesIO(f"%PDF-1.4 {number}".encode())
            attached = writing.attach(actor=author, proposal=proposal, name=f"Letter {number}.pdf", file=file)
            if number > 1:
                writing.remove_attachment(actor=author, proposal=proposal, digest=attached.digest)
        for answers in (("return",), ("return",), ("approve", "return"), ("approve",)):
            proposal = Proposal.objects.get(pk=proposal.pk)
            if proposal.revision_number:
                overview = f"{content.summary.overview} This was said better at try {proposal.revision_number}."
                _save(author, proposal, "summary", content.summary.model_dump(mode="json") | {"overview": overview})
            review.submit(actor=author, proposal=proposal, seen=proposal.version, note_to_reviewers="Said better.")
            for answer in answers:
                self._answer(proposal, answer)
        proposal = Proposal.objects.get(pk=proposal.pk)
        sections = list(type(content).model_fields)
        officer = self._holder(proposal)
        for number in range(EVENTS_OF_THE_LONG_ONE - proposal.version):
            review.comment(
                actor=officer,
                proposal=proposal,
                audience=Audience.REVIEWERS,
                text=f"Remark {number}: the third outcome could say what a learner can be seen to do.",
                section=sections[number % len(sections)],
            )
        return Proposal.objects.get(pk=proposal.pk)

    def _holder(self, proposal: Proposal) -> User:
        item = WorkItem.objects.get(proposal=proposal, closed_at=None)
        return User.objects.get(pk=self.officers[item.body_id].pk)

    def _answer(self, proposal: Proposal, answer: str) -> None:
        item = WorkItem.objects.select_related("proposal").get(proposal=proposal, closed_at=None)
        actor, seen = self._holder(proposal), item.proposal.version
        if answer == "return":
            reasons = "Say how each outcome is assessed."
            review.return_for_changes(actor=actor, item=item, seen=seen, reasons=reasons)
        else:
            review.approve(actor=actor, item=item, seen=seen, confirmed=self.checklist(item.stage_key))

    def checklist(self, stage: str) -> list[str]:
        return [question.key for question in self.policy.typed_rules.stage(stage).checklist]


def _save(author: User, proposal: Proposal, section: str, data: dict[str, Any]) -> None:
    seen = proposal.draft_sections.get(key=section).version
    writing.save_section(actor=author, proposal=proposal, section=section, data=data, seen=seen)
