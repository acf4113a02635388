"""Object definitions as pg_restore writes them, made safe to show."""

import re
from typing import Final

from hackorda_ops.postgres.sessions.connection import redact

# Text before each object, and about the session.
HEADER: Final = re.compile(
    r"^--\n-- Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: (?P<schema>.*); Owner: .*\n--\n",
    re.MULTILINE,
)
# Their options contain passwords, so none of their literals are shown.
_SECRET_TYPES: Final = frozenset(
    {"USER MAPPING", "SERVER", "SUBSCRIPTION", "FOREIGN DATA WRAPPER", "FOREIGN TABLE"}
)
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")


def without_secrets(kind: str, definition: str) -> str:
    """An object's SQL without passwords. Secrets are hidden in the whole text: a literal may span several lines.

    Args:
        kind: of the object, as the archive names it: "TABLE", "USER MAPPING".
        definition: its SQL.
    """
    return redact(_LITERAL.sub("'…'", definition) if kind in _SECRET_TYPES else definition)


def named(kind: str, schema: str, name: str) -> str:
    """How an object is named everywhere: "TABLE public.users".

    Args:
        kind: the kind of object, as an archive names it ("TABLE").
        schema: "-" for an object that is in none.
        name: its name.
    """
    return f"{kind} {name if schema == '-' else f'{schema}.{name}'}"
