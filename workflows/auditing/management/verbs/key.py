"""`manage.py audit key`: the log's public keys, and letting another key sign from now on."""

import json
from argparse import SUPPRESS, ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from governance.audit.actions import new_key
from governance.audit.queries import keys_of_log
from workflows.auditing.management.acting import actor_of

HELP: Final = "print the public keys that ever signed the log, oldest first, or introduce a new key"


def add_arguments(verb: ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="answer in JSON")
    acts = verb.add_subparsers(dest="act", metavar="new")
    new = acts.add_parser(
        "new",
        help="let a new key sign from now on",
        description="Let a new key sign from now on; the old one vouches for it. Interrupted, run it again.",
    )
    new.add_argument("--json", action="store_true", default=SUPPRESS, help="answer in JSON")
    new.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")
    new.add_argument("--by", default="", metavar="EMAIL", help="who decided it; without, the record names Assent")
    new.add_argument(
        "--after-loss",
        action="store_true",
        help="the key is gone, or the database was restored from a copy older than the last checkpoint: "
        "the log goes on under another name",
    )
    new.add_argument("--name", default="", metavar="NEW-NAME", help="the log's name after a loss")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    if options["act"] == "new":
        try:
            introduced = new_key(
                actor=actor_of(options["by"]),
                reason=options["reason"],
                name=options["name"],
                lost=options["after_loss"],
            )
        except ValueError as error:
            raise CommandError(f"No key was introduced: {error}.") from None
        keys = [introduced.public]
    else:
        keys = keys_of_log()
    if options["json"]:
        command.stdout.write(json.dumps({"keys": [str(key) for key in keys]}))
        return
    for key in keys:
        command.stdout.write(str(key))
    if not keys:
        raise CommandError("The log has no key yet. The first checkpoint makes one: manage.py audit checkpoint")
