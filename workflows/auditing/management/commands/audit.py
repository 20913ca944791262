"""`manage.py audit`: check, export and sign the record."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from governance.audit.actions import LogWouldFork
from governance.audit.keys import NoKey
from governance.audit.verifier import Broken
from governance.refusals import Refusal
from workflows.auditing.management.verbs import checkpoint, cosign, export, grants, key, lodge, verify

VERBS = {
    "checkpoint": checkpoint,
    "cosign": cosign,
    "export": export,
    "grants": grants,
    "key": key,
    "lodge": lodge,
    "verify": verify,
}
# As many as fit into an event, and as the page takes.
LONGEST_REASON: Final = 2_000


class Command(BaseCommand):
    help = "Check the record, export it for an auditor, sign a checkpoint, and look after keys and witnesses."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(VERBS))
        for name, verb in VERBS.items():
            verb.add_arguments(verbs.add_parser(name, help=verb.HELP, description=verb.HELP))

    def handle(self, *args: Any, **options: Any) -> None:
        if len(options.get("reason") or "") > LONGEST_REASON:
            raise CommandError(f"A reason has at most {LONGEST_REASON:,} characters.")
        try:
            VERBS[options["verb"]].run(self, options)
        except (Broken, NoKey, LogWouldFork, Refusal) as error:
            raise CommandError(str(error)) from None
        except UnicodeEncodeError:
            raise CommandError("What was asked for is not text in UTF-8.") from None
