"""Reads a report as whoever gets it does: its tables, and its texts with the part that they are in."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_EMPTY = {"meta", "link", "br", "hr", "img", "input", "rect", "path", "circle"}
_UNSEEN = {"style", "svg", "head"}
# Whatever is inside one of these is one text: the smallest that isn't inside another of them counts.
_TEXTS = {"p", "li", "h1", "h2", "h3", "caption", "figcaption", "pre"}


@dataclass(frozen=True)
class Table:
    """A table of a report: its head, and its rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Read:
    """A report, as it was read: every word is in a table or in a text, and each text on one line."""

    tables: tuple[Table, ...]
    texts: tuple[str, ...]


def plain(text: str) -> str:
    """Words on one line."""
    return re.sub(r" (?=[,.])", "", " ".join(text.split()))


@dataclass
class _Page(HTMLParser):
    """Reads a page; what is drawn, and what is hidden from whoever can't see, isn't read."""

    tables: list[Table] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    path: list[tuple[str, str]] = field(default_factory=list)
    gathered: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        hidden = tag in _UNSEEN or dict(attrs).get("aria-hidden") == "true"
        if tag == "br":
            self.gathered.append(" ")
        if tag in _EMPTY:
            return
        if tag in ("p", "pre", "li", "div"):
            if self._in("th", "td", "dt", "dd"):
                self.gathered.append(" ")
            else:
                self._flush()
        if tag == "table":
            self.rows = []
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.gathered = []
        self.path.append((tag, "hidden" if hidden else ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop()[0] == tag
        if tag in ("th", "td"):
            self.rows[-1].append(plain("".join(self.gathered)))
            self.gathered = []
        elif tag == "table":
            head, *rows = [tuple(row) for row in self.rows]
            self.tables.append(Table(head, tuple(rows)))
        elif (tag in _TEXTS and not self._in("th", "td", "dt", "dd")) or tag == "div":
            self._flush()
        elif tag in ("dt", "dd", "span", "strong", "h3", "p", "small"):
            self.gathered.append(" ")

    def handle_data(self, data: str) -> None:
        if not any(how == "hidden" for _, how in self.path):
            self.gathered.append(data)

    def _in(self, *tags: str) -> bool:
        return any(tag in tags for tag, _ in self.path)

    def _flush(self) -> None:
        if text := plain("".join(self.gathered)):
            self.texts.append(text)
        self.gathered = []


def of_page(text: str) -> Read:
    """An HTML page."""
    page = _Page()
    page.feed(text)
    page.close()
    assert not page.path
    page._flush()
    return Read(tuple(page.tables), tuple(page.texts))


def of_markdown(text: str) -> Read:
    """A Markdown document."""
    tables: list[Table] = []
    texts: list[str] = []
    rows: list[tuple[str, ...]] = []
    fence = ""
    for line in [*text.splitlines(), ""]:
        bare = line.strip()
        if fence or re.match("`{3,}", bare):
            if bare == fence:
                fence = ""
            elif fence:
                texts.append(plain(line))
            else:
                fence = bare
            continue
        if bare.startswith("|"):
            rows.append(tuple(_shown(cell) for cell in re.split(r"(?<!\\)\|", bare)[1:-1]))
            continue
        if rows:
            tables.append(Table(rows[0], tuple(rows[2:])))
            rows = []
        texts.append(_shown(re.sub(r"^(#+|-) ", "", bare)))
    return Read(tuple(tables), tuple(filter(None, texts)))


def _shown(text: str) -> str:
    return plain(re.sub(r"\\(.)", r"\1", text.replace("**", "")))
