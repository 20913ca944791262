"""An unsafe production setting stops the start with a sentence that says which and why."""

from django.conf import LazySettings

from governance.site.checks import safe_to_serve


def found(settings: LazySettings, **changed: object) -> list[str]:
    safe = {
        "DEMONSTRATION": False,
        "DEBUG": False,
        "SECRET_KEY": "k" * 60,
        "ALLOWED_HOSTS": ["assent.example.edu"],
        "BASE_URL": "https://assent.example.edu",
    }
    for name, value in (safe | changed).items():
        setattr(settings, name, value)
    return [message.id or "" for message in safe_to_serve(None)]


def test_safe_settings_pass(settings: LazySettings) -> None:
    assert found(settings) == []


def test_the_key_of_the_demonstration_is_refused(settings: LazySettings) -> None:
    assert found(settings, SECRET_KEY=settings.DEMONSTRATION_KEY) == ["assent.E001"]


def test_any_host_is_refused(settings: LazySettings) -> None:
    assert found(settings, ALLOWED_HOSTS=["*"]) == ["assent.E002"]


def test_plain_http_is_a_warning(settings: LazySettings) -> None:
    assert found(settings, BASE_URL="http://assent.example.edu") == ["assent.W001"]


def test_a_demonstration_may_be_unsafe(settings: LazySettings) -> None:
    unsafe = {"SECRET_KEY": settings.DEMONSTRATION_KEY, "ALLOWED_HOSTS": ["*"], "BASE_URL": "http://localhost"}
    assert found(settings, DEMONSTRATION=True, **unsafe) == []
    assert found(settings, DEBUG=True, **unsafe) == []


def test_a_sentence_names_the_setting(settings: LazySettings) -> None:
    found(settings, SECRET_KEY=settings.DEMONSTRATION_KEY)
    assert "ASSENT_SECRET_KEY" in safe_to_serve(None)[0].msg
