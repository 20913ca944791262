"""Rules written out as YAML that people read and edit: one shape for every version, defaults left out, clauses quoted.

Example: a due date is written `due: {working_days: 10, clause: "6.1"}`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml
from pydantic import ValidationError

from governance.policies.loading import BadYaml, parse_yaml
from governance.policies.rules import (
    ChecklistItem,
    Due,
    DutyRule,
    EffectCase,
    Question,
    Reopening,
    Requirement,
    Resubmission,
    Retention,
    Rules,
    Vote,
)

WIDTH: Final = 120
# The parts of the document that have an empty line before them.
_PARTS: Final = ("route", "duties", "resubmission", "reopens", "requires", "questions", "retention")
# What fits on a line is written on one line, except these and what holds them: there, the eye looks for lines.
_TALL: Final = {"label", "text", "all", "any", "author_may_decide"}
# In which order a thing's keys stand, by the key that it stands under.
_ORDER: Final[dict[str, Sequence[str]]] = {
    "": ("policy", "title", "version", "effective_from", "governs", *_PARTS),
    "route": (
        *("key", "label", "clause", "body", "when", "effect", "wave", "mandatory", "decides_by", "vote", "due"),
        *("outcomes", "checklist"),
    ),
    "checklist": list(ChecklistItem.model_fields),
    "due": list(Due.model_fields),
    "vote": list(Vote.model_fields),
    "effect": list(EffectCase.model_fields),
    "author_may_decide": list(DutyRule.model_fields),
    "one_person_many_stages": list(DutyRule.model_fields),
    "resubmission": list(Resubmission.model_fields),
    "reopens": list(Reopening.model_fields),
    "requires": list(Requirement.model_fields),
    "questions": list(Question.model_fields),
    "retention": list(Retention.model_fields),
    **dict.fromkeys(("when", "all", "any", "not"), ("field",)),
}
# Letters first, and nothing that YAML could take for more than words.
_PLAIN: Final = re.compile(r"[^\W\d_][\w '’“”().,;%+/–-]*(?<! )")
_NOT_PRINTED: Final = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

Data = Mapping[str, Any]


def to_yaml(rules: Rules) -> str:
    """The rules as YAML; reading it gives the same rules, and the same rules give the same bytes."""
    return _written(rules.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def exported(data: Data, source: str) -> str:
    """A version's rules as a file: the file that they came from, byte for byte, while it says the same.

    `data` may be a draft's, of which some rules are no rules yet; they are written as they stand.
    """
    try:
        rules = Rules.model_validate(data)
    except ValidationError:
        return _written(data)
    return source if source and _says(source, rules) else to_yaml(rules)


def _says(source: str, rules: Rules) -> bool:
    try:
        return Rules.model_validate(parse_yaml(source)[0]) == rules
    except (BadYaml, ValidationError):
        return False


# ---- lines


def _written(data: Data) -> str:
    lines: list[str] = []
    for name, value in _in_order(data, ""):
        if name in _PARTS:
            lines.append("")
        lines += _entry(name, value, 0)
    return "\n".join(lines) + "\n"


def _entry(name: str, value: Any, indent: int) -> Iterator[str]:
    """A key with its value: on one line where that reads well, else with the value below it."""
    start = " " * indent + f"{name}:"
    if not isinstance(value, Mapping | list):
        yield f"{start} {_words(value, name)}"
    elif _is_short(one_line := f"{start} {_flow(value, name)}", value):
        yield one_line
    elif isinstance(value, Mapping):
        yield start
        for key, inner in _in_order(value, name):
            yield from _entry(key, inner, indent + 2)
    else:
        yield start
        yield from _items(name, value, indent + 2)


def _items(name: str, items: Sequence[Any], indent: int) -> Iterator[str]:
    for number, item in enumerate(items):
        if number and name == "route":
            yield ""
        dash = " " * indent + "- "
        if not isinstance(item, Mapping):
            yield dash + _words(item, name)
        elif _is_short(one_line := dash + _flow(item, name), item):
            yield one_line
        else:
            first, *others = (line for key, inner in _in_order(item, name) for line in _entry(key, inner, indent + 2))
            yield dash + first.lstrip()
            yield from others


def _is_short(line: str, value: Any) -> bool:
    things = value if isinstance(value, list) else [value]
    return len(line) <= WIDTH and not any(
        isinstance(thing, Mapping) and (isinstance(value, list) or _is_tall(thing)) for thing in things
    )


def _is_tall(thing: Data) -> bool:
    return any(name in _TALL or (isinstance(inner, Mapping) and _is_tall(inner)) for name, inner in thing.items())


def _in_order(thing: Data, name: str) -> list[tuple[str, Any]]:
    order = _ORDER.get(name, ())
    shown = [(key, inner) for key, inner in thing.items() if inner is not None and inner != []]
    return sorted(shown, key=lambda entry: order.index(entry[0]) if entry[0] in order else len(order))


# ---- values


def _flow(value: Any, name: str) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner, key)}" for key, inner in _in_order(value, name)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(inner, name) for inner in value) + "]"
    return _words(value, name, among_commas=True)


def _words(value: bool | int | str, name: str, *, among_commas: bool = False) -> str:
    """A value as YAML reads it back: words plain where they can be nothing else, otherwise in quotation marks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (name == "effective_from" and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return str(value)
    if _PLAIN.fullmatch(value) and not (among_commas and "," in value) and _is_words(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + _NOT_PRINTED.sub(_escape, escaped) + '"'


_resolver: Final = yaml.resolver.Resolver()


def _is_words(plain: str) -> bool:
    """Whether YAML reads it as words, and not as "no" or "null"."""
    tag: str = _resolver.resolve(yaml.ScalarNode, plain, (True, False))  # type: ignore[no-untyped-call]
    return tag == "tag:yaml.org,2002:str"


def _escape(match: "re.Match[str]") -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
