"""How large pages are: their HTML, the scripts and styles they name, and how many files are asked for."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles import finders

from workflows.benchmarks.timing import Result, counted

PAGE_LIMITS: Final = (("html", 60.0, "kB gzip"), ("assets", 100.0, "kB"), ("requests", 12.0, "requests"))
ASSET: Final = re.compile(r'<(?:script[^>]*? src|link[^>]*? href|img[^>]*? src|use href)="([^"#]+)')
IN_STYLES: Final = re.compile(r"url\(['\"]?(?!data:)([^)'\"#]+)")


def sizes_of(name: str, html: bytes) -> list[Result]:
    found = _assets(html.decode())
    scripts_and_styles = sum(path.stat().st_size for path in found if path.suffix in {".css", ".js"})
    measured = (len(gzip.compress(html)) / 1000, scripts_and_styles / 1000, float(1 + len(found)))
    return [
        counted(f"{name}-{what}", ours, limit, unit)
        for (what, limit, unit), ours in zip(PAGE_LIMITS, measured, strict=True)
    ]


def _assets(html: str) -> set[Path]:
    """Our own files that a page names, and those that its stylesheets name: an upper bound of what is fetched."""
    found: set[Path] = set()
    for address in ASSET.findall(html):
        if address.startswith(settings.STATIC_URL):
            found |= set(_with_named(address.removeprefix(settings.STATIC_URL)))
    return found


def _with_named(name: str) -> Iterator[Path]:
    where = finders.find(name)
    if where is None:
        raise RuntimeError(f"a page names {name}, which is not there")
    yield Path(where)
    if name.endswith(".css"):
        for other in IN_STYLES.findall(Path(where).read_text()):
            named = finders.find(str(Path(name).parent / other))
            if named is not None:
                yield Path(named)
