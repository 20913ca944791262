"""The record as a verifier reads it and an export holds it: events, keys, checkpoints, and the rows that rest on them.

`governance.audit.verifier` checks anything that gives these; `workflows.auditing.exporting.package` writes exactly
these into files.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, BinaryIO, Final, cast

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Max, OuterRef, Prefetch, Q, QuerySet, Subquery

from governance.audit import keys
from governance.audit.merkle import WIDTH, Tree
from governance.audit.models import Checkpoint, Event, Leaf, Pending
from governance.audit.queries import LOG, keys_of_log, latest_checkpoint, noted, read_tile
from governance.audit.verifier import to_base64
from governance.people.models import Body, Mandate, Unit, User
from governance.policies.models import PolicyVersion
from workflows.auditing.rows import (
    Row,
    body_row,
    comment_row,
    decision_row,
    mandate_row,
    memo_row,
    person_rows,
    policy_row,
    proposal_row,
    revision_row,
    unit_row,
)
from workflows.memos.models import Memo
from workflows.proposals.models import Attachment, Comment, Proposal, Revision
from workflows.review.models import Decision, WorkItem

# The institution's own witness policy lies beside its key.
WITNESS_POLICY: Final = "witnesses.tlog-policy"
# Rows fetched at a time, so that memory stays flat however long the record.
CHUNK: Final = 1_000
# Proposals named in one question to the database, which takes only so many values.
AT_ONCE: Final = 500
# The streams of a proposal begin so.
OF_PROPOSALS: Final = ("proposal/", "access/")
# The streams that the tables of the institution rest on. With the log's own they go into every export; what others hold
# (legal holds, other exports, mail) is not for who is shown one proposal.
OF_INSTITUTION: Final = ("person/", "unit/", "body/", "policy/")


@dataclass(frozen=True)
class Scope:
    """What a package holds: everything, or the whole streams of some proposals with the institution's own.

    Everything can be hashed into the tree again; for a part, each event brings its proof.
    """

    references: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        return self.references is None

    def of_streams(self, path: str) -> Iterator[Q]:
        """Conditions of which an event, reached over `path`, meets one alone if it belongs to it."""
        if self.references is None:
            yield Q()
            return
        of_institution = Q(**{f"{path}subject": LOG})
        for head in OF_INSTITUTION:
            of_institution |= Q(**{f"{path}subject__startswith": head})
        yield of_institution
        for some in _several(sorted(self.references), AT_ONCE):
            yield Q(**{f"{path}subject__in": [head + each for each in some for head in OF_PROPOSALS]})

    def of_rows(self, path: str) -> Iterator[Q]:
        """Conditions of which a row, whose proposal's reference is at `path`, meets one alone if it belongs to it."""
        if self.references is None:
            yield Q()
            return
        for some in _several(sorted(self.references), AT_ONCE):
            yield Q(**{f"{path}__in": some})


@dataclass
class DatabaseSource:
    """The record in this installation's database, as far as the latest checkpoint goes.

    Rows are read as they are now: those of a proposal that somebody acted on after the checkpoint are ahead of its
    events, which its row tells by a `version` larger than its last event's place.
    """

    scope: Scope = Scope()
    checkpoint: Checkpoint | None = field(default_factory=latest_checkpoint)

    @property
    def size(self) -> int:
        """How many events the latest checkpoint signs."""
        return self.checkpoint.size if self.checkpoint else 0

    @property
    def reach(self) -> int:
        """How many events of the log it knows: here, as many as are signed."""
        return self.size

    @property
    def is_whole(self) -> bool:
        return self.scope.is_whole

    @cached_property
    def indexes(self) -> Sequence[int]:
        """The place in the log of every event that belongs to it, smallest first."""
        if self.is_whole:
            return range(self.reach)
        found = array("q")
        for leaves in self.leaves():
            found.extend(leaves.values_list("index", flat=True).iterator(chunk_size=CHUNK))
        return array("q", sorted(found))

    def leaves(self) -> Iterator[QuerySet[Leaf]]:
        for chosen in self.scope.of_streams("event__"):
            yield Leaf.objects.filter(chosen, index__lt=self.size)

    @cached_property
    def begun_later(self) -> frozenset[str]:
        """The streams of which it knows nothing yet: they were begun after its last event, or wait to be sealed."""
        later = Leaf.objects.filter(index__gte=self.reach).values_list("event__subject", "event__sequence")
        waiting = Pending.objects.values_list("event__subject", "event__sequence")
        return frozenset(
            subject for events in (later, waiting) for subject, place in events.iterator(chunk_size=CHUNK) if place == 1
        )

    def institution_moved_on(self) -> bool:
        """Whether units, bodies, people or policies changed since: their rows may be ahead of the events."""
        changed = Q()
        for head in OF_INSTITUTION:
            changed |= Q(event__subject__startswith=head)
        later = Leaf.objects.filter(changed, index__gte=self.reach)
        return later.exists() or Pending.objects.filter(changed).exists()

    def keys(self) -> list[str]:
        """The public keys that ever signed the log, oldest first, as `name+id+base64`."""
        return [str(key) for key in keys_of_log()]

    def witness_policy(self) -> str:
        """Which witnesses the institution asks for, as a C2SP tlog-policy; empty where it asks for none.

        Raises NoKey for a file that cannot be read.
        """
        path = keys.folder() / WITNESS_POLICY
        try:
            return path.read_text()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            raise keys.NoKey(f"{path} cannot be used: {error}") from error

    def checkpoints(self) -> Iterator[Row]:
        """Every checkpoint, smallest first, with the proof that the latest one continues it where this is a part."""
        signed = Checkpoint.objects.filter(size__lte=self.size).prefetch_related("cosignatures")
        for page in _pages(signed, "size"):
            # A tree remembers every tile that it read, so it is not kept for long.
            tree = Tree(self.size, read_tile)
            for each in page:
                row: Row = {"size": each.size, "note": noted(each)}
                if not self.is_whole:
                    row["consistency"] = [to_base64(hashed) for hashed in tree.consistency(each.size)]
                yield row

    def events(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Index in the log and canonical bytes of each event, in the log's order, from an index on."""
        return self.events_at(self.indexes[bisect_left(self.indexes, start) :])

    def events_at(self, indexes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """The same of the events at these indexes, which are a stretch of `self.indexes`."""
        for first in range(0, len(indexes), CHUNK):
            some = indexes[first : first + CHUNK]
            among = Q(index__range=(some[0], some[-1])) if self.is_whole else Q(index__in=list(some))
            leaves = Leaf.objects.filter(among).order_by("index")
            for index, body in leaves.values_list("index", "event__body"):
                yield index, bytes(body)

    def proofs_at(self, indexes: Iterable[int]) -> Iterator[list[str]]:
        """For each index the proof that its event is in the log of the latest checkpoint."""
        read = lru_cache(maxsize=WIDTH)(read_tile)
        for some in _several(indexes, WIDTH):
            # The upper tiles stay in the cache.
            tree = Tree(self.size, read)
            for index in some:
                yield [to_base64(hashed) for hashed in tree.inclusion(index)]

    def proof(self, index: int) -> list[str]:
        """The proof that the event of that index is in the log of the latest checkpoint."""
        return next(self.proofs_at([index]))

    @property
    def time_zone(self) -> str:
        """In which a day of the institution begins and ends."""
        return str(settings.TIME_ZONE)

    def last_event(self, reference: str) -> int:
        """How many events a proposal's stream has by now, those after the checkpoint among them."""
        events = Event.objects.filter(subject=f"proposal/{reference}")
        return events.aggregate(last=Max("sequence"))["last"] or 0

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of one of `TABLES`. Raises KeyError for another name."""
        found, tell = TABLES[table]
        stream_of = STREAMS.get(table, "proposal/{proposal}")
        for rows in found(self):
            for page in _pages(rows):
                for row in tell(page):
                    if stream_of.format_map(row) not in self.begun_later:
                        yield row

    def leaves_out(self, kind: str, name: str) -> bool:
        """Whether a file is not here because nobody asked for it; in the database, none is."""
        return False

    def file(self, kind: str, name: str) -> BinaryIO | None:
        """A memo's PDF ("memos", by number) or an attached file ("attachments", by digest); None where it is gone."""
        if kind == "memos":
            memo = Memo.objects.filter(number=name).first()
            stored = memo.stored_name if memo else ""
        else:
            attachment = Attachment.objects.filter(digest=name).first()
            stored = attachment.stored_name if attachment else ""
        try:
            return cast(BinaryIO, default_storage.open(stored)) if stored else None
        except FileNotFoundError:
            return None


def _several(things: Iterable[Any], at_once: int) -> Iterator[list[Any]]:
    """The things in lists of at most so many."""
    left = iter(things)
    while some := list(islice(left, at_once)):
        yield some


def _pages(rows: QuerySet[Any], key: str = "pk") -> Iterator[list[Any]]:
    """All rows in the order of a key, fetched page by page: no statement stays open while a file is written."""
    page = list(rows.order_by(key)[:CHUNK])
    while page:
        yield page
        page = list(rows.filter(**{f"{key}__gt": getattr(page[-1], key)}).order_by(key)[:CHUNK])


def _people(source: DatabaseSource) -> Iterator[QuerySet[User]]:
    people = User.objects.filter(erased_at=None)
    if source.is_whole:
        yield people
        return
    acted: set[str] = set()
    for leaves in source.leaves():
        acted.update(leaves.order_by().values_list("event__actor", flat=True).distinct())
    numbers = sorted(int(key.removeprefix("person/")) for key in acted if key.startswith("person/"))
    for some in _several(numbers, AT_ONCE):
        yield people.filter(pk__in=some)


# ---- every table: the questions that find its rows within a scope, and how a page of them is told

Questions = Callable[[DatabaseSource], Iterator[QuerySet[Any]]]
Telling = Callable[[list[Any]], Iterator[Row]]


def _each(tell: Callable[[Any], Row]) -> Telling:
    return lambda page: map(tell, page)


def _all(rows: QuerySet[Any]) -> Questions:
    return lambda _source: iter([rows.all()])


def _of_proposals(rows: QuerySet[Any], path: str) -> Questions:
    """The rows of the proposals that a source holds, whose references are at `path`."""
    return lambda source: (rows.filter(chosen) for chosen in source.scope.of_rows(path))


def _index_of(path: str) -> Subquery:
    """The place in the log of the event whose number is at `path`; none while it waits to be sealed."""
    return Subquery(Leaf.objects.filter(event_id=OuterRef(path)).values("index")[:1])


# What many rows share is fetched once a page and not joined to each.
_DECISIONS = (
    Decision.objects.select_related("proposal", "revision")
    .defer("revision__content_text", "revision__note")
    .prefetch_related("policy_version__policy", "body", "conditions")
    .annotate(event_index=_index_of("event_number"))
)
_PROPOSALS = Proposal.objects.prefetch_related(
    "unit", "policy_version__policy", Prefetch("work_items", WorkItem.objects.filter(closed_at=None), "open_items")
)
_MEMOS = Memo.objects.select_related("decision__proposal", "checkpoint").annotate(
    event_index=_index_of("decision__event_number")
)

# The stream that a row of these tables belongs to; those of the others belong to their proposal's.
STREAMS: Final = {
    "people": "{person}",
    "units": "unit/{unit}",
    "bodies": "body/{body}",
    "mandates": "body/{body}",
    "policies": "policy/{policy}",
}
# In the order in which an export writes them.
TABLES: Final[dict[str, tuple[Questions, Telling]]] = {
    "people": (_people, person_rows),
    "units": (_all(Unit.objects.select_related("parent")), _each(unit_row)),
    "bodies": (_all(Body.objects.select_related("unit")), _each(body_row)),
    "mandates": (_all(Mandate.objects.select_related("body")), _each(mandate_row)),
    "policies": (_all(PolicyVersion.objects.select_related("policy")), _each(policy_row)),
    "proposals": (
        _of_proposals(_PROPOSALS, "reference"),
        _each(proposal_row),
    ),
    "revisions": (
        _of_proposals(Revision.objects.select_related("proposal"), "proposal__reference"),
        _each(revision_row),
    ),
    "decisions": (_of_proposals(_DECISIONS, "proposal__reference"), _each(decision_row)),
    "comments": (_of_proposals(Comment.objects.select_related("proposal"), "proposal__reference"), _each(comment_row)),
    "memos": (_of_proposals(_MEMOS, "decision__proposal__reference"), _each(memo_row)),
}
