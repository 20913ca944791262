"""What must be true before anybody but a developer may use this installation; each "no" says which setting and why.

They are deployment checks: `manage.py up` and `manage.py check --deploy` run them, tests and `manage.py demo` do not.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security, deploy=True)
def safe_to_serve(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """The settings that would make the record or the sessions worthless if they were left as they ship."""
    if settings.DEMONSTRATION or settings.DEBUG:
        return []
    found: list[checks.CheckMessage] = []
    if settings.SECRET_KEY == settings.DEMONSTRATION_KEY:
        found.append(
            checks.Error(
                "ASSENT_SECRET_KEY is not set, so sessions would be signed with a key that everybody can read in the "
                "source.",
                hint="Set it to a secret of 50 characters or more: "
                'python -c "import secrets; print(secrets.token_urlsafe(50))"',
                id="assent.E001",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            checks.Error(
                "ASSENT_HOSTS contains *, so a forged host name would end up in the links of mails and memos.",
                hint="Name the hosts that people use, such as ASSENT_HOSTS=assent.example.edu",
                id="assent.E002",
            )
        )
    if not settings.BASE_URL.startswith("https://"):
        found.append(
            checks.Warning(
                f"ASSENT_URL is {settings.BASE_URL}, not https, so passwords and session cookies travel in the open.",
                hint="Put a server with a certificate in front and set ASSENT_URL=https://...",
                id="assent.W001",
            )
        )
    return found
