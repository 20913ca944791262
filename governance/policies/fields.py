"""The fields of a proposal in words, as the app that owns its content names them: `resources.fee` is “Fee, dollars”.

Policies know nothing of proposals, so the names come to them (see `workflows/proposals/apps.py`).
"""

from collections.abc import Callable, Mapping

from django.utils.functional import Promise

Names = Mapping[str, str | Promise]
_sources: list[Callable[[], Names]] = []


def register_field_names(source: Callable[[], Names]) -> None:
    """Let an app name the sections (`resources`) and fields (`resources.fee`) that rules may speak of."""
    if source not in _sources:
        _sources.append(source)


def field_names() -> dict[str, str]:
    """Every section and field that has a name, by its path, in the order of the content."""
    return {path: str(name) for source in _sources for path, name in source().items()}


def field_in_words(path: str) -> str:
    """What people call a section or a field; its path where nobody named it."""
    return field_names().get(path, path)
