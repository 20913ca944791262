"""Reading a policy version from its files, YAML rules beside Markdown text. An error names file, line and field."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from governance.policies.rules import Rules
from governance.policies.text import clauses


class BadFile(ValueError):
    """A file that cannot be used; its text says which, where and why, in one line."""


@dataclass(frozen=True)
class PolicyFile:
    """A policy version as it stands in files, checked."""

    rules: Rules
    text: str


FieldCheck = Callable[[Rules], Iterable[str]]
_field_checks: list[FieldCheck] = []


def register_field_check(unknown_fields: FieldCheck) -> None:
    """Let the app that owns the proposal's content name the fields that rules require and the content does not have.

    Policies know nothing of proposals, so the check comes to them (see `workflows/proposals/apps.py`).
    """
    if unknown_fields not in _field_checks:
        _field_checks.append(unknown_fields)


def load_policy_file(path: Path) -> PolicyFile:
    """Read `path` (YAML rules) and the Markdown file of the same name beside it. Raises BadFile."""
    data, root = read_yaml(path)
    try:
        rules = Rules.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadFile(f"{path}: {where(root, first['loc'])}: {first['msg']}") from error
    text_path = path.with_suffix(".md")
    try:
        text = text_path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{text_path}: the policy's text is missing ({error.strerror})") from error
    written = {clause.number for clause in clauses(text)}
    for loc, clause in _values_of("clause", data):
        if clause not in written:
            raise BadFile(f"{path}: {where(root, loc)}: {text_path.name} has no clause {clause}")
    unknown = {name for unknown_fields in _field_checks for name in unknown_fields(rules)}
    for number, requirement in enumerate(rules.requires):
        if requirement.field in unknown:
            place = where(root, ("requires", number, "field"))
            raise BadFile(f"{path}: {place}: a proposal has no field {requirement.field}")
    return PolicyFile(rules=rules, text=text)


class _Loader(yaml.SafeLoader):
    """YAML's safe types; a key that stands twice is an error, where YAML would silently drop the first."""

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            return node.value  # such as 2025-13-01: left to the model, whose error names the field

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(problem=f"{name} stands twice", problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


def read_yaml(path: Path) -> tuple[Any, yaml.Node | None]:
    """A YAML file's data, and its nodes, which know their lines. Raises BadFile."""
    try:
        source = path.read_text(encoding="utf-8")
        return yaml.load(source, Loader=_Loader), yaml.compose(source, Loader=_Loader)  # noqa: S506  (a safe loader)
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path}: not UTF-8 text, at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise BadFile(f"{path}: {line}{error.problem or 'not YAML'}") from error
    except yaml.YAMLError as error:  # a character that YAML does not allow, the only error without a mark
        raise BadFile(f"{path}: {' '.join(str(error).split())}") from error


def where(root: yaml.Node | None, loc: tuple[int | str, ...]) -> str:
    """ "line 12, route.2.due" for a place in a document; the line is that of the nearest part that exists."""
    node, path = root, []
    for step in loc:
        found = _child(node, step)
        if found is None and not (isinstance(node, yaml.MappingNode) and isinstance(step, str) and step == loc[-1]):
            continue  # pydantic's own steps, such as the tag of a condition, are not in the file
        path.append(str(step))
        node = found or node
    line = f"line {node.start_mark.line + 1}" if node is not None else "line 1"
    return f"{line}, {'.'.join(path)}" if path else line


def _child(node: yaml.Node | None, step: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    return None


def _values_of(name: str, data: Any, loc: tuple[int | str, ...] = ()) -> Iterator[tuple[tuple[int | str, ...], Any]]:
    """Every value that stands under a key of this name, with its place."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == name:
                yield (*loc, key), value
            yield from _values_of(name, value, (*loc, key))
    elif isinstance(data, list):
        for number, item in enumerate(data):
            yield from _values_of(name, item, (*loc, number))
