"""How a marked text stands in a page: `{{ words|marked }}` in a line, `{{ words|set_out }}` as paragraphs.

Filters and not templates, because a proposal's page holds hundreds of these.
"""

from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from governance.redline import Mark, Marked, Run
from governance.site.templatetags.assent import render_markdown

register = template.Library()


@register.filter
def marked(words: Marked) -> SafeString:
    """The text with `<ins>` and `<del>` around what was put in and taken out."""
    if not words.changed:
        return escape(words.new)
    return format_html_join("", "{}", ((_run(run),) for run in words.runs))


@register.filter
def set_out(words: Marked) -> SafeString:
    """A longer text: as its writer set it out, or line by line with its changes."""
    if not words.changed:
        return render_markdown(words.new)
    return format_html('<p class="doc__lines">{}</p>', marked(words))


def _run(run: Run) -> SafeString:
    if run.mark is Mark.ADDED:
        return format_html("<ins>{}</ins>", run.text)
    if run.mark is Mark.REMOVED:
        return format_html("<del>{}</del>", run.text)
    return escape(run.text)
