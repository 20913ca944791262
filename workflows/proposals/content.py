"""The content of a proposal as one typed document, from which the editor, the page, the redline, the digest, the check
for completeness and the memo all work.

A draft may be empty everywhere, so every field has an empty value; what must be filled before submission is the
policy's business (`completeness.py`). No field is a float: the canonical bytes must be the same in every language.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.fields import FieldInfo

from governance.audit.canonical import Json, canonical_bytes, digest_of
from governance.policies.vocabulary import Action, AnswerKind, Facts, Kind, Level

# The section of the institution's own questions, and the two answers to those that take a yes or a no.
FURTHER: Final = "further"
YES: Final = "yes"
NO: Final = "no"


# Compared by identity: to hash its lazy words would translate them while the apps are still loading.
@dataclass(frozen=True, eq=False)
class Says:
    """How a field is named and explained to people, and what kind of answer it expects.

    `wrong` is the sentence for an answer of the wrong form; `beside` puts a short field next to the one before it;
    `one` names a single item of a list, as on its legend, and `add` and `remove` are what the buttons of the list say;
    `email` is for an address.
    """

    label: str | Promise
    hint: str | Promise = ""
    long: bool = False
    choices: type[TextChoices] | None = None
    optional: bool = False
    wrong: str | Promise = ""
    beside: bool = False
    one: str | Promise = ""
    add: str | Promise = ""
    remove: str | Promise = ""
    email: bool = False


class Delivery(TextChoices):
    ONLINE = "online", _("Online, in one's own time")
    ONLINE_LIVE = "online-live", _("Online, at set times")
    BLENDED = "blended", _("Blended")
    IN_PERSON = "in-person", _("In person")


class Grading(TextChoices):
    LETTER = "letter", _("Letter grade")
    PASS_FAIL = "pass-fail", _("Pass or fail")
    COMPLETION = "completion", _("Complete or incomplete")


class AssessmentKind(TextChoices):
    EXAM = "exam", _("Examination")
    PERFORMANCE = "performance", _("Performance")
    ARTIFACT = "artifact", _("Piece of work")


class Coverage(TextChoices):
    """How far an assessment covers an outcome, as alignment matrices letter it."""

    INTRODUCED = "I", _("Introduced")
    DEVELOPED = "D", _("Developed")
    ASSESSED = "A", _("Assessed")


class EvidenceKind(TextChoices):
    SURVEY = "survey", _("Survey")
    LABOUR_MARKET = "labour-market", _("Labour market data")
    LETTER = "letter", _("Letter of support")
    ADVISORY = "advisory", _("Advisory committee")
    OTHER = "other", _("Other")


class Transcript(TextChoices):
    LISTED = "listed", _("Listed on the transcript with its grade")
    NOTED = "noted", _("Noted on the transcript without a grade")
    NOT_LISTED = "not-listed", _("Not on the transcript")


class Language(TextChoices):
    ENGLISH = "en", _("English")
    FRENCH = "fr", _("French")
    BOTH = "en-fr", _("English and French")


FIT_IN_A_LINE: Final = 300
FIT_IN_A_TEXT: Final = 12_000

Line = Annotated[str, StringConstraints(max_length=FIT_IN_A_LINE)]
Text = Annotated[str, StringConstraints(max_length=FIT_IN_A_TEXT)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,11}$")]
QuestionKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Credits = Annotated[str, StringConstraints(pattern=r"^(\d{1,3}(\.\d{1,2})?)?$")]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# ---- the parts that stand in lists


class Evidence(Part):
    kind: Annotated[EvidenceKind | Literal[""], Says(_("Kind"), choices=EvidenceKind)] = ""
    title: Annotated[Line, Says(_("What it is"), beside=True)] = ""
    finding: Annotated[
        Text, Says(_("What it shows"), _("The one finding that speaks for the credential."), long=True)
    ] = ""
    link: Annotated[
        Line, Says(_("Where it can be read"), _("A web address, or the name of an attached file."), optional=True)
    ] = ""


class Supporter(Part):
    name: Annotated[Line, Says(_("Name"))] = ""
    role: Annotated[Line, Says(_("Position"), beside=True)] = ""
    organisation: Annotated[Line, Says(_("Organisation"), beside=True)] = ""
    statement: Annotated[Text, Says(_("What they said"), long=True)] = ""


class LearningOutcome(Part):
    key: Key
    text: Annotated[Text, Says(_("By the end, a learner can"), long=True)] = ""


class Skill(Part):
    name: Annotated[Line, Says(_("Skill"))] = ""
    framework: Annotated[Line, Says(_("Framework"), beside=True)] = ""
    link: Annotated[Line, Says(_("Web address in the framework"))] = ""


class Assessment(Part):
    key: Key
    title: Annotated[Line, Says(_("Name"))] = ""
    kind: Annotated[AssessmentKind | Literal[""], Says(_("Kind"), choices=AssessmentKind, beside=True)] = ""
    weight: Annotated[int | None, Field(ge=0, le=100), Says(_("Weight, %"), beside=True)] = None
    description: Annotated[Text, Says(_("What learners do, and how it is judged"), long=True)] = ""


class Alignment(Part):
    """One filled cell of the alignment matrix."""

    outcome: Key
    assessment: Key
    coverage: Coverage


class Partner(Part):
    name: Annotated[Line, Says(_("Organisation"))] = ""
    role: Annotated[Line, Says(_("Its part, such as co-designer"), beside=True)] = ""
    contribution: Annotated[Text, Says(_("What it contributes"), long=True)] = ""


class Consultation(Part):
    unit: Annotated[Line, Says(_("Unit"))] = ""
    person: Annotated[Line, Says(_("Who answered"), optional=True, beside=True)] = ""
    asked_on: Annotated[date | None, Says(_("Asked on"), optional=True, beside=True)] = None
    answer: Annotated[Text, Says(_("What they answered"), _("Also where they did not agree."), long=True)] = ""


# ---- the sections


class Summary(Part):
    title: Annotated[Line, Says(_("Title"), _("What stands on the credential. No word such as diploma or degree."))] = (
        ""
    )
    overview: Annotated[
        Text, Says(_("In brief"), _("Two or three sentences for somebody who reads nothing else."), long=True)
    ] = ""
    kind: Annotated[
        Kind | Literal[""],
        Says(
            _("Academic credit"),
            _("Credit that counts towards a degree or certificate goes to a council."),
            choices=Kind,
        ),
    ] = ""
    level: Annotated[Level | Literal[""], Says(_("Level"), choices=Level)] = ""
    host_partners: Annotated[
        Line,
        Says(_("Units that share in hosting it"), _("Beside your own unit; separate them with commas."), optional=True),
    ] = ""
    contact_name: Annotated[Line, Says(_("Contact"))] = ""
    contact_email: Annotated[Line, Says(_("Contact’s e-mail address"), beside=True, email=True)] = ""
    language: Annotated[Language | Literal[""], Says(_("Language of instruction"), choices=Language)] = ""
    first_offered_on: Annotated[date | None, Says(_("First offered"), _("The planned first day of teaching."))] = None


class Need(Part):
    purpose: Annotated[
        Text, Says(_("Purpose"), _("What the credential is for, in a learner’s working life."), long=True)
    ] = ""
    need: Annotated[Text, Says(_("Need"), _("Who needs it, how many, and how you know."), long=True)] = ""
    evidence: Annotated[
        tuple[Evidence, ...],
        Says(
            _("Evidence of need"),
            _("Surveys, labour market data, letters. Attach the document under Files."),
            one=_("Evidence"),
            add=_("Add evidence"),
            remove=_("Remove evidence %(number)s"),
        ),
    ] = ()
    supporters: Annotated[
        tuple[Supporter, ...],
        Says(
            _("Supporters from outside"),
            _("Employers, communities or professional bodies."),
            one=_("Supporter"),
            add=_("Add supporter"),
            remove=_("Remove supporter %(number)s"),
        ),
    ] = ()
    no_supporter_reason: Annotated[
        Text,
        Says(_("Why there is no supporter from outside"), _("Only if you name none above."), long=True, optional=True),
    ] = ""


class Learners(Part):
    audience: Annotated[Text, Says(_("Audience"), _("Who it is for, and what they already do."), long=True)] = ""
    admission: Annotated[
        Text, Says(_("Admission"), _("What is asked of a learner to be admitted, or “open to all”."), long=True)
    ] = ""
    enrolment: Annotated[
        int | None,
        Field(ge=0, le=100_000),
        Says(_("Learners expected in a year"), _("A number is enough, such as 40.")),
    ] = None
    accessibility: Annotated[
        Text, Says(_("Accessibility"), _("How materials, sessions and assessments can be used by everyone."), long=True)
    ] = ""


class Outcomes(Part):
    outcomes: Annotated[
        tuple[LearningOutcome, ...],
        Says(
            _("Learning outcomes"),
            _("Each in one sentence that begins with a verb someone can watch."),
            one=_("Outcome"),
            add=_("Add outcome"),
            remove=_("Remove outcome %(number)s"),
        ),
    ] = ()
    skills: Annotated[
        tuple[Skill, ...],
        Says(
            _("Skills alignment"),
            _("Skills of a public framework, such as ESCO."),
            one=_("Skill"),
            add=_("Add skill"),
            remove=_("Remove skill %(number)s"),
        ),
    ] = ()


class Assessments(Part):
    assessments: Annotated[
        tuple[Assessment, ...],
        Says(
            _("Assessments"),
            _("What learners hand in or show. The weights add up to 100 %."),
            one=_("Assessment"),
            add=_("Add assessment"),
            remove=_("Remove assessment %(number)s"),
        ),
    ] = ()
    alignment: Annotated[
        tuple[Alignment, ...],
        Says(
            _("Which assessment covers which outcome"),
            _("Each outcome needs at least one assessment that assesses it."),
        ),
    ] = ()
    grading: Annotated[Grading | Literal[""], Says(_("Grading"), choices=Grading)] = ""
    pass_rule: Annotated[
        Text, Says(_("To pass"), _("What a learner must reach to earn the credential."), long=True)
    ] = ""


class DeliveryAndCredit(Part):
    mode: Annotated[Delivery | Literal[""], Says(_("Delivery"), choices=Delivery)] = ""
    location: Annotated[Line, Says(_("Place"), optional=True, beside=True)] = ""
    hours: Annotated[int | None, Field(ge=1, le=2_000), Says(_("Contact hours"))] = None
    weeks: Annotated[int | None, Field(ge=1, le=156), Says(_("Weeks"), beside=True)] = None
    workload: Annotated[Text, Says(_("What a week looks like"), _("For a learner who works full time."), long=True)] = (
        ""
    )
    curriculum: Annotated[Text, Says(_("Curriculum"), _("Modules or topics, in order."), long=True)] = ""
    credits: Annotated[
        Credits,
        Says(
            _("Credit asked for, units"),
            _("Such as 1.0; empty without academic credit."),
            optional=True,
            wrong=_("Write the units of credit as a number such as 0.5 or 1.0"),
        ),
    ] = ""
    stacking: Annotated[
        Text, Says(_("Stacking"), _("What it counts towards, or what counts towards it."), long=True)
    ] = ""
    transcript: Annotated[Transcript | Literal[""], Says(_("Transcript"), choices=Transcript)] = ""


class Partners(Part):
    partners: Annotated[
        tuple[Partner, ...],
        Says(
            _("Partners"),
            _("Organisations that take part in it."),
            optional=True,
            one=_("Partner"),
            add=_("Add partner"),
            remove=_("Remove partner %(number)s"),
        ),
    ] = ()
    consultations: Annotated[
        tuple[Consultation, ...],
        Says(
            _("Units consulted"),
            _("Units whose programs or students it touches."),
            one=_("Unit"),
            add=_("Add unit"),
            remove=_("Remove unit %(number)s"),
        ),
    ] = ()


class Resources(Part):
    fee: Annotated[
        int | None, Field(ge=0, le=1_000_000), Says(_("Fee, dollars"), _("In whole dollars; 0 if there is none."))
    ] = None
    fee_basis: Annotated[Text, Says(_("How the fee was set"), long=True)] = ""
    new_resources: Annotated[
        bool, Says(_("It needs money or staff that the unit does not have now"), optional=True)
    ] = False
    resources: Annotated[Text, Says(_("Resources"), _("Teaching, library, technology, space, support."), long=True)] = (
        ""
    )
    student_aid: Annotated[Text, Says(_("Student aid"), long=True, optional=True)] = ""


class Quality(Part):
    evaluation: Annotated[
        Text, Says(_("Evaluation"), _("How you will know that it works, and who asks the learners."), long=True)
    ] = ""
    review_months: Annotated[int | None, Field(ge=1, le=120), Says(_("First review after, months"))] = None
    renewal: Annotated[Text, Says(_("Renewal"), _("What leads to renewal, change or closing."), long=True)] = ""


class Credential(Part):
    badge_name: Annotated[Line, Says(_("Name on the badge"))] = ""
    badge_description: Annotated[Text, Says(_("Description on the badge"), long=True)] = ""
    badge_criteria: Annotated[Text, Says(_("Criteria on the badge"), _("What the learner has shown."), long=True)] = ""
    cip: Annotated[Line, Says(_("CIP 2021 code"), _("Six digits, such as 51.3899"))] = ""
    noc: Annotated[
        Line,
        Says(_("NOC 2021 codes"), _("Up to three, separated by commas, such as 21232"), optional=True, beside=True),
    ] = ""


class FurtherAnswer(Part):
    """What the author answered to a question of the institution's own, with the question as it was asked.

    `answer` is in words, a whole number as digits, "yes" or "no", or one of the choices, as the kind says.
    """

    key: QuestionKey
    kind: AnswerKind
    question: Annotated[str, StringConstraints(max_length=1_000), Says(_("Question"))]
    answer: Annotated[Text, StringConstraints(min_length=1), Says(_("Answer"), long=True)]


class Further(Part):
    """The answers to the further questions of a policy. Which are asked is the policy's business, so the form of this
    section is made from its questions; an answer stays when its question is no longer asked."""

    answers: Annotated[tuple[FurtherAnswer, ...], Says(_("Further questions"))] = ()

    def answer_to(self, question: str) -> FurtherAnswer | None:
        """The answer to the question of that key, if it was answered."""
        return next((answer for answer in self.answers if answer.key == question), None)


class Content(Part):
    """The whole document."""

    summary: Annotated[Summary, Says(_("Summary"))] = Summary()
    need: Annotated[Need, Says(_("Need and rationale"))] = Need()
    learners: Annotated[Learners, Says(_("Learners and admission"))] = Learners()
    outcomes: Annotated[Outcomes, Says(_("Learning outcomes"))] = Outcomes()
    assessment: Annotated[Assessments, Says(_("Assessment"))] = Assessments()
    delivery: Annotated[DeliveryAndCredit, Says(_("Delivery and credit"))] = DeliveryAndCredit()
    partners: Annotated[Partners, Says(_("Partners and consultation"))] = Partners()
    resources: Annotated[Resources, Says(_("Fees and resources"))] = Resources()
    quality: Annotated[Quality, Says(_("Quality and renewal"))] = Quality()
    credential: Annotated[Credential, Says(_("Badge and classification"))] = Credential()
    further: Annotated[Further, Says(_("Further questions"))] = Further()

    def section(self, key: str) -> Part:
        part: Part = getattr(self, key)
        return part

    def facts(self, action: str = Action.NEW) -> Facts:
        """What a policy's conditions may read of this content."""
        return Facts(
            action=action,
            kind=self.summary.kind,
            level=self.summary.level,
            hours=self.delivery.hours or 0,
            weeks=self.delivery.weeks or 0,
            credit_hundredths=int(Decimal(self.delivery.credits or "0") * 100),
            partners=len(self.partners.partners),
            new_resources=self.resources.new_resources,
        )

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def canonical(self) -> bytes:
        """The bytes that a revision keeps (RFC 8785)."""
        return canonical_bytes(self.as_json())

    def digest(self, files: Sequence[Mapping[str, Json]] = ()) -> str:
        """The digest of a submission: of this content together with its files, each given by name, digest and size."""
        return digest_of({"content": self.as_json(), "attachments": [dict(file) for file in files]})


def changed_fields(before: Content, after: Content) -> list[str]:
    """The paths of the fields that differ, such as `resources.fee`, in the document's order."""
    return [
        f"{key}.{name}"
        for key in Content.model_fields
        for name in type(after.section(key)).model_fields
        if getattr(before.section(key), name) != getattr(after.section(key), name)
    ]


# ---- reading the document's own description


@dataclass(frozen=True)
class FieldSpec:
    """One field of a section: its path such as "need.purpose", what it says, and the part that it repeats as a list."""

    section: str
    name: str
    says: Says
    info: FieldInfo
    item: type[Part] | None

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def type(self) -> Any:
        return self.info.annotation


def says(info: FieldInfo) -> Says | None:
    return next((note for note in info.metadata if isinstance(note, Says)), None)


def fields_of(part: type[Part], section: str = "") -> Iterator[FieldSpec]:
    """The described fields of a part in order; keys that people never see are left out."""
    for name, info in part.model_fields.items():
        note = says(info)
        if note is None:
            continue
        item = get_args(info.annotation)[0] if get_origin(info.annotation) is tuple else None
        yield FieldSpec(section=section, name=name, says=note, info=info, item=item)


def _sections() -> dict[str, tuple[str | Promise, type[Part]]]:
    found: dict[str, tuple[str | Promise, type[Part]]] = {}
    for key, info in Content.model_fields.items():
        note, part = says(info), info.annotation
        assert note is not None and isinstance(part, type)
        found[key] = (note.label, part)
    return found


SECTIONS: Final = _sections()
# The fields that a policy may name; the answers to its further questions are named by the questions.
FIELDS: Final[dict[str, FieldSpec]] = {
    spec.path: spec for key, (_label, part) in SECTIONS.items() if key != FURTHER for spec in fields_of(part, key)
}


def field_names() -> dict[str, str | Promise]:
    """What people call each section and each field, by path, and the files."""
    names: dict[str, str | Promise] = {}
    for key, (label, part) in SECTIONS.items():
        names[key] = label
        names |= {spec.path: spec.says.label for spec in fields_of(part, key)}
    return names | {"files": _("Files")}
