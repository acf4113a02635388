"""SQL in which every statement is exactly one line, whatever its names contain.

So a file of it can be read, compared and split line by line.
"""

import re
from collections.abc import Sequence
from typing import Final

_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LIST_ITEM: Final = re.compile(r'"(?:[^"]|"")*"|[^\s,"]+')


def identifier(name: str) -> str:
    """A name as SQL, always quoted; line breaks in it are escaped."""
    doubled = name.replace('"', '""')
    if not _CONTROL.search(name):
        return f'"{doubled}"'
    escaped = doubled.replace("\\", "\\\\")
    return 'U&"' + _CONTROL.sub(lambda found: f"\\{ord(found[0]):04X}", escaped) + '"'


def literal(text: str) -> str:
    """A text as SQL; backslashes and line breaks in it are escaped."""
    doubled = text.replace("'", "''")
    if "\\" not in text and not _CONTROL.search(text):
        return f"'{doubled}'"
    escaped = doubled.replace("\\", "\\\\")
    return "E'" + _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04X}", escaped) + "'"


def identity(text: str) -> str:
    """The text of `pg_identify_object`, on one line: its quoted names may contain line breaks."""
    if not _CONTROL.search(text):
        return text
    return _QUOTED.sub(lambda found: identifier(found[1].replace('""', '"')), text)


def list_of_names(stored: str) -> str:
    """A setting that is a list of names (search_path), from the form in which the catalog stores it."""
    names: Sequence[str] = _LIST_ITEM.findall(stored)
    return ", ".join(
        literal(name[1:-1].replace('""', '"') if name.startswith('"') else name) for name in names
    ) or literal("")


def block(body: str, *, declare: str = "") -> str:
    """A DO statement around PL/pgSQL statements, whatever names they contain.

    Args:
        body: the statements, each with its semicolon.
        declare: their variables, each with its semicolon.
    """
    declared = f"DECLARE {declare} " if declare else ""
    tag = "$hackorda$"
    while tag in body:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag} {declared}BEGIN {body} END {tag};"


def in_this_database(before: str, after: str) -> str:
    """A statement on the database that it is run in, whose name isn't known in advance.

    Args:
        before: the statement up to the database's name ("ALTER DATABASE").
        after: the rest, without a semicolon ("SET statement_timeout TO '15s'").
    """
    template = f"{before.replace('%', '%%')} %I {after.replace('%', '%%')}"
    return block(f"EXECUTE pg_catalog.format({literal(template)}, pg_catalog.current_database());")
