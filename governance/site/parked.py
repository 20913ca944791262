"""What somebody had typed when their session ended, carried through the sign-in page so that nothing is lost.

It is a signed note in a hidden field, kept nowhere on the server. Files are too large for that and are not carried.
"""

from dataclasses import asdict, dataclass

from django.core import signing
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

FIELD = "parked"
_SALT = "assent.parked"
_MAX_AGE = 12 * 60 * 60


@dataclass(frozen=True)
class Parked:
    """A POST that waits: where it was going, what it said, and whether files had to be left behind."""

    host: str
    path: str
    fields: list[tuple[str, str]]
    files_lost: bool

    @property
    def typed(self) -> list[tuple[str, str]]:
        """The fields worth showing to the person: those that hold words."""
        return [(name, value) for name, value in self.fields if " " in value.strip()]


def park(request: HttpRequest) -> str:
    """The signed note of what this POST carried, without its CSRF token and without files."""
    fields = [
        (name, str(value)) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken" for value in values
    ]
    parked = Parked(request.get_host(), request.get_full_path(), fields, files_lost=bool(request.FILES))
    return signing.dumps(asdict(parked), salt=_SALT, compress=True)


def take_up(request: HttpRequest) -> Parked | None:
    """What the request's note says; None when there is none, or it is not ours, too old, or for another place."""
    try:
        data = signing.loads(request.POST.get(FIELD, ""), salt=_SALT, max_age=_MAX_AGE)
    except signing.BadSignature:
        return None
    parked = Parked(data["host"], data["path"], [(name, value) for name, value in data["fields"]], data["files_lost"])
    local = parked.path.startswith("/") and url_has_allowed_host_and_scheme(parked.path, allowed_hosts=None)
    return parked if local and parked.host == request.get_host() else None
