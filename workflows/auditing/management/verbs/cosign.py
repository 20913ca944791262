"""`manage.py audit cosign FILE`: keep what witnesses signed under one of our checkpoints."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from governance.audit import keys
from governance.audit.actions import add_cosignatures
from governance.audit.verifier import Broken, WitnessPolicy
from workflows.auditing.source import WITNESS_POLICY

HELP: Final = "keep the witnesses' signatures under a checkpoint that came back from them as a signed note"


def add_arguments(verb: ArgumentParser) -> None:
    verb.add_argument("file", type=Path, metavar="FILE", help="the signed note")
    verb.add_argument("--json", action="store_true", help="answer in JSON")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    policy = keys.folder() / WITNESS_POLICY
    try:
        witnesses = WitnessPolicy.parse(_text(policy)).witnesses
    except Broken as error:
        raise CommandError(f"{policy}: {error}") from None
    try:
        kept = add_cosignatures(text=_text(options["file"]), witnesses=witnesses.values())
    except Broken as error:
        raise CommandError(f"{options['file']}: {error}") from None
    if options["json"]:
        answer = {"size": kept[0].checkpoint.size, "witnesses": [each.witness for each in kept]}
        command.stdout.write(json.dumps(answer, ensure_ascii=False))
        return
    for each in kept:
        command.stdout.write(f"{each.witness} signed the checkpoint over {each.checkpoint.size} events.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise CommandError(f"{path} is not text.") from None
