"""What a worker runs for those who check the record."""

from celery import shared_task

from workflows.auditing.actions import checks, erasure, exports, heads


@shared_task(name="auditing.lodge")
def lodge() -> None:
    """Mail the last checkpoint of each day that is over to those it is lodged with."""
    heads.lodge()


@shared_task(name="auditing.discard_file")
def discard_file(*, digest: str) -> None:
    """Delete a file of a proposal that was disposed of, unless another one holds it."""
    erasure.discard_file(digest=digest)


@shared_task(name="auditing.leave_no_copies")
def leave_no_copies() -> None:
    """Clear the database's files of what was erased."""
    erasure.leave_no_copies()


@shared_task(name="auditing.export")
def export(*, export_id: int) -> None:
    """Take an export further."""
    exports.run(export_id=export_id)


@shared_task(name="auditing.tidy_exports")
def tidy_exports() -> None:
    """Remove packed exports that nobody fetched for long, and what exports that are over left behind."""
    exports.tidy()


@shared_task(name="auditing.verify")
def verify() -> None:
    """Check what came since the last check once a night, and everything once a week."""
    checks.check_if_due()
