"""Reads a page as a browser would, only more strictly."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_EMPTY = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Element:
    """An element of a page, with the text inside it."""

    tag: str
    attributes: dict[str, str | None]
    text: list[str] = field(default_factory=list)


class HtmlPage(HTMLParser):
    """Reads a page, and insists that what is opened is closed, in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"an attribute twice in {tag}"
        self.elements.append(element)
        if tag not in _EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text.append(data)

    def all(self, tag: str) -> list[Element]:
        """Every element with this tag."""
        return [element for element in self.elements if element.tag == tag]

    def texts(self, tag: str) -> list[str]:
        """The text inside each of them, in one line."""
        return [" ".join(" ".join(element.text).split()) for element in self.all(tag)]

    def addresses(self) -> set[str | None]:
        """Whatever an element might fetch or lead to."""
        naming = {"src", "srcset", "href", "xlink:href", "action", "style", "background"}
        return {
            value
            for element in self.elements
            for attribute, value in element.attributes.items()
            if attribute in naming
        }
