"""`manage.py policy`: check a policy version in its files and against this institution, adopt one into it, compare two,
and look at a day of the past."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as UnreadableDatabase
from django.db import transaction

from governance.people.models import User
from governance.policies.actions import adopt, draft, propose
from governance.policies.institution import soundness_of
from governance.policies.loading import BadFile, PolicyFile, load_policy_file
from governance.policies.management.verbs import diff, on
from governance.policies.models import PolicyVersion
from governance.policies.rules import Rules
from governance.policies.schema import schema_text
from governance.policies.soundness import Fault
from governance.refusals import Incomplete, Refusal


class Unsound(CommandError):
    """A version whose rules do not hold in this institution."""

    def __init__(self, sentence: str, faults: Sequence[Fault]) -> None:
        super().__init__(sentence)
        self.faults = faults


class Command(BaseCommand):
    help = "Check a policy version in its files (rules as YAML, text as Markdown beside it), or adopt one."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="check|adopt|diff|on|schema")
        check = verbs.add_parser("check", help="say whether a version can be used; nothing is stored")
        into = verbs.add_parser("adopt", help="store a version as drafted by one person and adopted by another")
        diff.add_arguments(verbs.add_parser("diff", help=diff.HELP))
        verbs.add_parser("schema", help="print the JSON Schema of the rules")
        on.add_arguments(verbs.add_parser("on", help="say which rules and mandates were in force on a day"))
        for verb in (check, into):
            verb.add_argument("file", type=Path, metavar="FILE", help="the YAML file of the rules")
            verb.add_argument("--json", action="store_true", help="answer in JSON")
        check.add_argument("--rules-only", action="store_true", help="leave out whether they hold in this institution")
        into.add_argument("--drafted-by", required=True, metavar="EMAIL", help="who drafted it")
        into.add_argument("--adopted-by", required=True, metavar="EMAIL", help="who records its adoption")
        into.add_argument("--motion", required=True, metavar="TEXT", help="the motion or minute that adopted it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "schema":
            self.stdout.write(schema_text(), ending="")
            return
        if options["verb"] == "on":
            self.stdout.write(on.answer(options["day"], as_json=options["json"]))
            return
        try:
            answer = self.answer(options)
        except (BadFile, Refusal, CommandError) as error:
            code = diff.BAD_INPUT if options["verb"] == "diff" else 1
            if not options["json"]:
                raise CommandError("\n".join([str(error), *reasons(error)]), returncode=code) from None
            no: dict[str, Any] = {"ok": False, "error": str(error)}
            if isinstance(error, Unsound):
                no["faults"] = [asdict(fault) for fault in error.faults]
            elif isinstance(error, Incomplete):
                no["gaps"] = {name: str(sentence) for name, sentence in error.gaps.items()}
            self.stdout.write(json.dumps(no, ensure_ascii=False))
            raise SystemExit(code) from None
        if options["json"]:
            self.stdout.write(json.dumps({"ok": True} | answer, ensure_ascii=False))
        else:
            self.stdout.write(answer["says"])
        if not answer.get("same", True):
            raise SystemExit(diff.DIFFERENT)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["verb"] == "diff":
            return diff.answer(options["versions"])
        source = load_policy_file(options["file"])
        return self.check_files(source, options) if options["verb"] == "check" else self.adopt(source, options)

    def check_files(self, source: PolicyFile, options: dict[str, Any]) -> dict[str, Any]:
        rules = source.rules
        stages = [stage.key for stage in rules.route]
        usable = (
            f"{rules.title}, version {rules.version}, can be used: {len(stages)} stages, "
            f"{len(rules.requires)} requirements, in force from {rules.effective_from}."
        )
        found: dict[str, Any] = {"checked": False, "says": ""}
        if not options["rules_only"]:
            found = self.check_in_institution(rules)
        return {
            "policy": rules.policy,
            "version": rules.version,
            "effective_from": rules.effective_from.isoformat(),
            "stages": stages,
            "requirements": len(rules.requires),
            **found,
            "says": "\n".join(filter(None, [usable, found["says"]])),
        }

    def check_in_institution(self, rules: Rules) -> dict[str, Any]:
        """Raises Unsound with every fault, and CommandError where the database cannot tell."""
        try:
            found = soundness_of(rules)
        except UnreadableDatabase as error:
            why = str(error).partition("\n")[0]
            raise CommandError(
                f"The database cannot be read ({why}). To check the files alone, add --rules-only."
            ) from error
        if not found.checked:
            return {"checked": False, "says": "Not checked against an institution: the database holds no units yet."}
        if found.faults:
            things = "1 thing does" if len(found.faults) == 1 else f"{len(found.faults)} things do"
            raise Unsound(
                f"{rules.title}, version {rules.version}, is not sound: {things} not hold in this institution on "
                f"{found.day}.",
                found.faults,
            )
        return {
            "checked": True,
            "on": found.day.isoformat(),
            "combinations": found.combinations,
            "units": found.units,
            "says": f"Sound in this institution on {found.day}: {found.combinations} combinations for {found.units} "
            "units checked.",
        }

    @transaction.atomic
    def adopt(self, source: PolicyFile, options: dict[str, Any]) -> dict[str, Any]:
        drafter = person(options["drafted_by"])
        proposed = propose(actor=drafter, version=draft(actor=drafter, source=source))
        version: PolicyVersion = adopt(actor=person(options["adopted_by"]), version=proposed, motion=options["motion"])
        return {
            "policy": version.policy.key,
            "version": version.number,
            "effective_from": version.effective_from.isoformat(),
            "digest": version.digest,
            "says": f"{version.label}, is adopted and in force from {version.effective_from}. Digest {version.digest}.",
        }


def reasons(error: Exception) -> list[str]:
    """What stands behind a refusal, one line each."""
    if isinstance(error, Unsound):
        return [str(fault) for fault in error.faults]
    return [str(sentence) for sentence in error.gaps.values()] if isinstance(error, Incomplete) else []


def person(email: str) -> User:
    """Raises CommandError when nobody signs in with that address."""
    try:
        return User.objects.get(email=email.lower())
    except User.DoesNotExist:
        raise CommandError(f"Nobody signs in with {email}.") from None
