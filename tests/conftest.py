"""What every test may ask for: a small institution with one person of each duty, and proposals brought to a state by
the real acts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase

from governance.audit.actions import Actor
from governance.audit.append_only import models_of, statements
from governance.people.actions import add_person, add_unit, create_body, give_mandate
from governance.people.duties import Duty
from governance.people.models import Body, Unit, UnitKind, User
from governance.policies.actions import adopt, draft, propose
from governance.policies.loading import load_policy_file
from governance.policies.models import PolicyVersion
from tests.samples import complete_content
from workflows.proposals.actions import create_proposal, save_section
from workflows.proposals.models import Proposal
from workflows.review import actions as review
from workflows.review.models import Decision, WorkItem

ROOT = Path(__file__).parent.parent
SHIPPED_POLICY = ROOT / "fixtures" / "policies" / "micro-credential-approval-v1.yaml"
REGISTRAR = Actor(key="person/0", name="The Registrar", title="Registrar")
LONG_AGO = date(2020, 1, 1)


@pytest.fixture(autouse=True)
def _plain_files(settings: Any, tmp_path: Path) -> None:
    """Static files need no collecting, passwords no time, and files written by a test go with it."""
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.STATIC_ROOT = str(tmp_path)
    settings.KEY_FOLDER = str(tmp_path / "keys")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(autouse=True, scope="session")
def _flush_despite_triggers() -> Iterator[None]:
    """Tests that commit are cleaned up by emptying the tables, which is what the append-only triggers are there to
    refuse.

    Between such tests, and only there, the triggers are dropped; migrating again afterwards puts them back.
    """
    teardown = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def without_triggers(case: TransactionTestCase) -> None:
        drop_triggers()
        teardown(case)
        install_triggers()

    TransactionTestCase._fixture_teardown = without_triggers  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]


def _append_only_statements() -> list[str]:
    from django.apps import apps

    return [
        statement
        for config in apps.get_app_configs()
        for model, rule in models_of(config)
        for statement in statements(connection, model, rule)
    ]


def drop_triggers() -> None:
    """What an owner of the database could do; tests of tampering begin with it."""
    with connection.cursor() as cursor:
        for statement in _append_only_statements():
            if statement.startswith("DROP"):
                cursor.execute(statement)


def install_triggers() -> None:
    with connection.cursor() as cursor:
        for statement in _append_only_statements():
            cursor.execute(statement)


@dataclass
class Institution:
    """A university of two faculties with every body that the shipped policy names, and one person of each duty."""

    units: dict[str, Unit] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    policy: PolicyVersion | None = None

    def person(self, key: str) -> User:
        """The person, fetched anew: guardian remembers grants on the user object."""
        return User.objects.get(pk=self.people[key].pk)

    # ---- proposals brought to a state by the real acts

    def draft(self, *, author: str = "author", unit: str = "HSCI", content: dict[str, Any] | None = None) -> Proposal:
        """A complete draft, undergraduate and for academic credit unless `content` says otherwise."""
        who = self.person(author)
        sections = content if content is not None else complete_content()
        proposal = create_proposal(actor=who, unit=self.units[unit], title=sections["summary"]["title"])
        for section, data in sections.items():
            save_section(actor=who, proposal=proposal, section=section, data=data, seen=0)
        return Proposal.objects.get(pk=proposal.pk)

    def submitted(self, **given: Any) -> Proposal:
        """A proposal waiting at the Associate Dean."""
        proposal = self.draft(**given)
        review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
        return Proposal.objects.get(pk=proposal.pk)

    def at_stage(self, stage: str, **given: Any) -> Proposal:
        """A proposal waiting at a stage, approved by all before it."""
        proposal = self.submitted(**given)
        while self.item(proposal).stage_key != stage:
            self.approve(proposal)
            proposal.refresh_from_db()
        return Proposal.objects.get(pk=proposal.pk)

    def item(self, proposal: Proposal) -> WorkItem:
        return WorkItem.objects.select_related("body", "proposal").get(proposal=proposal, closed_at=None)

    def reviewer_of(self, item: WorkItem) -> User:
        """The person of this institution who decides for the body that holds the item."""
        return self.person({body.pk: key for key, body in self.bodies.items()}[item.body_id])

    def approve(self, proposal: Proposal, **given: Any) -> Decision:
        """The holding stage approves with its whole checklist confirmed."""
        item = self.item(proposal)
        return review.approve(
            actor=self.reviewer_of(item),
            item=item,
            seen=Proposal.objects.get(pk=proposal.pk).version,
            confirmed=given.pop("confirmed", self.checklist(item)),
            **given,
        )

    def return_for_changes(
        self, proposal: Proposal, reasons: str = "Say how outcome 2 is assessed.", **given: Any
    ) -> Decision:
        item = self.item(proposal)
        return review.return_for_changes(
            actor=self.reviewer_of(item),
            item=item,
            seen=Proposal.objects.get(pk=proposal.pk).version,
            reasons=reasons,
            **given,
        )

    def checklist(self, item: WorkItem) -> list[str]:
        """The keys of every checklist question of an item's stage."""
        assert item.proposal.policy_version is not None
        return [question.key for question in item.proposal.policy_version.typed_rules.stage(item.stage_key).checklist]


def make_institution() -> Institution:
    """Set up the institution in the current database, with the shipped policy in force."""
    place = make_institution_without_policy()
    version = draft(actor=place.people["drafter"], source=load_policy_file(SHIPPED_POLICY))
    place.policy = adopt(
        actor=place.people["administrator"],
        version=propose(actor=place.people["drafter"], version=version),
        motion="Senate minute 2025-06-11, item 4",
    )
    return place


def make_institution_without_policy() -> Institution:
    """Set up its units, bodies and people."""
    place = Institution()
    root = place.units["KU"] = add_unit(
        actor=REGISTRAR, code="KU", name="Kawartha University", short_name="University", kind=UnitKind.UNIVERSITY
    )
    for code, name in (("HSCI", "Health Sciences"), ("ENG", "Engineering")):
        place.units[code] = add_unit(
            actor=REGISTRAR, code=code, name=f"Faculty of {name}", short_name=name, kind=UnitKind.FACULTY, parent=root
        )

    def body(key: str, kind: str, name: str, unit: Unit) -> None:
        place.bodies[key] = create_body(
            actor=REGISTRAR, code=key.upper(), kind=kind, name=name, short_name=name, unit=unit
        )

    def person(key: str, name: str, **given: Any) -> User:
        place.people[key] = add_person(
            actor=REGISTRAR, email=f"{key}@kawartha.example", name=name, password="a-long-password", **given
        )
        return place.people[key]

    def holds(key: str, duty: Duty, body_key: str) -> None:
        give_mandate(
            actor=REGISTRAR, person=place.people[key], body=place.bodies[body_key], duty=duty, starts_on=LONG_AGO
        )

    body("staff-hsci", "teaching-staff", "Teaching staff of Health Sciences", place.units["HSCI"])
    body("staff-eng", "teaching-staff", "Teaching staff of Engineering", place.units["ENG"])
    body("ad-hsci", "associate-dean", "Associate Dean, Health Sciences", place.units["HSCI"])
    body("ad-eng", "associate-dean", "Associate Dean, Engineering", place.units["ENG"])
    body("ctl", "teaching-centre", "Centre for Teaching and Learning", root)
    body("ugc", "undergraduate-council", "Undergraduate Council", root)
    body("gc", "graduate-council", "Graduate Council", root)
    body("senate", "senate", "Senate", root)
    body("secretariat", "secretariat", "University Secretariat", root)

    person("author", "Nadia Rahimi", title="Associate Professor", unit=place.units["HSCI"])
    person("author-eng", "Anders Holm", title="Professor", unit=place.units["ENG"])
    person("ad-hsci", "Marc Lavoie", title="Associate Dean (Academic)")
    person("ad-eng", "Samira Haddad", title="Associate Dean (Academic)")
    person("ctl", "Priya Venkataraman", title="Educational Developer")
    person("ugc", "Louis Beaudry", title="Chair of Undergraduate Council")
    person("gc", "Grace Kim", title="Chair of Graduate Council")
    person("senate", "Amara Nwosu", title="Chair of Senate")
    person("member", "Peter Achebe", title="Professor")
    person("secretary", "Helen Osei", title="Secretary of Senate")
    person("observer", "Ruth Adeyemi", title="Internal auditor")
    person("administrator", "Daniel Fortin", title="Systems administrator", is_staff=True)
    person("drafter", "Claire Dubois", title="Policy officer", is_staff=True)
    person("stranger", "Owen MacNeil", title="Lecturer")

    holds("author", Duty.PROPOSER, "staff-hsci")
    holds("author-eng", Duty.PROPOSER, "staff-eng")
    holds("ad-hsci", Duty.OFFICER, "ad-hsci")
    holds("ad-eng", Duty.OFFICER, "ad-eng")
    holds("ctl", Duty.REVIEWER, "ctl")
    holds("ugc", Duty.CHAIR, "ugc")
    holds("gc", Duty.CHAIR, "gc")
    holds("senate", Duty.CHAIR, "senate")
    holds("member", Duty.MEMBER, "senate")
    holds("secretary", Duty.SECRETARY, "senate")
    holds("observer", Duty.OBSERVER, "secretariat")
    return place


@pytest.fixture
def institution(db: None) -> Institution:
    """The institution, in a transaction that is rolled back."""
    return make_institution()


@pytest.fixture
def committed_institution(transactional_db: None) -> Institution:
    """The institution, committed, so that other connections and processes see it."""
    return make_institution()
