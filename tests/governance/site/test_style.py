"""Our stylesheet, icons, script and templates keep the promises of the design: contrast, budgets, no inline style."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings

STATIC = settings.BASE_DIR / "governance" / "site" / "static" / "assent"
CSS = (STATIC / "app.css").read_text()
TEMPLATES = sorted(
    path
    for folder in (settings.BASE_DIR / "templates", settings.BASE_DIR / "governance", settings.BASE_DIR / "workflows")
    for path in folder.rglob("*.html")
)

TOKENS = {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", CSS)}
SURFACES = ("canvas", "surface", "sunken", "raised")
MEANINGS = ("good", "warn", "bad", "policy")
TEXT = (
    [(ink, surface) for ink in ("ink", "ink-2", "ink-3") for surface in SURFACES]
    + [("accent", surface) for surface in (*SURFACES, "accent-soft", "warn-soft", "bad-soft")]
    + [(kind, surface) for kind in MEANINGS for surface in (f"{kind}-soft", "surface", "canvas", "sunken")]
    + [(ink, f"{kind}-soft") for ink in ("ink", "ink-2") for kind in (*MEANINGS, "accent")]
    + [("accent-strong", "accent-soft"), ("accent-strong", "sunken"), ("bad", "accent-soft")]
    + [("on-accent", "accent"), ("on-accent", "accent-strong"), ("on-good", "good")]
    + [("ins-ink", "ins"), ("del-ink", "del"), ("canvas", "ink")]
)
GRAPHICS = (
    [("line-control", surface) for surface in ("canvas", "surface", "sunken", "raised")]
    + [("focus", surface) for surface in ("canvas", "surface", "sunken", "accent-soft")]
    + [("accent", "line"), ("accent", "accent-line"), ("ins-line", "line"), ("del-line", "line")]
    + [("ins-line", "surface"), ("del-line", "surface"), ("warn-fill", "surface"), ("warn-fill", "canvas")]
    + [("warn-fill", "accent-soft"), ("warn-fill", "warn-soft")]
)


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_graphics_reach_the_contrast_of_wcag_aa(scheme: int) -> None:
    pairs = [(pair, 4.5) for pair in TEXT] + [(pair, 3.0) for pair in GRAPHICS]
    low = {
        f"{front} on {back}": round(ratio, 2)
        for (front, back), need in pairs
        if (ratio := contrast(TOKENS[front][scheme], TOKENS[back][scheme])) < need
    }
    assert low == {}


def test_no_rule_outside_the_tokens_names_a_colour_except_paper() -> None:
    after_tokens = CSS.split("@layer reset {", 1)[1]
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", after_tokens)) <= {"#fff", "#999"}


def test_every_custom_property_in_use_is_declared() -> None:
    declared = set(re.findall(r"(--[\w-]+):", CSS))
    assert set(re.findall(r"var\((--[\w-]+)", CSS)) - declared == set()


def test_style_and_script_stay_within_their_budgets() -> None:
    script = (STATIC / "app.js").read_bytes()
    htmx = (STATIC / "htmx.min.js").read_bytes()
    style = CSS.encode()
    assert len(style) <= 60_000
    assert len(gzip.compress(style, 9)) <= 15_000
    assert len(script) <= 6 * 1024
    assert len(gzip.compress(script + htmx, 9)) <= 22_000


def test_templates_name_only_icons_that_the_sprite_has() -> None:
    has = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    named = {
        (path.name, name)
        for path in TEMPLATES
        for name in re.findall(r"""(?:\{% icon |\bicon=)["']([\w-]+)["']""", path.read_text())
    }
    assert named
    assert {(path, name) for path, name in named if name not in has} == set()


def for_the_browser(path: Path) -> bool:
    # What WeasyPrint prints, and mails, never meet the content security policy.
    return not {"memos", "mail"} & set(path.parts)


@pytest.mark.parametrize("path", [p for p in TEMPLATES if for_the_browser(p)], ids=lambda path: path.name)
def test_a_template_has_no_inline_style_or_script(path: Path) -> None:
    html = re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=[\x22\x27]|\shx-on", html)


def test_every_part_says_what_it_takes() -> None:
    silent = [
        path.name
        for path in (settings.BASE_DIR / "templates" / "parts").glob("*.html")
        if "Takes" not in path.read_text().split("{% endcomment %}")[0]
    ]
    assert silent == []
