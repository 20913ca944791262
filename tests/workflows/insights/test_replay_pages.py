"""The pages on which an administrator starts a replay, watches it, and reads what came of it."""

import csv
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from django.utils.translation import override

from governance.people.actions import give_mandate
from governance.people.duties import Duty
from governance.policies.actions import save_draft
from governance.policies.models import PolicyVersion
from governance.policies.rules import Check, Requirement
from tests.conftest import LONG_AGO, REGISTRAR, Institution
from tests.samples import complete_content
from tests.workflows.insights.world import (
    SHIPPED,
    approved,
    declined,
    deliver_replays,
    drafted,
    stage,
    with_stage,
    without,
)
from workflows.insights import actions
from workflows.insights.models import Replay
from workflows.insights.page import GAP, WIDTH, mean_days, segments_of
from workflows.insights.replay import Result, Tally
from workflows.proposals.models import Proposal

START = "/policies/micro-credential-approval/2/replay/"
TWO_LETTERS = Requirement(field="need.evidence", check=Check.AT_LEAST, number=2, says="Add two letters", clause="3.3")


@pytest.fixture
def draft(institution: Institution) -> PolicyVersion:
    """No Undergraduate Council any more, and two pieces of evidence."""
    for title in ("Grant <Writing>", "=Drone Survey"):
        approved(institution, content=complete_content(title=title))
    approved(institution, content=complete_content(level="graduate", title="Hydrology"))
    enough = complete_content(level="graduate", title="Orchards")
    enough["need"]["evidence"] *= 2
    declined(institution, content=enough)
    return drafted(institution, **without("undergraduate-council"), requires=(*SHIPPED.rules.requires, TWO_LETTERS))


@pytest.fixture
def admin(institution: Institution) -> Client:
    return signed_in(institution, "administrator")


def signed_in(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def replayed(institution: Institution, version: PolicyVersion, **given: Any) -> Replay:
    replay = actions.start(actor=institution.person("administrator"), version=version, **given)
    deliver_replays()
    return Replay.objects.select_related("version__policy").get(pk=replay.pk)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# ---- starting and watching


def test_an_administrator_starts_a_replay_and_sees_how_far_it_is(admin: Client, draft: PolicyVersion) -> None:
    page = admin.get(START).content.decode()
    assert "What if version 2 had applied?" in page
    response = admin.post(START, {"first": "", "last": "", "unit": "", "kind": "academic"})
    replay = Replay.objects.get()
    assert response["Location"] == replay.get_absolute_url() == f"{START}{replay.pk}/"
    page = admin.get(replay.get_absolute_url()).content.decode()
    for words in ("Waiting for its turn", "0 of 4", "Check again", "Stop", "You may leave this page"):
        assert words in page
    assert f'hx-get="{replay.get_absolute_url()}"' in page
    deliver_replays()
    fragment = admin.get(replay.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "hx-trigger" not in fragment
    assert "The replay is done" in fragment
    assert "#announce" in fragment


def test_the_fragment_says_how_much_is_left(
    admin: Client, institution: Institution, draft: PolicyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "BATCH", 1)
    replay = actions.start(actor=institution.person("administrator"), version=draft)
    actions.run(replay_id=replay.pk, seconds=-1)
    fragment = admin.get(replay.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert "1 of 4" in fragment
    assert 'hx-trigger="every 3s"' in fragment
    assert re.search(r"About (one second|\d+ seconds) left", fragment)


def test_stop_is_one_press(admin: Client, institution: Institution, draft: PolicyVersion) -> None:
    replay = actions.start(actor=institution.person("administrator"), version=draft)
    page = admin.post(f"{replay.get_absolute_url()}stop/", follow=True).content.decode()
    assert "The replay was stopped" in page
    assert "0 of 4 past proposals" in page
    assert admin.post(f"{replay.get_absolute_url()}stop/").status_code == 409
    assert admin.get(f"{replay.get_absolute_url()}stop/").status_code == 405


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"first": "2026-13-40"}, "valid date"),
        ({"first": "2026-10-02", "last": "2026-10-01"}, "not before the first one"),
        ({"unit": "99999"}, "valid choice"),
        ({"kind": "nonsense"}, "valid choice"),
    ],
)
def test_a_form_that_cannot_be_read_says_so_beside_the_field(
    admin: Client, draft: PolicyVersion, typed: dict[str, str], said: str
) -> None:
    response = admin.post(START, typed)
    assert response.status_code == 422
    page = response.content.decode()
    assert said in page
    assert "One thing to fix" in page
    assert not Replay.objects.exists()


def test_nothing_to_replay_over_is_said(admin: Client, draft: PolicyVersion) -> None:
    response = admin.post(START, {"kind": "non-academic"})
    assert response.status_code == 409
    assert "nothing to replay the version over" in response.content.decode()


def test_a_draft_that_is_no_rules_yet_says_what_is_in_the_way(
    admin: Client, institution: Institution, draft: PolicyVersion
) -> None:
    save_draft(actor=institution.person("drafter"), version=draft, seen=0, rules={"title": "Half a policy"})
    for response in (admin.get(START), admin.post(START, {})):
        assert "cannot be replayed yet" in response.content.decode()
    assert not Replay.objects.exists()


# ---- what came of it


def test_the_result_in_sum(admin: Client, institution: Institution, draft: PolicyVersion) -> None:
    replay = replayed(institution, draft)
    response = admin.get(replay.get_absolute_url())
    words = text_of(response.content.decode())
    assert "Of 4 past proposals, 1 would have gone the same way and 3 would not ." in words
    for segment in ("1 the same", "1 returned once more", "2 by another route"):
        assert segment in words
    assert "3 would have been asked to complete something before their first stage" in words
    assert "No longer goes to “Undergraduate Council” 4.3, gone 2" in words
    assert "Add two letters 3.3 3" in words
    assert "Undergraduate Council 2 0 −2 0 2" in words  # as it was, under the draft, change, more often, less often
    assert "Estimate" not in words
    assert draft.digest[:16] in words
    assert institution.policy is not None
    assert institution.policy.digest[:16] in words
    assert f"Last event of the data {replay.last_event}" in words


def test_a_stage_that_was_never_come_to_is_an_estimate(
    admin: Client, institution: Institution, draft: PolicyVersion
) -> None:
    newer = SHIPPED.rules.model_copy(
        update={
            **with_stage(stage("library", "secretariat", days=7), before="senate"),
            "effective_from": draft.effective_from,
        }
    )
    data = newer.model_dump(mode="json", by_alias=True)
    save_draft(actor=institution.person("drafter"), version=draft, seen=0, rules=data)
    draft.refresh_from_db()
    words = text_of(admin.get(replayed(institution, draft).get_absolute_url()).content.decode())
    assert "Library 7 Estimate Never come to yet; its due days are taken. 0 3" in words
    assert "Senate 0 3 answers 3 3" in words


def test_proposals_are_named_in_full_only_to_those_who_may_see_them(
    admin: Client, institution: Institution, draft: PolicyVersion
) -> None:
    replay = replayed(institution, draft)
    url = replay.get_absolute_url()
    page = admin.get(url).content.decode()
    references = list(replay.findings.values_list("proposal__reference", flat=True))
    assert all(reference in page for reference in references)
    assert escape("Grant <Writing>") not in page
    assert "The titles of proposals that you may not see are left out." in page
    give_mandate(
        actor=REGISTRAR,
        person=institution.people["administrator"],
        body=institution.bodies["secretariat"],
        duty=Duty.OBSERVER,
        starts_on=LONG_AGO,
    )
    page = signed_in(institution, "administrator").get(url).content.decode()
    assert escape("Grant <Writing>") in page
    assert f'href="/proposals/{references[0]}/"' in page
    assert "left out" not in page


def test_each_number_opens_the_proposals_behind_it(
    admin: Client, institution: Institution, draft: PolicyVersion
) -> None:
    replay = replayed(institution, draft)
    page = admin.get(replay.get_absolute_url()).content.decode()
    links = re.findall(r'href="(\?(?:because|result)=[^"#]+)#otherwise">([^<]+)</a>', page)
    assert len(links) == 4  # two parts of the bar, one route, one requirement
    for link, count in links:
        shown = admin.get(replay.get_absolute_url() + link).context["lines"]
        assert len(shown) == int(count.split()[0])


def test_each_reason_leads_to_its_clause_in_the_version_that_has_it(
    admin: Client, institution: Institution, draft: PolicyVersion
) -> None:
    lines = admin.get(replayed(institution, draft).get_absolute_url()).context["lines"]
    assert [(why.words, why.url) for why in lines[0].because] == [
        ("No longer goes to “Undergraduate Council”", "/policies/micro-credential-approval/1/#c4.3"),
        ("To be completed first: Add two letters", "/policies/micro-credential-approval/2/#c3.3"),
    ]
    assert [(line.was, line.becomes) for line in lines] == [
        ("Approved by Senate", "Not to Undergraduate Council"),
        ("Approved by Senate", "Not to Undergraduate Council"),
        ("Approved by Senate", "Returned once more"),
    ]


def test_out_of_date_is_said_with_its_reason(admin: Client, institution: Institution, draft: PolicyVersion) -> None:
    replay = replayed(institution, draft)
    assert "out of date" not in admin.get(replay.get_absolute_url()).content.decode()
    institution.submitted()
    page = admin.get(replay.get_absolute_url()).content.decode()
    assert "Proposals were sent, decided, moved or withdrawn after this replay." in page
    save_draft(actor=institution.person("drafter"), version=draft, seen=0, text=SHIPPED.text + "\n")
    page = admin.get(replay.get_absolute_url()).content.decode()
    assert "The version was changed after this replay." in page
    assert "Out of date" in admin.get(START).content.decode()
    assert "Out of date" in admin.get("/policies/micro-credential-approval/").content.decode()


def test_run_again_asks_for_the_same_once_more(admin: Client, institution: Institution, draft: PolicyVersion) -> None:
    first = replayed(institution, draft, unit=institution.units["HSCI"], kind="academic")
    page = admin.get(first.get_absolute_url()).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(first|last|unit|kind)" value="([^"]*)"', page))
    admin.post(START, hidden)
    again = Replay.objects.latest("id")
    assert (again.unit, again.kind, again.ended_from) == (first.unit, "academic", None)


def test_a_mark_with_a_character_that_no_database_keeps_narrows_nothing(
    admin: Client, institution: Institution, draft: PolicyVersion
) -> None:
    replay = replayed(institution, draft)
    assert admin.get(f"{replay.get_absolute_url()}?because=%00").context["chosen"] is None


def test_findings_as_a_file(admin: Client, institution: Institution, draft: PolicyVersion) -> None:
    replay = replayed(institution, draft)
    give_mandate(
        actor=REGISTRAR,
        person=institution.people["administrator"],
        body=institution.bodies["secretariat"],
        duty=Duty.OBSERVER,
        starts_on=LONG_AGO,
    )
    response = signed_in(institution, "administrator").get(f"{replay.get_absolute_url()}findings.csv?result=route")
    assert "attachment" in response["Content-Disposition"]
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    head, *rows = csv.reader(io.StringIO(text))
    assert head[:2] == ["Reference", "Title"]
    assert [row[1] for row in rows] == ["Grant <Writing>", "'=Drone Survey"]
    assert rows[0][4:7] == [
        "Not to Undergraduate Council",
        "No longer goes to “Undergraduate Council”; To be completed first: Add two letters",
        "4.3, 3.3",
    ]
    hidden = b"".join(admin.get(f"{replay.get_absolute_url()}findings.csv").streaming_content)  # type: ignore[attr-defined]
    assert b"MC-" in hidden


def test_a_page_of_findings_takes_as_many_queries_with_many_rows(
    admin: Client, institution: Institution, draft: PolicyVersion
) -> None:
    def queries_of(replay: Replay) -> int:
        admin.get(replay.get_absolute_url())
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(replay.get_absolute_url()).status_code == 200
        return len(captured)

    few = queries_of(replayed(institution, draft))
    for _ in range(3):
        approved(institution)
    many = replayed(institution, draft)
    assert many.findings.count() == 6
    assert queries_of(many) == few


# ---- who may


@pytest.mark.parametrize("key", ["author", "senate", "observer", "stranger"])
def test_replays_are_for_administrators(institution: Institution, draft: PolicyVersion, key: str) -> None:
    replay = replayed(institution, draft)
    client = signed_in(institution, key)
    url = replay.get_absolute_url()
    answers = [
        client.get(START),
        client.post(START, {}),
        client.get(url),
        client.get(url, headers={"HX-Request": "true"}),
        client.get(f"{url}findings.csv"),
        client.post(f"{url}stop/"),
        client.post(f"{url}go-on/"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 7
    assert "Replay v2" not in client.get("/policies/micro-credential-approval/").content.decode()


def test_a_replay_is_found_under_its_own_version_only(
    admin: Client, institution: Institution, draft: PolicyVersion
) -> None:
    replay = replayed(institution, draft)
    assert admin.get(f"/policies/micro-credential-approval/1/replay/{replay.pk}/").status_code == 404
    assert admin.get("/policies/micro-credential-approval/9/replay/").status_code == 404


# ---- the bar


@pytest.mark.parametrize(
    "results", [{"same": 10_000, "route": 1, "barred": 1}, {"route": 3}, {"same": 1, "returned": 2}]
)
def test_the_bar_is_filled_and_each_part_can_be_seen(results: dict[str, int]) -> None:
    parts = segments_of(Tally(cases=sum(results.values()), results=results))
    assert [part.count for part in parts] == [
        results[r.value] for r in (Result.SAME, Result.RETURNED, Result.ROUTE, Result.BARRED) if r.value in results
    ]
    assert all(part.width >= 4 for part in parts)
    assert sum(part.width for part in parts) + GAP * (len(parts) - 1) == WIDTH
    assert [part.x for part in parts[1:]] == [part.x + part.width + GAP for part in parts[:-1]]


def test_a_mean_has_one_decimal() -> None:
    assert [mean_days(83, 1), mean_days(490_770, 9_840), mean_days(0, 0)] == ["41.5", "24.9", "0"]
    with override("fr-ca"):
        assert mean_days(83, 1) == "41,5"


def test_titles_of_proposals_are_never_kept_in_findings(institution: Institution, draft: PolicyVersion) -> None:
    """What an administrator may not read is not there to be shown by mistake."""
    replay = replayed(institution, draft)
    kept = str(list(replay.findings.values()))
    assert all(title not in kept for title in Proposal.objects.values_list("title", flat=True))
