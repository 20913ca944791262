"""`manage.py policy`: check a policy version in its files, and adopt one into an installation."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from governance.people.models import User
from governance.policies.actions import adopt, draft
from governance.policies.loading import BadFile, PolicyFile, load_policy_file
from governance.policies.models import PolicyVersion
from governance.refusals import Refusal


class Command(BaseCommand):
    help = "Check a policy version in its files (rules as YAML, text as Markdown beside it), or adopt one."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="check|adopt")
        check = verbs.add_parser("check", help="say whether a version can be used; nothing is stored")
        into = verbs.add_parser("adopt", help="store a version as drafted by one person and adopted by another")
        for verb in (check, into):
            verb.add_argument("file", type=Path, metavar="FILE", help="the YAML file of the rules")
            verb.add_argument("--json", action="store_true", help="answer in JSON")
        into.add_argument("--drafted-by", required=True, metavar="EMAIL", help="who drafted it")
        into.add_argument("--adopted-by", required=True, metavar="EMAIL", help="who records its adoption")
        into.add_argument("--motion", required=True, metavar="TEXT", help="the motion or minute that adopted it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source = load_policy_file(options["file"])
            answer = self.check_only(source) if options["verb"] == "check" else self.adopt(source, options)
        except (BadFile, Refusal, CommandError) as error:
            if not options["json"]:
                raise CommandError(str(error)) from None
            self.stdout.write(json.dumps({"ok": False, "error": str(error)}, ensure_ascii=False))
            raise SystemExit(1) from None
        if options["json"]:
            self.stdout.write(json.dumps({"ok": True} | answer, ensure_ascii=False))
        else:
            self.stdout.write(answer["says"])

    def check_only(self, source: PolicyFile) -> dict[str, Any]:
        rules = source.rules
        stages = [stage.key for stage in rules.route]
        return {
            "policy": rules.policy,
            "version": rules.version,
            "effective_from": rules.effective_from.isoformat(),
            "stages": stages,
            "requirements": len(rules.requires),
            "says": f"{rules.title}, version {rules.version}, can be used: {len(stages)} stages, "
            f"{len(rules.requires)} requirements, in force from {rules.effective_from}.",
        }

    @transaction.atomic
    def adopt(self, source: PolicyFile, options: dict[str, Any]) -> dict[str, Any]:
        drafted = draft(actor=person(options["drafted_by"]), source=source)
        version: PolicyVersion = adopt(
            actor=person(options["adopted_by"]), version=drafted, motion=options["motion"].strip()
        )
        return {
            "policy": version.policy.key,
            "version": version.number,
            "effective_from": version.effective_from.isoformat(),
            "digest": version.digest,
            "says": f"{version.label}, is adopted and in force from {version.effective_from}. Digest {version.digest}.",
        }


def person(email: str) -> User:
    """Raises CommandError when nobody signs in with that address."""
    try:
        return User.objects.get(email=email.lower())
    except User.DoesNotExist:
        raise CommandError(f"Nobody signs in with {email}.") from None
