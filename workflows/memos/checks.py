"""What must be true of the seal before memos are issued to anybody; each "no" says which setting and why.

They are deployment checks, as in `governance.site.checks`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from governance import clock

# Time enough to get another certificate.
AHEAD: Final = timedelta(days=30)


@checks.register(checks.Tags.security, deploy=True)
def memos_are_sealed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """A certificate that is not there, cannot be used, or soon expires."""
    if settings.DEMONSTRATION or settings.DEBUG:
        return []
    # pyHanko takes half a second to import, and nothing else needs it when a process starts.
    from workflows.memos import sealing

    try:
        seal = sealing.load()
    except sealing.NoSeal as error:
        return [
            checks.Error(
                f"ASSENT_SEAL cannot be used, so no memo could be issued: {error}",
                hint="Set ASSENT_SEAL to a PKCS #12 file and ASSENT_SEAL_PASSWORD to its password.",
                id="assent.E003",
            )
        ]
    if seal is None:
        return [
            checks.Warning(
                "ASSENT_SEAL is not set, so memos carry no signature, and say so.",
                hint="Set ASSENT_SEAL to a PKCS #12 file with the institution's certificate, its key and its chain.",
                id="assent.W002",
            )
        ]
    if seal.expires_at <= clock.now() + AHEAD:
        return [
            checks.Warning(
                f"The certificate of {seal.certificate.name} expires on {seal.expires_at:%Y-%m-%d}; no memo is issued "
                "after that.",
                hint="Put another certificate into the file that ASSENT_SEAL names.",
                id="assent.W003",
            )
        ]
    return []
