"""`manage.py audit checkpoint`: seal and sign now."""

import json
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from governance.audit.actions import seal_and_sign
from governance.audit.queries import noted

HELP: Final = "seal every event that waits, sign a checkpoint and print it as a signed note"


def add_arguments(verb: ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="answer in JSON")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    checkpoint = seal_and_sign(now=True)
    if checkpoint is None:
        raise CommandError("The record is empty, so there is nothing to sign.")
    if options["json"]:
        answer = {"size": checkpoint.size, "root": bytes(checkpoint.root).hex(), "note": noted(checkpoint)}
        command.stdout.write(json.dumps(answer, ensure_ascii=False))
    else:
        command.stdout.write(noted(checkpoint), ending="")
