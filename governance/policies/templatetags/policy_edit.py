"""Small things that the pages of a draft ask for."""

from collections.abc import Mapping
from typing import Any

from django import template

from governance.policies.editing.facts import offered
from governance.policies.editing.part import Offered
from governance.policies.vocabulary import FactName

register = template.Library()


@register.simple_tag
def condition_values(boxes: Offered) -> dict[str, dict[str, str]]:
    """The values that each field of a condition can have, where they can be counted."""
    found = {name.value: offered(name, boxes.units) for name in FactName}
    return {name: values for name, values in found.items() if values}


@register.simple_tag
def get(things: Mapping[str, Any], name: str) -> Any:
    """What a mapping has under a name that is not known when the template is written."""
    return things[name]


@register.simple_tag
def filled(sentence: object, **said: object) -> str:
    """A sentence with its places filled in: "Withdraw version 3"."""
    return str(sentence) % said
