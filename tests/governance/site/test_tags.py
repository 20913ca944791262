"""The tags and filters of every template."""

from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template
from django.utils import translation

from governance import clock
from governance.site.templatetags import assent

NOW = datetime(2026, 10, 14, 16, 0, tzinfo=UTC)


def draw(template: str, **context: object) -> str:
    return Template(template).render(Context(context))


def test_icon_is_hidden_from_assistive_technology_unless_it_has_a_label() -> None:
    assert draw('{% icon "check" %}') == (
        '<svg class="icon" aria-hidden="true"><use href="/static/assent/icons.svg#check"/></svg>'
    )
    assert 'role="img" aria-label="Verified &amp; sealed"' in draw('{% icon "check" label="Verified & sealed" %}')
    assert 'class="icon t-good"' in draw('{% icon "check" cls="t-good" %}')


def test_bar_stays_between_0_and_100_and_marks_its_target() -> None:
    assert 'width="100" height="6"' in draw("{% bar 140 mark=71 %}")
    assert 'x="70.2"' in draw("{% bar 140 mark=71 %}")
    assert "bar__m" not in draw("{% bar 40 mark=100 %}")
    assert "bar--bad" in draw('{% bar 40 kind="bad" %}')
    with translation.override("fr-ca"):
        assert 'width="12.5"' in draw("{% bar 12.5 %}")


@pytest.mark.parametrize("state", assent.STATES)
def test_state_tag_shows_an_icon_and_a_word(state: str) -> None:
    html = draw("{% state_tag state %}", state=state)
    assert "<use href" in html
    assert str(assent.STATES[state].words) in html


def test_state_tag_says_when_an_approval_has_conditions() -> None:
    assert "Approved with conditions" in draw('{% state_tag "approved" conditions=True %}')
    assert "with conditions" not in draw('{% state_tag "declined" conditions=True %}')


def test_state_tag_of_an_unknown_state_is_an_error() -> None:
    with pytest.raises(KeyError):
        draw('{% state_tag "sleeping" %}')


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Priya Venkataraman", "PV"), ("Marie-Ève Gagnon", "MG"), ("Cher", "C"), ("Ana de la Cruz", "AC"), ("", "")],
)
def test_person_shows_the_initials(name: str, letters: str) -> None:
    assert f'data-i="{letters}"' in draw("{% person name %}", name=name)


def test_day_has_its_weekday_and_names_another_year() -> None:
    with clock.at(NOW):
        assert assent.day(date(2026, 10, 16)) == "Fri 16 Oct"
        assert assent.day(date(2027, 1, 11)) == "Mon 11 Jan 2027"
        assert assent.day(None) == ""


def test_moment_is_told_where_the_institution_is() -> None:
    with clock.at(NOW):
        assert assent.moment(datetime(2026, 10, 17, 2, 5, tzinfo=UTC)) == "Fri 16 Oct, 22:05"


def test_when_is_a_time_element() -> None:
    with clock.at(NOW):
        assert draw("{% when d %}", d=date(2026, 10, 16)) == '<time datetime="2026-10-16">Fri 16 Oct</time>'
        assert draw("{% when m %}", m=datetime(2026, 10, 16, 18, 2, tzinfo=UTC)) == (
            '<time datetime="2026-10-16T14:02-04:00">Fri 16 Oct, 14:02</time>'
        )
        assert draw('{% when m "day" %}', m=datetime(2026, 10, 17, 2, 5, tzinfo=UTC)) == (
            '<time datetime="2026-10-16">Fri 16 Oct</time>'
        )
        assert draw("{% when m %}", m=None) == ""


def test_since_counts_working_days() -> None:
    with clock.at(NOW):
        # Thanksgiving, 12 October, is not a working day.
        assert assent.since(datetime(2026, 10, 8, 16, 0, tzinfo=UTC)) == "3 working days"
        assert assent.since(date(2026, 10, 13)) == "1 working day"
        assert assent.since(NOW) == "less than a working day"


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[press](javascript:alert(1))",
        "[press](  JaVaScRiPt:alert(1))",
        "[press](data:text/html;base64,PHNjcmlwdD4=)",
        "<https://elsewhere.example>",
        '<a href="https://elsewhere.example" onclick="x()">press</a>',
        "<style>*{display:none}</style>",
        "[press](vbscript:x)",
    ],
)
@pytest.mark.parametrize("first_heading", [None, 2])
def test_markdown_lets_nothing_of_the_writers_own_through(evil: str, first_heading: int | None) -> None:
    html = assent.render_markdown(evil, first_heading)
    for tag in ("<script", "<img", "<style", "<a ", "<iframe"):
        assert tag not in html


def test_markdown_turns_an_image_into_a_link_that_fetches_nothing() -> None:
    html = assent.render_markdown("![Site plan](https://elsewhere.example/pixel.gif)")
    assert "<img" not in html
    assert ">Site plan</a>" in html


def test_markdown_keeps_emphasis_lists_and_links_with_words() -> None:
    html = assent.render_markdown("**Bold** and [the act](https://example.org)\n\n- one\n- two")
    assert "<strong>Bold</strong>" in html
    assert '<a href="https://example.org" rel="noopener noreferrer">the act</a>' in html
    assert html.count("<li>") == 2


def test_markdown_has_headings_only_where_a_level_is_named() -> None:
    text = "# Purpose\n\ntext\n\n## Scope"
    assert "<h" not in assent.render_markdown(text)
    assert "# Purpose" in assent.render_markdown(text)
    html = assent.render_markdown(text, 3)
    assert "<h3>Purpose</h3>" in html
    assert "<h4>Scope</h4>" in html


def test_markdown_of_nothing_is_nothing() -> None:
    assert assent.render_markdown(None) == ""
