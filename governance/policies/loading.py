"""Reading a policy version from its files, YAML rules beside Markdown text. An error names file, line and field."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from governance.policies.checking import check
from governance.policies.rules import Rules

# So many values in a file, aliases written out. The shipped policy has some hundreds.
MOST_VALUES: Final = 50_000


class BadFile(ValueError):
    """A file that cannot be used; its text says which, where and why, in one line."""


class BadYaml(ValueError):
    """A text that is not YAML; it says why and in which line."""


@dataclass(frozen=True)
class PolicyFile:
    """A policy version as it stands in files, checked."""

    rules: Rules
    text: str
    source: str = ""


def load_policy_file(path: Path) -> PolicyFile:
    """Read `path` (YAML rules) and the Markdown file of the same name beside it. Raises BadFile."""
    source = _read(path)
    data, root = read_yaml(path)
    text_path = path.with_suffix(".md")
    try:
        text = text_path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{text_path}: the policy's text is missing ({error.strerror})") from error
    checked = check(data, text)
    if checked.rules is None:
        first = checked.problems[0]
        raise BadFile(f"{path}: {where(root, first.place)}: {first.sentence}")
    return PolicyFile(rules=checked.rules, text=text, source=source)


class _Loader(yaml.SafeLoader):
    """YAML's safe types; a key that stands twice is an error, where YAML would silently drop the first."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # such as 0b_, or !!int soon
            raise yaml.constructor.ConstructorError(
                problem="a value that cannot be read", problem_mark=node.start_mark
            ) from error

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            return node.value  # such as 2025-13-01: left to the model, whose error names the field

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):  # such as !!map [a]
            raise yaml.constructor.ConstructorError(problem="expected a mapping", problem_mark=node.start_mark)
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
        return parse_yaml(_read(path))
    except BadYaml as error:
        raise BadFile(f"{path}: {error}") from error


def parse_yaml(source: str) -> tuple[Any, yaml.Node | None]:
    """The data of a YAML text, and its nodes, which know their lines. Raises BadYaml."""
    try:
        root = yaml.compose(source, Loader=_Loader)
        _values_in(root, {})
        return yaml.load(source, Loader=_Loader), root  # noqa: S506  (a safe loader)
    except RecursionError as error:
        raise BadYaml("nested too deep") from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise BadYaml(f"{line}{error.problem or 'not YAML'}") from error
    except yaml.YAMLError as error:  # a character that YAML does not allow, the only error without a mark
        raise BadYaml(" ".join(str(error).split())) from error


def _values_in(node: yaml.Node | None, known: dict[int, int]) -> int:
    """How many values a node holds, each alias counted as what it stands for: a few lines of aliases of aliases hold
    more than any memory. Raises a MarkedYAMLError for too many, and for an alias inside of what it stands for."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1  # while it is being counted: found again inside, it has no end
        parts = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_values_in(part, known) for part in parts)
    if known[id(node)] > MOST_VALUES:
        raise yaml.MarkedYAMLError(problem="more values than rules can have", problem_mark=node.start_mark)
    return known[id(node)]


def _read(path: Path) -> str:
    try:
        # As bytes, because the source is kept as it stands, line ends included.
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path}: not UTF-8 text, at byte {error.start}") from error


def where(root: yaml.Node | None, loc: tuple[int | str, ...]) -> str:
    """ "line 12, route.2.due" for a place in a document; the line is that of the nearest part that exists."""
    line, path = _nearest(root, loc)
    return f"line {line}, {path}" if path else f"line {line}"


def line_of(root: yaml.Node | None, loc: tuple[int | str, ...]) -> int:
    """The line of the nearest part of a place that exists."""
    return _nearest(root, loc)[0]


def _nearest(root: yaml.Node | None, loc: tuple[int | str, ...]) -> tuple[int, str]:
    node, path = root, []
    for step in loc:
        found = _child(node, step)
        if found is None and not (isinstance(node, yaml.MappingNode) and isinstance(step, str) and step == loc[-1]):
            continue  # pydantic's own steps, such as the tag of a condition, are not in the file
        path.append(str(step))
        node = found or node
    return (node.start_mark.line + 1 if node is not None else 1), ".".join(path)


def _child(node: yaml.Node | None, step: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    return None
