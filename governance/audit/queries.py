"""Reading the record, in the order that lists and pages need, and the log that it is sealed into."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Max, Q, QuerySet

from governance.audit.merkle import WIDTH, Tree
from governance.audit.models import Checkpoint, Event, Leaf, Pending, PersonalDatum, Tile
from governance.audit.personal import hidden_in
from governance.audit.verbs import Verb
from governance.audit.verifier import Checkpoint as SignedCheckpoint
from governance.audit.verifier import InclusionProof, VerifierKey

# The stream of the log's own events, such as a new key.
LOG: Final = "log"


def events_of(subject: str, *, after: int = 0, verbs: Collection[str] = ()) -> QuerySet[Event]:
    """A subject's events in order, only those after a place in its stream and of some verbs where asked."""
    events = Event.objects.filter(subject=subject, sequence__gt=after).order_by("sequence")
    return events.filter(verb__in=verbs) if verbs else events


# ---- across streams

# Events, and keys of events, read at a time where many are, so that memory stays flat however long the record.
AT_A_TIME: Final = 500
KEYS_AT_A_TIME: Final = 20_000


@dataclass(frozen=True)
class Narrowing:
    """What a search of the record asks for; what is empty asks for nothing. `actors` is None where anybody will do.

    `until` is the first moment that is too late.
    """

    streams: tuple[str, ...] = ()
    actors: tuple[str, ...] | None = None
    verbs: tuple[str, ...] = ()
    body_code: str = ""
    policy_version: str = ""
    since: datetime | None = None
    until: datetime | None = None


def narrowed(wanted: Narrowing) -> QuerySet[Event]:
    """The events that hold to everything asked. Each column has an index that goes on in the order `at`, `id`."""
    events = Event.objects.order_by("-at", "-id")
    if wanted.streams:
        events = events.filter(_one_of("subject", wanted.streams))
    if wanted.actors is not None:
        events = events.filter(_one_of("actor", wanted.actors))
    if wanted.verbs:
        events = events.filter(_one_of("verb", wanted.verbs))
    if wanted.body_code:
        events = events.filter(body_code=wanted.body_code)
    if wanted.policy_version:
        events = events.filter(policy_version=wanted.policy_version)
    if wanted.since is not None:
        events = events.filter(at__gte=wanted.since)
    if wanted.until is not None:
        events = events.filter(at__lt=wanted.until)
    return events


def _one_of(column: str, values: Collection[str]) -> Q:
    """One value as an equality, by which an index also gives the order."""
    return Q(**({column: next(iter(values))} if len(values) == 1 else {f"{column}__in": values}))


def read_through(events: QuerySet[Event]) -> Iterator[Event]:
    """A search's events as `read_whole` gives them, newest first, however many, in a few queries a thousand.

    Cut by key and not held open as one query, so that whoever reads slowly keeps nothing waiting.
    """
    rest = events.values_list("at", "pk")
    while keys := list(rest[:KEYS_AT_A_TIME]):
        for first in range(0, len(keys), AT_A_TIME):
            yield from read_whole([key for _at, key in keys[first : first + AT_A_TIME]])
        at, last = keys[-1]
        rest = events.filter(Q(at__lt=at) | Q(at=at, id__lt=last), at__lte=at).values_list("at", "pk")


def read_whole(keys: Collection[int]) -> list[Event]:
    """The events of these keys, newest first, with their leaves and what their commitments say. Two queries.

    Searched for by key alone first, so that a database which has to sort what it found sorts no bodies.
    """
    events = Event.objects.filter(pk__in=keys).select_related("leaf_of_log")
    return open_together(events.order_by("-at", "-pk"))


def open_together(events: Iterable[Event]) -> list[Event]:
    """The events with what their commitments say, in one query for all of them."""
    rows = list(events)
    hidden = {event.pk: hidden_in(event.facts) for event in rows}
    wanted = {each for found in hidden.values() for each in found}
    known = PersonalDatum.objects.filter(commitment__in=wanted).values_list("commitment", "value")
    openings = dict(known) if wanted else {}
    for event in rows:
        event.openings = {each: openings[each] for each in hidden[event.pk] if each in openings}
    return rows


def people_called(words: str) -> list[str]:
    """The keys of the people who have or had a name, title or address with these words in it; none for the erased."""
    found = PersonalDatum.objects.filter(value__icontains=words).order_by("person")
    return list(found.values_list("person", flat=True).distinct())


def beside(event: Event) -> tuple[Event | None, Event | None]:
    """The events before and after one in its stream."""
    places = (event.sequence - 1, event.sequence + 1)
    found = {each.sequence: each for each in Event.objects.filter(subject=event.subject, sequence__in=places)}
    return found.get(places[0]), found.get(places[1])


# ---- the log


def waiting_to_be_sealed() -> int:
    """How many events are not in the log yet."""
    return Pending.objects.count()


def size_of_log() -> int:
    """How many events are sealed."""
    last = Leaf.objects.aggregate(last=Max("index"))["last"]
    return 0 if last is None else last + 1


def latest_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


def keys_of_log() -> list[VerifierKey]:
    """The public keys that ever signed the log, oldest first, as the log itself names them."""
    introduced = events_of(LOG, verbs=[Verb.KEY_INTRODUCED])
    return [VerifierKey.parse(event.facts["after"]["key"]) for event in introduced]


def read_tile(level: int, index: int) -> Sequence[bytes]:
    """The hashes of a tile, as many as there are."""
    tile = Tile.objects.filter(level=level, index=index).first()
    if tile is not None:
        whole = bytes(tile.hashes)
        return [whole[at : at + 32] for at in range(0, len(whole), 32)]
    if level == 0:
        leaves = Leaf.objects.filter(index__gte=index * WIDTH, index__lt=(index + 1) * WIDTH).order_by("index")
        return [bytes(leaf) for leaf in leaves.values_list("event__leaf", flat=True)]
    return roots_below(level, index)


def roots_below(level: int, index: int) -> list[bytes]:
    """The roots of the tiles under one that is not of level 0, as many as there are."""
    below = Tile.objects.filter(level=level - 1, index__gte=index * WIDTH, index__lt=(index + 1) * WIDTH)
    return [bytes(root) for root in below.order_by("index").values_list("root", flat=True)]


def inclusion_proof(event: Event, checkpoint: Checkpoint) -> InclusionProof:
    """The proof that an event is in the log that a checkpoint signs. Raises ValueError when it is not."""
    leaf = Leaf.objects.filter(event=event).first()
    if leaf is None:
        raise ValueError(f"the event {event} is not sealed yet")
    hashes = Tree(checkpoint.size, read_tile).inclusion(leaf.index)
    return InclusionProof(index=leaf.index, hashes=hashes, checkpoint=SignedCheckpoint.parse(noted(checkpoint)))


def consistency_proof(earlier: int, checkpoint: Checkpoint) -> tuple[bytes, ...]:
    """The proof that the log of a checkpoint begins with the one of so many events."""
    return Tree(checkpoint.size, read_tile).consistency(earlier)


def noted(checkpoint: Checkpoint) -> str:
    """A checkpoint as a signed note, with the witnesses' lines under our own."""
    return checkpoint.note + "".join(each.line for each in checkpoint.cosignatures.all())
