"""The three ways an action says no. Each carries its own sentence and status; one middleware turns them into a page.

Example: approving a proposal that was withdrawn a minute ago raises `NotPossible("This proposal was withdrawn ...")`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.functional import Promise

Sentence = str | Promise


class Refusal(Exception):
    """An action that was not carried out, with the sentence that tells the person why."""

    status: ClassVar[HTTPStatus]

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


class NotPossible(Refusal):
    """The thing is not in a state that allows the act, whoever asks."""

    status = HTTPStatus.CONFLICT


class NotPermitted(Refusal):
    """This person may not do this, or not to this thing."""

    status = HTTPStatus.FORBIDDEN


class Stale(Refusal):
    """Something changed since the person looked; `changed` holds the events that they have not seen."""

    status = HTTPStatus.CONFLICT

    def __init__(self, sentence: Sentence, changed: Sequence[Any] = ()) -> None:
        super().__init__(sentence)
        self.changed = tuple(changed)


class Incomplete(Refusal):
    """The act needs an answer that is missing; `gaps` maps a field's name to the sentence beside it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, sentence: Sentence, gaps: Mapping[str, Sentence]) -> None:
        super().__init__(sentence)
        self.gaps = dict(gaps)
