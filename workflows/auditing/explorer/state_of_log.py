"""How the log stands, and what the last checks of it found: what an auditor looks at before anything else."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.formats import localize
from django.utils.translation import ngettext

from governance.audit.actions import what_stops_signing
from governance.audit.models import Checkpoint
from governance.audit.queries import latest_checkpoint, waiting_to_be_sealed
from workflows.auditing.models import Verification

# As many checks as the strip shows.
CHECKS: Final = 30


@dataclass(frozen=True)
class StateOfLog:
    """The newest checkpoint, how many events wait to be sealed, why nothing can be signed (empty where it can), and the
    last checks, newest first."""

    checkpoint: Checkpoint | None
    waiting: int
    unsigned_because: str
    checks: tuple[Verification, ...]

    @property
    def last(self) -> Verification | None:
        return self.checks[0] if self.checks else None

    @property
    def earlier(self) -> list[Verification]:
        """The last checks as they were made, oldest first."""
        return list(reversed(self.checks))

    @property
    def checks_in_words(self) -> str:
        """What the strip of the last checks shows."""
        failed = sum(not check.holds for check in self.checks)
        held = len(self.checks) - failed
        words = [
            ngettext("%(n)s check found that the record holds.", "%(n)s checks found that it holds.", held)
            % {"n": held}
        ]
        if failed:
            words.append(
                ngettext("%(n)s found that it does not.", "%(n)s found that it does not.", failed) % {"n": failed}
            )
        return " ".join(words)

    @property
    def does_not_hold(self) -> list[str]:
        """What the last check found not to hold, the first thing first."""
        return self._sentences(False)

    @property
    def still_sound(self) -> list[str]:
        return self._sentences(True)

    def _sentences(self, holds: bool) -> list[str]:
        findings = self.last.findings if self.last else []
        return [found["sentence"] for found in findings if found["holds"] is holds]

    @property
    def took(self) -> str:
        """Seconds of the last check, as a number of the page's language."""
        return localize(round(self.last.seconds, 1)) if self.last else ""

    @property
    def root(self) -> str:
        """The beginning of the root that the newest checkpoint signs."""
        return bytes(self.checkpoint.root).hex()[:16] if self.checkpoint else ""

    @property
    def since_checked(self) -> int:
        """How many events a checkpoint covers that the last check did not see."""
        return max(0, (self.checkpoint.size if self.checkpoint else 0) - (self.last.size if self.last else 0))

    @property
    def lodged_with(self) -> list[str]:
        return list(settings.LODGE_WITH)


def state_of_log() -> StateOfLog:
    """The same few queries however long the log."""
    checks = Verification.objects.order_by("-id").defer("frontier")[:CHECKS]
    return StateOfLog(latest_checkpoint(), waiting_to_be_sealed(), what_stops_signing(), tuple(checks))
