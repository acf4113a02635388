"""What a source may have that makes a branch of it do something by itself."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


@contextmanager
def subscribed(url: str) -> Iterator[None]:
    """An enabled subscription for as long as the block lasts; nobody publishes at its address."""
    name = f"from_afar_{secrets.token_hex(3)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            f"CREATE SUBSCRIPTION {name} CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION p "
            "WITH (connect = false)".encode()
        )
        connection.execute(f"ALTER SUBSCRIPTION {name} ENABLE".encode())
        try:
            yield
        finally:
            for last in ("DISABLE", "SET (slot_name = NONE)"):
                connection.execute(f"ALTER SUBSCRIPTION {name} {last}".encode())
            connection.execute(f"DROP SUBSCRIPTION {name}".encode())
