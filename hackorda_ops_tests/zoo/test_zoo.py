"""Every sound database of the zoo passes its drill, on every version of Postgres."""

from collections.abc import Callable, Iterable

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.drilling.result import DrillResult
from hackorda_ops_tests.zoo.animals import MAJORS, Animal, Enclosure
from hackorda_ops_tests.zoo.conftest import Servers, make, told
from hackorda_ops_tests.zoo.enclosures import ENCLOSURES

pytestmark = pytest.mark.server


@pytest.mark.parametrize(
    ("servers", "enclosure"),
    [
        pytest.param(
            major,
            enclosure,
            id=f"{enclosure.name} on {major}",
            marks=pytest.mark.xdist_group(f"zoo on {major}"),
        )
        for major in MAJORS
        for enclosure in ENCLOSURES
        if major in enclosure.majors
    ],
    indirect=["servers"],
)
def test_a_sound_database_passes(
    servers: Servers, enclosure: Enclosure, drilled: Callable[[str], DrillResult]
) -> None:
    url = make(servers.source, enclosure.name, enclosure.options)
    fill(url, enclosure.animals_on(servers.major))

    with psycopg.connect(url, autocommit=True) as beside:
        beside.execute(enclosure.temporary.encode())
        result = drilled(url)

    assert "\n".join(told(result)) == "PASS"


def fill(url: str, animals: Iterable[Animal]) -> None:
    """Makes animals in a database, each in a schema of its own."""
    # Whatever encoding the database has, the SQL is sent in UTF-8.
    with psycopg.connect(url, autocommit=True, client_encoding="UTF8") as connection:
        for animal in animals:
            connection.execute(
                sql.SQL("CREATE SCHEMA {0}; SET search_path TO {0}").format(sql.Identifier(animal.name))
            )
            connection.execute(animal.sql.encode())
