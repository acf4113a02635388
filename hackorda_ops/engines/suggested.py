"""What an engine sees of a database that nobody has configured yet."""

from dataclasses import dataclass

from hackorda_ops.config.expectations import KeyTable


@dataclass(frozen=True)
class Suggested:
    """What a first configuration of a database may say, from a look at it.

    Attributes:
        seen: what is there, in words.
        database: its name on its server; "" where it has none.
        provider: the provider of scratch that the database itself is at; "" for any other server.
        key_tables: tables that matter, each with the column of its rows' creation time.
        tools: the migration tools whose tables are there, by name.
    """

    seen: str
    database: str = ""
    provider: str = ""
    key_tables: tuple[KeyTable, ...] = ()
    tools: tuple[str, ...] = ()
