"""Exports: asked for on the record, written in the background turn by turn, stopped, fetched, and removed when old.

A worker killed anywhere is followed by one that goes on behind the last whole file. Two at once do not write into one
folder, and only one of them can finish an export.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from governance import clock
from governance.audit.actions import Actor, LogWouldFork, seal_and_sign, take_number
from governance.audit.canonical import Json
from governance.audit.keys import NoKey
from governance.audit.models import Checkpoint
from governance.people.models import User
from governance.refusals import Incomplete, NotPermitted, NotPossible, Refusal
from workflows.auditing.actions.taking_out import note_taken_out
from workflows.auditing.exporting.package import InstitutionChanged, Package, Progress
from workflows.auditing.exporting.packing import pack
from workflows.auditing.exporting.selection import Selection
from workflows.auditing.models import Export
from workflows.notices import outbox
from workflows.notices.mail import queue_mail
from workflows.review.queries import may_audit

State = Export.State

KEPT_FOR: Final = timedelta(days=30)
# Then the worker's other work has its turn: where there is one worker, mail must not wait for a large export.
SECONDS_AT_A_TIME: Final = 20.0
SECONDS_BETWEEN_NOTES: Final = 1.0


class Busy(Exception):
    """Another worker is writing this export now."""


# ---- what people do


@transaction.atomic
def ask_for(*, actor: User, selection: Selection, reason: str) -> Export:
    """Ask for a package, on the record. Raises Incomplete for a proposal or period that is none, and without a reason.

    What it holds is settled when a worker takes it up, at a checkpoint that covers the event of this act.
    """
    _check_may_export(actor)
    one_at_a_time()
    selection.check()
    if not reason.strip():
        sentence = _("Say for whom or for what the record is exported.")
        raise Incomplete(sentence, {"reason": sentence})
    export = Export.objects.create(
        scope=selection.as_data(), reason=reason.strip(), requested_by=actor, requested_at=clock.now()
    )
    _record(actor.as_actor(), selection, export.reason)
    _ask_for_more(export, "")
    return export


@transaction.atomic
def record_export(*, actor: Actor, selection: Selection, reason: str) -> None:
    """Put an export that is written at the command line on the record. Raises Incomplete as `ask_for` does."""
    selection.check()
    _record(actor, selection, reason)


@transaction.atomic
def stop(*, actor: User, export: Export) -> Export:
    """Stop an export that is not ready yet. What it has written is removed."""
    _check_may_export(actor)
    going = Export.objects.filter(pk=export.pk, state__in=[State.WAITING, State.RUNNING, State.FAILED])
    if not going.update(state=State.STOPPED, finished_at=clock.now()):
        raise NotPossible(_("This export is over already."))
    return Export.objects.get(pk=export.pk)


@transaction.atomic
def go_on(*, actor: User, export: Export) -> Export:
    """Go on with an export that failed, behind the last file that it wrote."""
    _check_may_export(actor)
    one_at_a_time()
    failed = Export.objects.filter(pk=export.pk, state=State.FAILED)
    if not failed.update(state=State.WAITING, error="", finished_at=None):
        raise NotPossible(_("This export has not failed, so there is nothing to try again."))
    _ask_for_more(export, f"again:{outbox.wall_clock().isoformat()}")
    return Export.objects.get(pk=export.pk)


@transaction.atomic
def note_fetching(*, actor: User, export: Export) -> None:
    """Put on record that a person fetched a package, which somebody else may have asked for."""
    with override(settings.LANGUAGE_CODE):
        reason = _("Fetched export %(number)s.") % {"number": export.pk}
    _record(actor.as_actor(), Selection.from_data(export.scope), reason)


def one_at_a_time() -> None:
    """Until the transaction ends, nobody else asks for an export, places a hold, or destroys anything: each looks first
    whether another stands in its way, and must see it."""
    take_number("exports, holds and erasures")


def _check_may_export(actor: User) -> None:
    if not (actor.is_active and may_audit(actor)):
        raise NotPermitted(_("Only administrators and those who oversee the record may export it."))


def _record(actor: Actor, selection: Selection, reason: str) -> None:
    with override(settings.LANGUAGE_CODE):
        after: dict[str, Json] = {"scope": selection.words, "asked": selection.as_data()}
    note_taken_out(actor=actor, after=after, reason=reason)


# ---- what the worker does


def run(*, export_id: int, seconds: float = SECONDS_AT_A_TIME) -> None:
    """Take an export further for so many seconds; where more is left, ask for another turn. Safe to repeat.

    Raises Busy while another worker has it: the outbox tries again later, should that one be killed.
    """
    Export.objects.filter(pk=export_id, state=State.WAITING).update(state=State.RUNNING)
    export = Export.objects.get(pk=export_id)
    if export.state != State.RUNNING:
        return
    with _alone(export_id) as folder:
        try:
            _go_further(export, folder, until=time.monotonic() + seconds)
        except (OSError, NoKey, LogWouldFork, Refusal) as error:
            _fail(export, error)
        except Exception as error:
            # Nobody foresaw it: the page must not say for ever that the package is being made.
            _fail(export, error)
            raise


def _go_further(export: Export, folder: Path, *, until: float) -> None:
    package = Package(folder, Selection.from_data(export.scope))
    noted = float("-inf")
    for progress in write(package):
        now = time.monotonic()
        if now - noted > SECONDS_BETWEEN_NOTES or now > until:
            noted = now
            if not _note(export, progress):
                return
            if now > until:
                with transaction.atomic():
                    _ask_for_more(export, progress.file)
                return
    packed = folder.with_suffix(".zip")
    digest = pack(folder, packed, package.head["made_at"])
    _finish(export, packed, digest, events=package.head["events"])


def checkpoint_now() -> Checkpoint:
    """A checkpoint over everything that was recorded until now."""
    checkpoint = seal_and_sign(now=True)
    assert checkpoint is not None, "the export itself is on record"
    return checkpoint


def write(package: Package) -> Iterator[Progress]:
    """Write what is missing of a package; begun anew where the institution changed before its tables were written."""
    while not package.is_finished:
        if not package.is_begun:
            package.begin(checkpoint_now())
        try:
            yield from package.write()
        except InstitutionChanged:
            package.start_over()


def _note(export: Export, progress: Progress) -> bool:
    """Write down how far it is; False where somebody stopped it meanwhile."""
    running = Export.objects.filter(pk=export.pk, state=State.RUNNING)
    return bool(running.update(done=progress.done, total=progress.total))


@transaction.atomic
def _finish(export: Export, packed: Path, digest: str, *, events: int) -> None:
    """Put the packed file where it is fetched from and tell whoever asked, unless somebody stopped it meanwhile."""
    running = Export.objects.filter(pk=export.pk, state=State.RUNNING)
    if not running.update(
        state=State.DONE,
        done=events,
        total=events,
        size=packed.stat().st_size,
        digest=digest,
        finished_at=clock.now(),
    ):
        return
    # One that a worker put there who was killed before this was committed.
    default_storage.delete(export.stored_name)
    with packed.open("rb") as opened:
        default_storage.save(export.stored_name, _Packed(opened))
    with override(settings.LANGUAGE_CODE):
        words = {
            "scope": Selection.from_data(export.scope).words,
            "link": settings.BASE_URL + export.get_absolute_url(),
        }
        queue_mail(
            key=f"export-done:{export.pk}",
            to=export.requested_by.email,
            subject=_("The export of the record is ready"),
            text=_("The export of the record that you asked for (%(scope)s) is ready to be fetched:\n\n%(link)s\n")
            % words,
        )


def _fail(export: Export, error: Exception) -> None:
    words = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    Export.objects.filter(pk=export.pk, state=State.RUNNING).update(
        state=State.FAILED, error=words, finished_at=clock.now()
    )


def _ask_for_more(export: Export, after: str) -> None:
    """Queue the next turn. Each has a key of its own: the file that was written last."""
    outbox.queue(task="auditing.export", key=f"export:{export.pk}:{after}", payload={"export_id": export.pk})


class _Packed(File):  # type: ignore[type-arg]  # generic for checkers alone
    """A file that a store on the same disk moves to its place and does not copy."""

    def temporary_file_path(self) -> str:
        return str(self.name)


# ---- where it is written, and how that is tidied


def _workshop() -> Path:
    return Path(settings.VAR_DIR) / "exports"


@contextmanager
def _alone(export_id: int) -> Iterator[Path]:
    """The folder in which an export is written, for one at a time; gone afterwards if the export is over."""
    folder = _workshop() / str(export_id)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"export {export_id} is being written by another worker") from None
        try:
            yield folder
        finally:
            if Export.objects.filter(pk=export_id, state__in=[State.DONE, State.STOPPED]).exists():
                _clear(folder)


def give_up_failed() -> None:
    """End the exports that failed, so that none goes on behind files written before an erasure."""
    Export.objects.filter(state=State.FAILED).update(state=State.STOPPED)


def remove_copies() -> None:
    """Remove every packed file, and what exports that are over left where they were written."""
    for export in Export.objects.filter(state=State.DONE):
        default_storage.delete(export.stored_name)
    _clear_what_is_over(Export.objects.filter(state__in=[State.WAITING, State.RUNNING]))


def _clear_what_is_over(going_on: QuerySet[Export]) -> int:
    over = [lock for lock in _workshop().glob("*.lock") if not going_on.filter(pk=int(lock.stem)).exists()]
    for lock in over:
        _clear(lock.with_suffix(""))
    return len(over)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for suffix in (".zip", ".zip.part", ".lock"):
        folder.with_suffix(suffix).unlink(missing_ok=True)


def is_kept(export: Export) -> bool:
    """Whether its packed file can still be fetched."""
    is_young = export.finished_at is not None and export.finished_at + KEPT_FOR > clock.now()
    return export.state == State.DONE and is_young and default_storage.exists(export.stored_name)


def tidy() -> int:
    """Remove packed files that are older than `KEPT_FOR`, and what exports that are over left; answers how many."""
    removed = 0
    limit = clock.now() - KEPT_FOR
    for name in _stored():
        if not Export.objects.filter(pk=int(Path(name).stem), finished_at__gt=limit).exists():
            default_storage.delete(f"exports/{name}")
            removed += 1
    going_on = Export.objects.filter(state__in=[State.WAITING, State.RUNNING]) | Export.objects.filter(
        state=State.FAILED, finished_at__gt=limit
    )
    return removed + _clear_what_is_over(going_on)


def _stored() -> list[str]:
    try:
        return [name for name in default_storage.listdir("exports")[1] if Path(name).stem.isdecimal()]
    except FileNotFoundError:
        return []
