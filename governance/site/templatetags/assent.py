"""The tags and filters that templates use without loading them, such as `{% icon "check" %}` and `{{ due|day }}`.

A list page calls these once or more for each row, so they build strings directly and remember what does not change.
"""

import re
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

import nh3
from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.signals import setting_changed
from django.templatetags.static import StaticNode
from django.utils import timezone
from django.utils.dates import MONTHS_3, MONTHS_AP, WEEKDAYS_ABBR
from django.utils.functional import Promise
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from governance import clock
from governance.audit import models as audit
from governance.working_days import working_days_between

register = template.Library()

Words = str | Promise


# ---- our own files


@register.simple_tag
@cache
def asset(path: str) -> str:
    """The address of one of our static files, with the hash that `collectstatic` gave it.

    Without `collectstatic` it is the plain address: a page that reports an error must not fail for want of a manifest.
    """
    try:
        return StaticNode.handle_simple(path)
    except ValueError:
        return staticfiles_storage.base_url + path  # type: ignore[no-any-return, attr-defined]


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in {"STORAGES", "STATIC_URL"}:
        asset.cache_clear()
        _icon.cache_clear()


setting_changed.connect(_forget, dispatch_uid="assent-tags-forget")


# ---- small parts


@lru_cache(maxsize=512)
def _icon(name: str, label: str, cls: str) -> SafeString:
    # `escape` and not `conditional_escape`: what is remembered for a safe string must do for an equal unsafe one.
    label_or_hidden = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    classes = escape(f"icon {cls}".strip())
    return mark_safe(
        f'<svg class="{classes}" {label_or_hidden}><use href="{asset("assent/icons.svg")}#{escape(name)}"/></svg>'
    )


@register.simple_tag
def icon(name: str, label: Words = "", cls: str = "") -> SafeString:
    """An icon of the sprite. It is hidden from assistive technology unless it has a `label`, that is, stands alone."""
    return _icon(name, str(label), cls)


@register.simple_tag
def bar(value: float, mark: float | None = None, kind: str = "") -> SafeString:
    """A meter from 0 to 100, with an optional mark such as the target; kind: good, warn, bad.

    It always stands beside words that say the same, so it is hidden from assistive technology. Attributes of the
    drawing rather than a style, because the content security policy forbids those.
    """
    width = max(0.0, min(100.0, float(value)))
    tick = ""
    if mark is not None and float(mark) < 100:
        tick = f'<rect class="bar__m" x="{float(mark) - 0.8:g}" width="1.6" height="6"/>'
    kind = f" bar--{conditional_escape(kind)}" if kind else ""
    return mark_safe(
        f'<svg class="bar{kind}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="bar__v" width="{width:g}" height="6"/>{tick}</svg>'
    )


class Look(NamedTuple):
    """How a state is shown: never by colour alone."""

    kind: str
    icon: str
    words: Words


STATES = {
    "draft": Look("", "pencil", gettext_lazy("Draft")),
    "in_review": Look("accent", "circle-dot", gettext_lazy("In review")),
    "returned": Look("warn", "undo-2", gettext_lazy("Returned for changes")),
    "approved": Look("good", "circle-check", gettext_lazy("Approved")),
    "declined": Look("bad", "circle-x", gettext_lazy("Declined")),
    "withdrawn": Look("line", "log-out", gettext_lazy("Withdrawn")),
    "retired": Look("line", "history", gettext_lazy("Retired")),
}
APPROVED_WITH_CONDITIONS = gettext_lazy("Approved with conditions")


@register.simple_tag
def state_tag(state: Any, conditions: bool = False) -> SafeString:
    """The state of a proposal as a tag; an unknown state is an error, not an empty space."""
    look = STATES[str(getattr(state, "value", state))]
    words = APPROVED_WITH_CONDITIONS if conditions and look.icon == "circle-check" else look.words
    kind = f" tag--{look.kind}" if look.kind else ""
    return mark_safe(f'<span class="tag{kind}">{_icon(look.icon, "", "")} {conditional_escape(str(words))}</span>')


def initials(name: str) -> str:
    """The first letters of the first and the last word: "Marie-Ève Gagnon" gives "MG"."""
    words = re.findall(r"\w[\w'’.-]*", name)
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.simple_tag
def person(name: Any, me: bool = False) -> SafeString:
    """A round mark with a person's initials; the name itself stands beside it."""
    kind = " avatar--me" if me else ""
    letters = conditional_escape(initials(str(name)))
    return mark_safe(f'<span class="avatar{kind}" data-i="{letters}" aria-hidden="true"></span>')


@register.simple_tag
def error_list(form: Any, forms: Any = None, errors: Any = None) -> list[tuple[str, Words]]:
    """Pairs of a field's id and its sentence, for the error summary: of one form, of several, or as they are given."""
    if errors:
        return list(errors)
    found: list[tuple[str, Words]] = []
    for one in list(forms or ([form] if form else [])):
        found += [("", sentence) for sentence in one.non_field_errors()]
        for field in one:
            anchor = f"{field.auto_id}_0" if field.use_fieldset else field.id_for_label
            found += [(anchor, sentence) for sentence in field.errors]
    return found


@register.filter
def named(name: str) -> str:
    """A person's name, or the words for one whose data was erased: every name on a page goes through it."""
    return audit.named(name)


# ---- dates and times


def _local(value: date) -> date:
    return timezone.localtime(value) if isinstance(value, datetime) and timezone.is_aware(value) else value


@register.filter
def day(value: date | None) -> str:
    """A date with its weekday, "Fri 16 Oct"; with the year when it is not this year's."""
    if not value:
        return ""
    value = _local(value)
    english = (get_language() or "en").startswith("en")
    parts = {
        "weekday": WEEKDAYS_ABBR[value.weekday()],
        # Translators: the number of a month's first day in a short date, which some languages write as an ordinal
        "day": pgettext("date", "1") if value.day == 1 else value.day,
        "month": str(MONTHS_3[value.month]).title() if english else MONTHS_AP[value.month],
        "year": value.year,
    }
    if value.year == clock.today().year:
        # Translators: a short date such as "Fri 16 Oct"
        return pgettext("date", "%(weekday)s %(day)s %(month)s") % parts
    # Translators: a short date with its year, such as "Fri 16 Oct 2026"
    return pgettext("date", "%(weekday)s %(day)s %(month)s %(year)s") % parts


@register.filter
def moment(value: datetime | None) -> str:
    """A date with its weekday and the time of day, "Fri 16 Oct, 14:02"."""
    if not value:
        return ""
    local = _local(value)
    # Translators: a short date and a time on the 24-hour clock, such as "Fri 16 Oct, 14:02"
    return pgettext("date", "%(date)s, %(time)s") % {"date": day(local), "time": time_of_day(value)}


@register.filter
def time_of_day(value: datetime) -> str:
    """The time on the 24-hour clock, "14:02"."""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    # Translators: a time on the 24-hour clock, such as "14:02"
    return pgettext("time", "%(hour)s:%(minute)s") % {"hour": f"{local:%H}", "minute": f"{local:%M}"}


@register.simple_tag
def when(value: date | None, form: str = "") -> SafeString:
    """A `<time>` element around `day` or `moment`: whichever fits the value, or the one named in `form`."""
    if not value:
        return mark_safe("")
    local = _local(value)
    if isinstance(local, datetime) and form != "day":
        stamp = local.isoformat(timespec="minutes")
        return mark_safe(f'<time datetime="{stamp}">{conditional_escape(moment(local))}</time>')
    return mark_safe(f'<time datetime="{local:%Y-%m-%d}">{conditional_escape(day(local))}</time>')


@register.filter
def since(value: date | None) -> str:
    """How long ago in working days, as in "With you for 8 working days"."""
    if not value:
        return ""
    local = _local(value)
    days = working_days_between(local.date() if isinstance(local, datetime) else local, clock.today())
    if days < 1:
        return _("less than a working day")
    return ngettext("%(days)s working day", "%(days)s working days", days) % {"days": days}


# ---- text that people wrote

_WITH_HEADINGS = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    .disable(["image", "autolink", "html_block", "html_inline"])
)
_NO_HEADINGS = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    .disable(["image", "autolink", "html_block", "html_inline", "heading", "lheading"])
)
_INLINE = {"a", "br", "code", "em", "strong"}
_BLOCKS = {"blockquote", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul"}
_TABLES = {"table", "tbody", "td", "th", "thead", "tr"}


@lru_cache(maxsize=256)
def _markdown(text: str, first_heading: int | None) -> SafeString:
    reader = _NO_HEADINGS if first_heading is None else _WITH_HEADINGS
    tokens = reader.parse(text)
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    highest = min((int(token.tag[1]) for token in headings), default=1)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) - highest + (first_heading or 2))}"
    return mark_safe(
        nh3.clean(
            reader.renderer.render(tokens, reader.options, {}),
            tags=_INLINE | _BLOCKS | _TABLES,
            attributes={"a": {"href"}, "ol": {"start"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer",
        )
    )


@register.filter
def render_markdown(text: str | None, first_heading: int | None = None) -> SafeString:
    """Markdown as safe HTML: no HTML of the writer's own, no images, no links but those with words.

    Narrative fields have no headings: `{{ need|render_markdown }}`. Policy text has; name the level that its highest
    one gets on this page: `{{ text|render_markdown:2 }}`.
    """
    return _markdown(text or "", first_heading)
