"""What a browser would send from a page: the values of a form's fields, read from the HTML."""

from html.parser import HTMLParser

from django.http import QueryDict


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self.buttons: list[tuple[str, str]] = []
        self.hidden_by_template = 0
        self.textarea: str | None = None
        self.text = ""
        self.select: str | None = None
        self.chosen: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name, value = given.get("name") or "", given.get("value")
        if tag == "template":
            self.hidden_by_template += 1
        if self.hidden_by_template:
            return
        if tag == "input" and name:
            if given.get("type") not in {"radio", "checkbox"}:
                self.found.append((name, value or ""))
            elif "checked" in given:
                self.found.append((name, value or "on"))
        elif tag == "button" and name:
            self.buttons.append((name, value or ""))
        elif tag == "textarea":
            self.textarea, self.text = name, ""
        elif tag == "select":
            self.select, self.chosen = name, None
        elif tag == "option" and self.select is not None and ("selected" in given or self.chosen is None):
            self.chosen = value or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self.hidden_by_template -= 1
        elif tag == "textarea" and self.textarea is not None:
            # A browser drops the first line end after the tag, and sends each one as CR LF.
            self.found.append((self.textarea, self.text.replace("\r\n", "\n").removeprefix("\n").replace("\n", "\r\n")))
            self.textarea = None
        elif tag == "select" and self.select is not None:
            self.found.append((self.select, self.chosen or ""))
            self.select = None

    def handle_data(self, data: str) -> None:
        if self.textarea is not None:
            self.text += data


def typed_in(html: str, **changed: str) -> QueryDict:
    """The fields of the page's forms with what stands in them, and what a person changed."""
    reader = _Reader()
    reader.feed(html)
    data = QueryDict(mutable=True)
    for name, value in reader.found:
        data.appendlist(name, value)
    for name, value in changed.items():
        data[name.replace("__", "-")] = value
    return data


def buttons_in(html: str) -> list[tuple[str, str]]:
    reader = _Reader()
    reader.feed(html)
    return reader.buttons
