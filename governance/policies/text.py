"""A policy's text: Markdown whose clauses begin with their number in bold, such as "**3.2** A proposal names ..." """

import re
from dataclasses import dataclass

_CLAUSE = re.compile(r"^\*\*(\d+(?:\.\d+)*)\*\*\s+(.*)$")
_HEADING = re.compile(r"^##\s+(\d+)\.?\s+(.*)$")


@dataclass(frozen=True)
class TextClause:
    number: str
    text: str
    heading: str


def clauses(markdown: str) -> list[TextClause]:
    """The numbered clauses of a policy text in order, each with the heading it stands under."""
    found: list[TextClause] = []
    heading = ""
    for block in re.split(r"\n\s*\n", markdown):
        line = " ".join(part.strip() for part in block.strip().splitlines())
        if match := _HEADING.match(line):
            heading = f"{match[1]}. {match[2]}"
        elif match := _CLAUSE.match(line):
            found.append(TextClause(number=match[1], text=match[2], heading=heading))
    return found


def outside_clauses(markdown: str) -> str:
    """Everything else in reading order: the title, the preface, paragraphs without a number, headings of no clause."""
    headings = {clause.heading for clause in clauses(markdown)}
    found = []
    for block in re.split(r"\n\s*\n", markdown):
        line = " ".join(part.strip() for part in block.strip().splitlines())
        match = _HEADING.match(line)
        if line and not _CLAUSE.match(line) and not (match and f"{match[1]}. {match[2]}" in headings):
            found.append(line.lstrip("# "))
    return "\n".join(found)
