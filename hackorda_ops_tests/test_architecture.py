"""docs/architecture.md says what the code is: its rooms, its files and its words."""

import ast
import re

from hackorda_ops_tests.architecture import PACKAGE, PAGE, PICTURE, ROOT, layers, page, picture, rooms

UPDATE = "out of date: python -m hackorda_ops_tests.architecture"


def test_the_picture_is_the_code() -> None:
    assert PICTURE.read_text() == picture(), UPDATE


def test_the_table_of_rooms_is_the_code() -> None:
    text = PAGE.read_text()

    assert text == page(text), UPDATE


def test_every_room_has_its_layer_and_every_import_leads_downwards() -> None:
    floor = {name: number for number, layer in enumerate(layers()) for name in layer}

    assert floor.keys() == rooms().keys()
    upwards = [
        (room.name, used)
        for room in rooms().values()
        for used in room.uses
        if floor[used] <= floor[room.name]
    ]
    assert upwards == []


def test_every_file_that_the_pages_name_exists() -> None:
    pages = [PAGE, *sorted((ROOT / "docs" / "decisions").glob("*.md")), ROOT / "docs" / "contributing.md"]
    named = {
        (page.name, path)
        for page in pages
        if page.exists()
        for path in re.findall(r"`((?:[a-z_0-9]+/)+(?:[a-z_0-9]+\.[a-z]+)?)`", page.read_text())
    }

    missing = [
        each for each in sorted(named) if not ((PACKAGE / each[1]).exists() or (ROOT / each[1]).exists())
    ]
    assert missing == []


def test_no_class_or_module_is_called_by_a_word_that_the_glossary_has_replaced() -> None:
    names = {
        node.name: path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    } | {path.stem: path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    words = {
        name: {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)} for name in names
    }

    replaced = {(name, names[name]) for name, parts in words.items() if parts & _replaced_words()}
    assert replaced == set()


def _replaced_words() -> set[str]:
    """The words in the glossary's last column: what its terms are never called."""
    rows = [
        line.split("|")
        for line in PAGE.read_text().partition("## Glossary")[2].splitlines()
        if line.startswith("| ")
    ]
    return {word.strip() for row in rows[1:] for word in row[3].split(",") if word.strip()}
