"""Events of the record, the log they are sealed into, and the counters behind numbers that are never used twice."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from governance.audit.append_only import AppendOnly
from governance.audit.personal import HIDDEN, hidden_in, is_hidden
from governance.audit.verbs import SENTENCES, Verb

# What stands where a person's name was, once it has been erased.
ERASED = _("a person whose data was erased")


def named(name: str) -> str:
    """A person's name as a page shows it: the words for one that was erased where none is left."""
    return name or str(ERASED)


class Event(models.Model):
    """One line of the record: who, for whom, did what, to what, when, under which policy version.

    `body` is the event: RFC 8785 canonical JSON, from which `leaf` is hashed as RFC 6962 hashes a leaf. The other
    columns repeat what lists filter on. There is no foreign key, so that an event outlives everything it speaks of. A
    person's name stands in the body as a commitment (`governance.audit.personal`), so that it can be erased: here, in
    `actor_name`, and among the openings.
    """

    append_only: ClassVar = AppendOnly(unique=(("subject", "sequence"),), erasable=("actor_name",))

    subject = models.CharField(max_length=120, help_text=_("What the event is about, such as proposal/MC-2026-0014"))
    sequence = models.PositiveIntegerField(help_text=_("Place in the subject's own stream, from 1"))
    verb = models.CharField(max_length=60, help_text=_("One of `governance.audit.verbs`"))
    at = models.DateTimeField()
    actor = models.CharField(max_length=60, help_text=_("Key of who acted, such as person/17"))
    actor_name = models.CharField(max_length=200)
    body_code = models.CharField(max_length=30, blank=True, help_text=_("Body that it is about or was done for"))
    policy_version = models.CharField(max_length=320, blank=True, help_text=_("Label of the law that it rests on"))
    body = models.BinaryField(help_text=_("Canonical JSON of the whole event"))
    leaf = models.BinaryField(max_length=32, help_text=_("SHA-256 of a zero byte and the body"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["subject", "sequence"], name="event_once_in_its_stream")]
        indexes = [
            # Lists go newest first by (at, id): a day's bounds are exact, and keys are not in the order of time.
            models.Index(fields=["at", "id"]),
            models.Index(fields=["actor", "at", "id"]),
            models.Index(fields=["verb", "at", "id"]),
            models.Index(fields=["body_code", "at", "id"], name="event_by_body"),
            models.Index(fields=["policy_version", "at", "id"], name="event_by_policy"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.sequence}: {self.verb}"

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The event's body, read back. Keys as `governance.audit.actions.record` writes them."""
        facts: dict[str, Any] = json.loads(bytes(self.body))
        return facts

    @property
    def reason(self) -> str:
        return self.facts["reason"] or ""

    @property
    def sentence(self) -> str:
        """What happened, in words, in the reader's language."""
        facts = self.facts
        words = {**(facts["before"] or {}), **(facts["after"] or {})}
        words |= {
            "actor": self.actor_name or capfirst(str(ERASED)),
            "body": facts["on_behalf_of"] or words.get("body", ""),
        }
        words |= {"revision": facts["revision"]["number"]} if facts["revision"] else {}
        return str(SENTENCES[Verb(self.verb)]).format_map(_Words(self, words))

    def opened(self, value: Any) -> Any:
        """A value of the event as people read it: what a commitment stands for, and anything else as it is."""
        return self.openings.get(value[HIDDEN], ERASED) if is_hidden(value) else value

    @cached_property
    def openings(self) -> dict[str, str]:
        """What the commitments in the event say, by commitment; those of erased people are not there."""
        found = hidden_in(self.facts)
        if not found:
            return {}
        return dict(PersonalDatum.objects.filter(commitment__in=found).values_list("commitment", "value"))


class _Words(Mapping[str, Any]):
    """The words of an event's sentence, opened only when the sentence asks for them.

    One that an old event does not have reads as nothing instead of breaking the page.
    """

    def __init__(self, event: Event, words: dict[str, Any]) -> None:
        self.event = event
        self.words = words

    def __getitem__(self, key: str) -> Any:
        return self.event.opened(self.words.get(key, "…"))

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)


class Serial(models.Model):
    """The last number given out under a key, such as "MC-2026"."""

    key = models.CharField(max_length=60, unique=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("serial number")
        verbose_name_plural = _("serial numbers")

    def __str__(self) -> str:
        return f"{self.key}: {self.last}"


class PersonalDatum(models.Model):
    """What a commitment in the record says: a name, a title or an address that a person had. An erasure deletes it."""

    person = models.CharField(max_length=60, db_index=True, help_text=_("Key of the person, such as person/17"))
    commitment = models.CharField(max_length=64, unique=True)
    value = models.TextField()

    class Meta:
        verbose_name = _("personal datum")
        verbose_name_plural = _("personal data")

    def __str__(self) -> str:
        return self.person


# ---- the log: events in one order, under a tree of hashes


class Pending(models.Model):
    """An event that is not in the log yet. Written with the event and taken away by the sequencer.

    Reading "events after the last one sealed" instead would lose those that got a lower number and were committed
    later.
    """

    event = models.OneToOneField(Event, on_delete=models.PROTECT, primary_key=True, related_name="pending")

    class Meta:
        verbose_name = _("event to be sealed")
        verbose_name_plural = _("events to be sealed")

    def __str__(self) -> str:
        return str(self.event_id)


class Leaf(models.Model):
    """An event's place in the log, from 0."""

    append_only: ClassVar = AppendOnly(unique=(("event_id",),))

    index = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="leaf_of_log")

    class Meta:
        ordering = ["index"]
        verbose_name = _("leaf of the log")
        verbose_name_plural = _("leaves of the log")

    def __str__(self) -> str:
        return str(self.index)


class Tile(models.Model):
    """256 hashes of the tree beside each other: on level 0 those of leaves, above it the roots of 256 tiles below."""

    append_only: ClassVar = AppendOnly(unique=(("level", "index"),))

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField(max_length=8192)
    root = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="one_tile_at_a_place")]
        verbose_name = _("tile of the log")
        verbose_name_plural = _("tiles of the log")

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class Checkpoint(models.Model):
    """A signed statement of the log's size and root (C2SP tlog-checkpoint), with its time in our own cosignature."""

    append_only: ClassVar = AppendOnly(unique=(("size",),))

    size = models.BigIntegerField(_("events"), unique=True)
    root = models.BinaryField(_("root"), max_length=32)
    note = models.TextField(_("signed note"))
    at = models.DateTimeField(_("signed"))

    class Meta:
        ordering = ["-size"]
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        indexes = [models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.size} {bytes(self.root).hex()[:16]}"


class Cosignature(models.Model):
    """A witness's line under a checkpoint (C2SP tlog-cosignature): it found the log of this size to be consistent."""

    append_only: ClassVar = AppendOnly(unique=(("checkpoint_id", "line"),))

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="cosignatures")
    witness = models.CharField(_("witness"), max_length=200)
    line = models.TextField(_("signature line"))
    received_at = models.DateTimeField(_("received"))

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["checkpoint", "line"], name="a_cosignature_once")]
        verbose_name = _("cosignature")
        verbose_name_plural = _("cosignatures")

    def __str__(self) -> str:
        return f"{self.checkpoint_id} {self.witness}"
