"""What somebody made in a database, as the server's catalogs have it."""

import psycopg
import pytest

from hackorda_ops.postgres.catalogs.made_objects import read_made_objects

pytestmark = pytest.mark.server

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, name text CONSTRAINT named CHECK (name <> ''));
CREATE INDEX by_name ON users (name);
CREATE VIEW names AS SELECT name FROM users;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE FUNCTION net(gross numeric) RETURNS numeric LANGUAGE sql AS 'SELECT gross';
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (true);
CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parts DEFAULT;
CREATE TEMPORARY TABLE passing (id int PRIMARY KEY);
CREATE EXTENSION citext;
"""


def test_every_object_is_named_once_and_nothing_of_the_server_or_of_an_extension(new_database: str) -> None:
    with psycopg.connect(new_database) as connection:
        connection.execute(SCHEMA.encode())
        assert read_made_objects(connection) == (
            "function public.net(numeric)",
            "index public.by_name",
            "index public.users_pkey",
            "policy own on public.users",
            "public.part as a child of public.parts",
            "row security on public.users",
            "schema public",
            "table constraint named on public.users",
            "table constraint users_pkey on public.users",
            "type public.mood",
            "view public.names",
        )
