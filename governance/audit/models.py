"""Events of the record, and the counters behind numbers that are never used twice."""

import json
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from governance.audit.append_only import AppendOnly
from governance.audit.verbs import SENTENCES, Verb


class Event(models.Model):
    """One line of the record: who, for whom, did what, to what, when, under which policy version.

    `body` is the event: RFC 8785 canonical JSON, from which `leaf` is hashed as RFC 6962 hashes a leaf. The other
    columns repeat what lists filter on. Names and titles are copies in words and there is no foreign key, so that an
    event outlives everything it speaks of.
    """

    append_only: ClassVar = AppendOnly(unique=(("subject", "sequence"),))

    subject = models.CharField(max_length=120, help_text=_("What the event is about, such as proposal/MC-2026-0014"))
    sequence = models.PositiveIntegerField(help_text=_("Place in the subject's own stream, from 1"))
    verb = models.CharField(max_length=60, help_text=_("One of `governance.audit.verbs`"))
    at = models.DateTimeField()
    actor = models.CharField(max_length=60, help_text=_("Key of who acted, such as person/17"))
    actor_name = models.CharField(max_length=200)
    body = models.BinaryField(help_text=_("Canonical JSON of the whole event"))
    leaf = models.BinaryField(max_length=32, help_text=_("SHA-256 of a zero byte and the body"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["subject", "sequence"], name="event_once_in_its_stream")]
        indexes = [
            models.Index(fields=["actor", "id"]),
            models.Index(fields=["at"]),
            models.Index(fields=["verb", "id"]),
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
        words |= {"actor": self.actor_name, "body": facts["on_behalf_of"] or words.get("body", "")}
        words |= {"revision": facts["revision"]["number"]} if facts["revision"] else {}
        return str(SENTENCES[Verb(self.verb)]).format_map(_Words(words))


class _Words(dict[str, Any]):
    """A word that an old event does not have reads as nothing instead of breaking the page."""

    def __missing__(self, key: str) -> str:
        return "…"


class Serial(models.Model):
    """The last number given out under a key, such as "MC-2026"."""

    key = models.CharField(max_length=60, unique=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("serial number")
        verbose_name_plural = _("serial numbers")

    def __str__(self) -> str:
        return f"{self.key}: {self.last}"
