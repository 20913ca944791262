"""Reading the demonstration's files and checking them against each other. A mistake in one is a `BadFile` that names
file, line and field.

Example: "fixtures/demo/proposals/drone-survey-practice.yaml: line 4, author: there is no gurpreet".
"""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

import yaml
from django.conf import settings
from pydantic import ValidationError

from governance import clock
from governance.policies.loading import BadFile, PolicyFile, load_policy_file, read_yaml, where
from governance.policies.rules import Rules
from governance.policies.vocabulary import Outcome
from workflows.demonstration.story import (
    Approve,
    Attach,
    Change,
    Comment,
    Day,
    Decide,
    Institution,
    Look,
    Proposal,
    Return,
    Submit,
    Version,
    Written,
    edited,
)
from workflows.proposals.content import Content

FOLDER: Final = Path(settings.BASE_DIR) / "fixtures" / "demo"
Model = TypeVar("Model", bound=Written)
Place = tuple[int | str, ...]


@dataclass(frozen=True)
class File:
    """A file that was read, which can say where in it something stands."""

    path: Path
    root: yaml.Node | None

    def bad(self, place: Place, sentence: str) -> BadFile:
        return BadFile(f"{self.path}: {where(self.root, place)}: {' '.join(sentence.split())}")


@dataclass(frozen=True)
class Tale:
    """One proposal's file."""

    file: File
    proposal: Proposal

    @property
    def name(self) -> str:
        return self.file.path.stem

    def attached(self, step: Attach) -> Path:
        return self.file.path.parent.parent / "files" / step.file


@dataclass(frozen=True)
class Demonstration:
    """Everything that the files hold, read and checked against each other."""

    file: File
    institution: Institution
    policies: tuple[PolicyFile, ...]
    tales: tuple[Tale, ...]
    today: date = field(default_factory=clock.today)

    @property
    def policy(self) -> PolicyFile:
        """The version in force on the day of reading."""
        return self.in_force(self.today)

    def in_force(self, day: date) -> PolicyFile:
        versions = zip(self.institution.policy, self.policies, strict=True)
        adopted = [policy for version, policy in versions if version.adopted and policy.rules.effective_from <= day]
        return max(adopted, key=lambda policy: policy.rules.effective_from)

    def rules_for(self, proposal: Proposal) -> Rules:
        """The rules that govern a proposal: those in force when it was first sent, or today for one never sent."""
        sent = (step.at.day for step in proposal.story if isinstance(step, Submit))
        return self.in_force(next(sent, Day()).on(self.today)).rules


def read_demonstration(folder: Path = FOLDER) -> Demonstration:
    """Read and check every file of a demonstration. Raises BadFile for the first mistake found."""
    today = clock.today()
    file, institution = _read(folder / "institution.yaml", Institution, today)
    policies = tuple(_policy(folder, version, today) for version in institution.policy)
    tales = tuple(Tale(*_read(path, Proposal, today)) for path in sorted((folder / "proposals").glob("*.yaml")))
    read = Demonstration(file=file, institution=institution, policies=policies, tales=tales, today=today)
    _check_institution(file, institution, today)
    for tale in tales:
        _check_story(tale, read)
    return read


@lru_cache(maxsize=4)
def read_institution(folder: Path = FOLDER) -> Institution:
    """The institution alone, for the sign-in page; read once in a process."""
    return _read(folder / "institution.yaml", Institution, clock.today())[1]


def _read(path: Path, model: type[Model], today: date) -> tuple[File, Model]:
    data, root = read_yaml(path)
    file = File(path, root)
    try:
        return file, model.model_validate(data, context={"today": today})
    except ValidationError as error:
        first = error.errors()[0]
        raise file.bad(first["loc"], first["msg"]) from error


def _policy(folder: Path, version: Version, today: date) -> PolicyFile:
    """A version's file, with the first day that the institution gives it, if it does."""
    policy = load_policy_file((folder / version.file).resolve())
    if version.begins is None:
        return policy
    written, begins = policy.rules.effective_from, version.begins.on(today)
    return PolicyFile(
        rules=policy.rules.model_copy(update={"effective_from": begins}),
        text=policy.text,
        source=policy.source.replace(f"effective_from: {written}", f"effective_from: {begins}"),
    )


def _check_institution(file: File, institution: Institution, today: date) -> None:
    """Every unit, body and person that is named is there, and each version came after the one before it."""
    units = {unit.code for unit in institution.units}
    bodies = {body.code for body in institution.bodies}
    people = {person.sign_in for person in institution.people}
    named: list[tuple[Place, str, set[str]]] = [
        (("units", n, "parent"), unit.parent, units | {""}) for n, unit in enumerate(institution.units)
    ]
    named += [(("bodies", n, "unit"), body.unit, units) for n, body in enumerate(institution.bodies)]
    for n, person in enumerate(institution.people):
        named.append((("people", n, "unit"), person.unit, units))
        named += [(("people", n, "duties", m, "body"), held.body, bodies) for m, held in enumerate(person.duties)]
    named += [(("sign_ins", n, "person"), one.person, people) for n, one in enumerate(institution.sign_ins)]
    steps = [
        (("policy", n, name), step)
        for n, version in enumerate(institution.policy)
        for name, step in version.steps().items()
    ]
    named += [((*place, "by"), step.by, people) for place, step in steps]
    for place, name, known in named:
        if name not in known:
            raise file.bad(place, f"there is no {name}")
    if not institution.first_person.administrator:
        raise file.bad(("people", 0, "administrator"), "the first person sets everything up, so is an administrator")
    before = institution.set_up.on(today)
    for place, step in steps:
        if (now := step.at.on(today)) <= before:
            raise file.bad((*place, "at"), "versions are drafted, proposed and adopted one after the other")
        before = now


def _check_story(tale: Tale, read: Demonstration) -> None:
    """Every name in a story is known, its steps are in order and in the past, and its changes fit the content."""
    institution, rules, today = read.institution, read.rules_for(tale.proposal), read.today
    people = {person.sign_in for person in institution.people}
    units = {unit.code for unit in institution.units}
    bad, content, before = tale.file.bad, tale.proposal.content, None
    if tale.proposal.unit not in units:
        raise bad(("unit",), f"there is no {tale.proposal.unit}")
    if tale.proposal.author not in people:
        raise bad(("author",), f"there is no {tale.proposal.author}")
    for number, step in enumerate(tale.proposal.story):
        place = ("story", number)
        if (now := step.at.on(today)) >= clock.now() or (before is not None and now <= before):
            raise bad((*place, "at"), "the steps of a story lie in the past and follow each other")
        before = now
        if isinstance(step, Decide | Comment | Look) and step.by not in people:
            raise bad((*place, "by"), f"there is no {step.by}")
        if isinstance(step, Decide):
            _check_decision(tale, place, step, rules)
        if isinstance(step, Attach) and not tale.attached(step).is_file():
            raise bad((*place, "file"), f"there is no file {tale.attached(step)}")
        if isinstance(step, Change):
            content = _changed(tale, number, step, content, today)


def _check_decision(tale: Tale, place: Place, step: Decide, rules: Rules) -> None:
    stages = {stage.key: stage for stage in rules.route}
    if step.stage not in stages:
        raise tale.file.bad((*place, "stage"), f"the policy has no stage {step.stage}")
    if isinstance(step, Return) and step.to and step.to not in stages:
        raise tale.file.bad((*place, "to"), f"the policy has no stage {step.to}")
    if (
        isinstance(step, Approve)
        and step.conditions
        and Outcome.APPROVE_WITH_CONDITIONS not in stages[step.stage].outcomes
    ):
        raise tale.file.bad((*place, "conditions"), f"{step.stage} may not set conditions")
    questions = {question.key for question in stages[step.stage].checklist}
    if isinstance(step.confirmed, tuple) and (unknown := sorted(set(step.confirmed) - questions)):
        raise tale.file.bad((*place, "confirmed"), f"the checklist of {step.stage} has no {unknown[0]}")


def _changed(tale: Tale, number: int, step: Change, content: Content, today: date) -> Content:
    place: Place = ("story", number, "parts")
    for path, value in step.parts.items():
        try:
            content = edited(content, {path: value}, today)
        except KeyError as error:
            raise tale.file.bad((*place, path), f"the content has no {path}") from error
        except ValidationError as error:
            raise tale.file.bad((*place, path), error.errors()[0]["msg"]) from error
    return content
