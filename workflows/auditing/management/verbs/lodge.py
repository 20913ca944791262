"""`manage.py audit lodge`: mail the checkpoints that are due to be lodged outside."""

import json
from argparse import ArgumentParser
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workflows.auditing.actions.heads import lodge

HELP: Final = "mail the last checkpoint of each day that is over to everybody named in ASSENT_LODGE_WITH, once"


def add_arguments(verb: ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="answer in JSON")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    if not settings.LODGE_WITH:
        raise CommandError("ASSENT_LODGE_WITH names nobody, so no checkpoint is lodged outside.")
    queued = [{"subject": row.payload["subject"], "to": row.payload["to"]} for row in lodge()]
    if options["json"]:
        command.stdout.write(json.dumps({"queued": queued}, ensure_ascii=False))
        return
    for mail in queued:
        command.stdout.write(f"{mail['subject']}: queued for {mail['to']}.")
    if not queued:
        command.stdout.write("Nothing is due: every day that is over has been lodged.")
