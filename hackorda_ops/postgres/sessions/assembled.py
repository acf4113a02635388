"""A connection whose parts come separately, as applications have them in an environment variable each."""

import re
from collections.abc import Iterator

from psycopg.conninfo import make_conninfo

from hackorda_ops.errors import ConfigError
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse


def assemble(
    *, host: str, port: str, user: str, database: str, password: str, origin: str
) -> ConnectionTarget:
    """The target that separate values name.

    Args:
        host: a name, an address, or the folder of a Unix socket.
        port: "" for the default.
        user: the role that logs in.
        database: its exact name.
        password: "" for none.
        origin: the variables that they came from; an error shows nothing else of them.

    Raises:
        ConfigError: host, user or database is missing, or something else stands in its place.
    """
    if problems := list(_problems(host, port)):
        raise ConfigError(
            f"{origin} cannot be used: {'; '.join(problems)}.",
            meaning="Nothing was attempted: it's unclear which database is meant, or how to reach it.",
            next_step="Set each of these variables to that part alone: a name or an address, a port, a role, a name.",
        )
    written = {"host": host, "port": port, "user": user, "dbname": database, "password": password}
    given = {keyword: value for keyword, value in written.items() if value}
    return parse(make_conninfo(**given), origin=origin)


def _problems(host: str, port: str) -> Iterator[str]:
    # A whole connection string is the likeliest mistake, and it holds a password: it's never shown.
    if not host.startswith(("/", "@")) and re.search(r"[@=\s]|://", host):
        yield "the host is neither a name, an address nor a folder"
    if port and not re.fullmatch(r"[0-9]{1,5}(,[0-9]{1,5})*", port):
        yield "the port is not a number"
