"""Real Chromium for tests of whole pages: as a person, with or without scripts, at any width, checked with axe."""

import os
import re
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from governance.people.models import User

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE, DESK = 390, 1280
# Milliseconds; only a page that hangs takes so long.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
# In a browser that runs no scripts, axe would wait for ever.
WITHOUT_SCRIPT: "weakref.WeakSet[BrowserContext]" = weakref.WeakSet()

PageFor = Callable[..., Page]
Axe = Callable[[Page], list[str]]


def chromium() -> str | None:
    """The Chromium on this machine; None for the one that Playwright brings."""
    named = os.environ.get("ASSENT_CHROMIUM", "")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Playwright's own loop runs in this thread while the tests ask the database as they always do. Only for these
    # tests: pyHanko, which seals memos, wants a thread without one.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page_for(browser: Browser, live_server: LiveServer) -> Iterator[PageFor]:
    """`page_for(person)` opens a browser of their own, signed in; its addresses are relative to the server.

    A mistake of a script on any page fails the test.
    """
    contexts = []
    mistakes: list[str] = []

    def open_page(
        person: User | None = None, *, js: bool = True, width: int = DESK, scheme: Any = "light", **given: Any
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            java_script_enabled=js,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            locale="en-CA",
            **given,
        )
        contexts.append(context)
        if not js:
            WITHOUT_SCRIPT.add(context)
        if person is not None:
            client = Client()
            client.force_login(person)
            name = django_settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        context.on("weberror", lambda error: mistakes.append(str(error.error)))
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        return page

    with requests_counted() as none_runs:
        yield open_page
        for context in contexts:
            context.close()
        # A page that went away may have left a save behind it, on the very connection that empties the tables next.
        deadline = time.monotonic() + PATIENCE / 1000
        while not none_runs() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert mistakes == []


@contextmanager
def requests_counted() -> Iterator[Callable[[], bool]]:
    """Gives a function that says whether the server has nothing to answer, and nothing will come.

    Once the browsers are gone their connections end, and with each the thread that serves it. One that lingers must
    have been quiet for a second: on a busy machine a request may have arrived and not begun.
    """
    running, last, counting = 0, time.monotonic(), threading.Lock()

    def count(signal: Any, **_: Any) -> None:
        nonlocal running, last
        with counting:
            running += 1 if signal is request_started else -1
            last = time.monotonic()

    def none_runs() -> bool:
        serving = any("process_request_thread" in thread.name for thread in threading.enumerate())
        return not serving or (running <= 0 and time.monotonic() - last > 1)

    request_started.connect(count)
    request_finished.connect(count)
    try:
        yield none_runs
    finally:
        request_started.disconnect(count)
        request_finished.disconnect(count)


@pytest.fixture
def axe(page_for: PageFor) -> Axe:
    """`axe(page)` gives every violation of WCAG 2.2 AA on the page, each with the place where it is."""

    def check(page: Page) -> list[str]:
        arrived(page)
        if page.context in WITHOUT_SCRIPT:
            page = as_seen_without_script(page, page_for)
        page.evaluate(AXE)
        found = page.evaluate("tags => axe.run({ runOnly: tags })", STANDARD)
        return [
            f"{violation['id']}: {violation['help']} at {node['target']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    return check


def arrived(page: Page) -> None:
    """Wait until the page that a click led to is whole: a click returns when its answer begins, as an empty page."""
    page.wait_for_load_state("load")


def as_seen_without_script(page: Page, page_for: PageFor) -> Page:
    """The page as it stands, in a browser in which axe can run, with the page's own scripts taken out."""
    html = re.sub(r"<script\b.*?</script>", "", page.content(), flags=re.DOTALL)
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    width = (page.viewport_size or {"width": DESK})["width"]
    copy = page_for(width=width, scheme="dark" if dark else "light")
    copy.route(page.url, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    copy.goto(page.url)
    return copy


@pytest.fixture
def fits() -> Callable[[Page], bool]:
    """`fits(page)` says whether the page is no wider than its window."""

    def check(page: Page) -> bool:
        arrived(page)
        return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))

    return check
