"""Nothing points to a place that isn't there: links of the pages, and pages that messages and documentation name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hackorda_ops
from hackorda_ops.cli.commands import LISTED, loaded

ROOT = Path(__file__).parents[1]
PACKAGE = Path(hackorda_ops.__file__).parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w -]", "", text).replace(" ", "-"))
    return found


def texts_of_the_package() -> Iterator[tuple[str, str]]:
    """Every text in the package's code: messages, help and documentation."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(prose(page)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_every_page_that_a_message_or_a_documentation_names_is_there() -> None:
    named = [
        (where, name)
        for where, text in texts_of_the_package()
        for name in re.findall(r"\bdocs/[\w./-]*\w", text)
        if not name.startswith("docs/postmortems")  # an example of a team's own folder
    ]
    assert named
    assert [(where, name) for where, name in named if not (ROOT / name).exists()] == []


def test_no_message_sends_people_to_the_readme() -> None:
    # It is no reference, and it isn't installed; a page of docs/ is, by its name, at least found by a search.
    assert [where for where, text in texts_of_the_package() if re.search(r"README(?!\.md)", text)] == []


def test_every_command_that_a_message_or_a_page_names_is_there() -> None:
    groups = {each.name: set(getattr(loaded(each), "commands", {})) for each in LISTED}
    lost = []
    places = [*texts_of_the_package(), *((str(page), page.read_text(encoding="utf-8")) for page in PAGES)]
    for where, text in places:
        for words in re.findall(r"[`(]hackorda-ops ([a-z]+(?:-[a-z]+)*)(?: ([a-z]+))?", text):
            name, part = words
            if name not in groups or (groups[name] and part and part not in groups[name]):
                lost.append((where, " ".join(words)))
    assert lost == []
