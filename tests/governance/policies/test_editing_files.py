"""A version goes out as files and comes in as files: the same bytes, or a sentence with line and field."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from governance.policies import actions
from governance.policies.models import PolicyVersion
from governance.policies.schema import schema_text
from tests.conftest import ROOT, SHIPPED_POLICY, Institution

from .drafts import EDIT, VERSION, begun, rules_of, text_of

pytestmark = pytest.mark.django_db

FILES = f"{EDIT}/files/"
SOURCE = SHIPPED_POLICY.read_text().replace("version: 1\n", "version: 2\n", 1)


@pytest.fixture
def draft(institution: Institution) -> PolicyVersion:
    return begun(institution)


@pytest.fixture
def as_drafter(institution: Institution, client: Client) -> Client:
    client.force_login(institution.person("drafter"))
    return client


def read_in(client: Client, source: str | bytes, text: str = "", **given: str) -> Any:
    data: dict[str, Any] = {"version": str(PolicyVersion.objects.get(number=2).saves)} | given
    data["rules"] = SimpleUploadedFile("rules.yaml", source if isinstance(source, bytes) else source.encode())
    if text:
        data["text"] = SimpleUploadedFile("text.md", text.encode())
    return client.post(FILES, data)


def sentences(response: Any) -> list[str]:
    return [str(one) for one in response.context["form"].errors["rules"]]


def test_a_file_read_in_comes_out_byte_for_byte(as_drafter: Client, draft: PolicyVersion) -> None:
    source = SOURCE.replace("title:", "# a remark of ours\r\ntitle:", 1)
    text = text_of(draft).replace("Responsible officer", "Officer") + "\n**9.1** One clause more.\n"
    response = read_in(as_drafter, source, text)
    assert response.headers["Location"] == f"{EDIT}/"
    out = as_drafter.get(f"{VERSION}/rules.yaml")
    assert out.content == source.encode()
    assert out.headers["Content-Disposition"] == 'attachment; filename="micro-credential-approval-v2.yaml"'
    assert as_drafter.get(f"{VERSION}/text.md").content == text.encode()
    # And again, when it was proposed, and without the text.
    assert read_in(as_drafter, source).status_code == 302
    assert as_drafter.get(f"{VERSION}/text.md").content == text.encode()
    actions.propose(actor=draft.drafted_by, version=PolicyVersion.objects.get(pk=draft.pk))  # type: ignore[arg-type]
    assert as_drafter.get(f"{VERSION}/rules.yaml").content == source.encode()


def test_a_version_begun_from_another_is_written_in_the_same_shape(as_drafter: Client, draft: PolicyVersion) -> None:
    out = as_drafter.get(f"{VERSION}/rules.yaml").content.decode()
    assert "version: 2\neffective_from: 2027-07-01\n" in out
    assert read_in(as_drafter, out).status_code == 302
    assert as_drafter.get(f"{VERSION}/rules.yaml").content.decode() == out


def line(source: str, words: str) -> int:
    return next(number for number, each in enumerate(source.splitlines(), start=1) if words in each)


def test_what_is_wrong_stands_beside_the_field_with_its_line(as_drafter: Client, draft: PolicyVersion) -> None:
    before = (rules_of(draft), text_of(draft), draft.saves)
    source = SOURCE.replace('clause: "4.5"', 'clause: "4.9"').replace("working_days: 15", "working_days: soon")
    response = read_in(as_drafter, source)
    assert response.status_code == 422
    found = sentences(response)
    assert len(found) == 2
    assert found[0].startswith(f"Line {line(source, 'working_days: soon')}, route.2.due.working_days: ")
    source = SOURCE.replace('clause: "4.5"', 'clause: "4.9"').replace("field: summary.level", "field: summary.depth")
    found = sentences(read_in(as_drafter, source))
    assert found == [
        f"Line {line(source, '4.9')}, route.4.clause: The text has no clause 4.9",
        f"Line {line(source, 'summary.depth')}, requires.3.field: A proposal has no field summary.depth",
    ]
    page = read_in(as_drafter, source).content.decode()
    assert 'id="id_rules_error"' in page
    draft.refresh_from_db()
    assert (rules_of(draft), text_of(draft), draft.saves) == before


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (SOURCE.replace("version: 2\n", "version: 7\n"), "The file is for version 7, and this draft is version 2."),
        (SOURCE.replace("policy: micro", "policy: macro"), "The file is for the policy “macro-credential-approval”"),
        ("just words", "The file does not hold the rules of a policy"),
        ("route: [", "line 1: "),
        ("title: a\ntitle: b", "line 2: title stands twice"),
        (b"\xff\xfe\x00", "The file is not UTF-8 text"),
        (b"", "The file is empty"),
        (b"#" * 1_000_001, "The file is too large"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: *b", "The file is for the policy “None”"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(
    as_drafter: Client, draft: PolicyVersion, source: str | bytes, says: str
) -> None:
    response = read_in(as_drafter, source)
    assert response.status_code == 422
    assert says in sentences(response)[0]
    draft.refresh_from_db()
    assert draft.saves == 0


def test_no_file_at_all_asks_for_one(as_drafter: Client, draft: PolicyVersion) -> None:
    response = as_drafter.post(FILES, {"version": "0"})
    assert response.status_code == 422
    assert sentences(response) == ["Choose the YAML file of the rules"]


def test_a_file_does_not_replace_what_was_saved_meanwhile(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    actions.save_draft(actor=institution.person("administrator"), version=draft, seen=0, text=text_of(draft) + "\nx\n")
    response = read_in(as_drafter, SOURCE, version="0")
    assert response.status_code == 409
    assert "The file was not read" in response.content.decode()
    assert rules_of(draft)["effective_from"] == "2027-07-01"


def test_everybody_reads_the_files_of_law_and_administrators_those_of_drafts(
    institution: Institution, client: Client, draft: PolicyVersion
) -> None:
    client.force_login(institution.person("stranger"))
    first = client.get("/policies/micro-credential-approval/1/rules.yaml")
    assert first.content == SHIPPED_POLICY.read_bytes()
    assert client.get("/policies/micro-credential-approval/1/text.md").status_code == 200
    assert client.get(f"{VERSION}/rules.yaml").status_code == 403
    assert client.get(f"{VERSION}/text.md").status_code == 403
    assert client.get(FILES).status_code == 403


def test_the_published_schema_is_the_one_of_the_code(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    published = (ROOT / "docs" / "policy-rules.schema.json").read_text()
    assert published == schema_text(), "run: manage.py policy schema > docs/policy-rules.schema.json"
    assert client.get("/policies/schema.json").content.decode() == published
    call_command("policy", "schema")
    assert capsys.readouterr().out == published
    named = json.loads(published)
    assert set(named["required"]) >= {"policy", "route", "duties", "resubmission"}
    assert named["$defs"]["Due"]["properties"]["working_days"]["maximum"] == 250


# A few lines that stand for more values than any memory holds.
BOMB = "x0: &a0 [l, l, l, l, l, l, l, l, l]\n" + "".join(
    f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (BOMB + "policy: *a11\n", "line 5: more values than rules can have"),
        ("policy: &a [*a]\n", "line 1: more values than rules can have"),
        ("[" * 5_000, "nested too deep"),
        ("version: 0b_\n", "line 1: a value that cannot be read"),
        ("version: !!int two\n", "line 1: a value that cannot be read"),
        ("governs: !!bool perhaps\n", "line 1: a value that cannot be read"),
        ("effective_from: !!timestamp soon\n", "line 1: a value that cannot be read"),
        ("version: " + "9" * 5_000, "line 1: a value that cannot be read"),
        ("!!map [a]", "line 1: expected a mapping"),
    ],
)
def test_a_file_made_to_do_harm_is_refused_in_a_sentence(
    as_drafter: Client, draft: PolicyVersion, source: str, says: str
) -> None:
    response = read_in(as_drafter, source)
    assert (response.status_code, sentences(response)) == (422, [says])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("when: {field: kind, is: academic}", "when: {field: hours, at_least: 99999999999999999999}"),
        ("when: {field: kind, is: academic}", "when: {field: hours, is: -99999999999999999999}"),
        ("when: {field: kind, is: academic}", "when: {field: kind, is: .nan}"),
        ("label: Associate Dean", f"label: {'Dean' * 51}"),  # longer than a work item keeps it
        ("title:", "1: 2\ntitle:"),
        ("title:", "? [a]\n: 2\ntitle:"),
        ("title:", "policy_: !!set {b}\ntitle:"),
    ],
)
def test_what_no_rules_can_hold_is_a_sentence_and_no_failure(
    as_drafter: Client, draft: PolicyVersion, old: str, new: str
) -> None:
    assert old in SOURCE
    assert read_in(as_drafter, SOURCE.replace(old, new, 1)).status_code == 422


def test_a_text_with_a_character_that_no_database_keeps_is_refused(as_drafter: Client, draft: PolicyVersion) -> None:
    response = read_in(as_drafter, SOURCE, text_of(draft) + "\0")
    assert response.status_code == 422
