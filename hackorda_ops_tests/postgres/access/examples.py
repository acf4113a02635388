"""Objects of every kind that has an owner, and roles, owners and grants that are hard to write down."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from hackorda_ops.local.postgres import PostgresServer, create_database

# A line break, a quote, a backslash and the tag of a dollar-quoted text; and a percent sign for format().
ODD_ROLE = 'odd "role"\n \\ $hackorda$'
PERCENT_ROLE = "Жұмыс 100%"
ROLES = ("app", ODD_ROLE, PERCENT_ROLE, "cloud_admin", "neon_superuser")

OBJECTS = r"""
CREATE SCHEMA "Odd
Schema";
CREATE TABLE users (id serial PRIMARY KEY, name text, number int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE "Odd
Schema"."a ""b"" \ c" (id int, secret text);
CREATE VIEW names AS SELECT name FROM users;
CREATE MATERIALIZED VIEW totals AS SELECT 1 AS total;
CREATE SEQUENCE tickets;
CREATE TABLE parts (id int) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE FUNCTION answer(a int, VARIADIC b text[]) RETURNS int LANGUAGE sql AS 'SELECT 42';
CREATE PROCEDURE proceed(INOUT a int) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE number_of_rows(*) (sfunc = int8inc, stype = int8, initcond = '0');
CREATE AGGREGATE total_of(int) (sfunc = int4pl, stype = int4);
CREATE TYPE mood AS ENUM ('calm');
CREATE DOMAIN short AS text;
CREATE TYPE pair AS (a int, b int);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq);
CREATE OPERATOR FAMILY family USING btree;
CREATE OPERATOR CLASS class FOR TYPE int USING btree FAMILY family AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
CREATE COLLATION plain (provider = libc, locale = 'C');
CREATE CONVERSION from_latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION simplest (COPY = simple);
CREATE STATISTICS correlated ON id, name FROM users;
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper;
CREATE FOREIGN TABLE far_away (id int) SERVER elsewhere;
CREATE FUNCTION look_on() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE CAST') EXECUTE FUNCTION look_on();
CREATE PUBLICATION changes FOR TABLE users;
SELECT lo_create(4711), lo_create(4712);
"""

_ODD = '"odd ""role""\n \\ $hackorda$"'
_ACCESS = rf"""
CREATE ROLE app LOGIN PASSWORD 'a secret word' CONNECTION LIMIT 5 VALID UNTIL '2030-01-01 00:00:00+00';
CREATE ROLE {_ODD} NOINHERIT;
CREATE ROLE "Жұмыс 100%" LOGIN CREATEDB;
CREATE ROLE cloud_admin SUPERUSER;
CREATE ROLE neon_superuser;
GRANT {_ODD} TO app WITH ADMIN OPTION;
GRANT pg_read_all_data TO "Жұмыс 100%";
GRANT neon_superuser TO app;
ALTER ROLE app SET search_path TO "$user", public, 'Odd, one';
ALTER ROLE app SET statement_timeout = '15s';
ALTER ROLE app SET app.token = 'another secret word';
ALTER ROLE ALL SET gin_fuzzy_search_limit = 7;
ALTER DATABASE :database OWNER TO app;
ALTER DATABASE :database SET statement_timeout = '15s';
ALTER DATABASE :database SET search_path = '';
ALTER DATABASE :database SET application_name TO E'it''s 100%\\\nyes';
ALTER DATABASE :database SET app.jwt_secret = 'another secret word';
ALTER ROLE app IN DATABASE :database SET work_mem = '8MB';
REVOKE CONNECT ON DATABASE :database FROM PUBLIC;
GRANT CONNECT ON DATABASE :database TO "Жұмыс 100%";
GRANT ALL ON SCHEMA public TO app WITH GRANT OPTION;
ALTER SCHEMA "Odd
Schema" OWNER TO app;
GRANT USAGE ON SCHEMA "Odd
Schema" TO PUBLIC;
ALTER TABLE users OWNER TO app;
GRANT SELECT, INSERT ON users TO "Жұмыс 100%";
GRANT SELECT ON users TO {_ODD} WITH GRANT OPTION;
GRANT UPDATE (name) ON users TO PUBLIC;
REVOKE DELETE ON users FROM app;
GRANT ALL ON users TO neon_superuser;
ALTER TABLE "Odd
Schema"."a ""b"" \ c" OWNER TO {_ODD};
GRANT SELECT (id), UPDATE (id, secret) ON "Odd
Schema"."a ""b"" \ c" TO app;
ALTER VIEW names OWNER TO app;
ALTER MATERIALIZED VIEW totals OWNER TO app;
ALTER SEQUENCE tickets OWNER TO app;
GRANT USAGE ON SEQUENCE tickets TO PUBLIC;
ALTER TABLE parts OWNER TO app;
ALTER FUNCTION answer OWNER TO app;
REVOKE EXECUTE ON FUNCTION answer FROM PUBLIC;
ALTER PROCEDURE proceed OWNER TO app;
ALTER AGGREGATE number_of_rows(*) OWNER TO app;
ALTER AGGREGATE total_of(int) OWNER TO app;
GRANT EXECUTE ON FUNCTION total_of(int) TO app;
ALTER TYPE mood OWNER TO app;
ALTER DOMAIN short OWNER TO app;
REVOKE USAGE ON TYPE short FROM PUBLIC;
ALTER TYPE pair OWNER TO app;
ALTER TYPE span OWNER TO app;
ALTER OPERATOR === (int, int) OWNER TO app;
ALTER OPERATOR FAMILY family USING btree OWNER TO app;
ALTER OPERATOR CLASS class USING btree OWNER TO app;
ALTER COLLATION plain OWNER TO app;
ALTER CONVERSION from_latin OWNER TO app;
ALTER TEXT SEARCH DICTIONARY words OWNER TO app;
ALTER TEXT SEARCH CONFIGURATION simplest OWNER TO app;
ALTER STATISTICS correlated OWNER TO app;
ALTER SERVER elsewhere OWNER TO app;
GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO app;
GRANT USAGE ON FOREIGN SERVER elsewhere TO "Жұмыс 100%";
ALTER FOREIGN TABLE far_away OWNER TO app;
ALTER PUBLICATION changes OWNER TO app;
ALTER LARGE OBJECT 4711 OWNER TO app;
GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO app;
GRANT SELECT (rolname) ON pg_catalog.pg_authid TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT USAGE ON SEQUENCES TO "Жұмыс 100%";
ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA public GRANT SELECT ON TABLES TO "Жұмыс 100%";
ALTER DEFAULT PRIVILEGES FOR ROLE cloud_admin IN SCHEMA public GRANT ALL ON TABLES TO neon_superuser;
"""


def give_access(url: str) -> None:
    """Makes the roles, and gives them what is in a database that has `OBJECTS`."""
    with psycopg.connect(url, autocommit=True) as connection:
        database = sql.Identifier(connection.info.dbname).as_string(connection)
        connection.execute(_ACCESS.replace(":database", database).encode())


@contextmanager
def objects_on(server: PostgresServer, name: str) -> Iterator[str]:
    """A database with `OBJECTS`; yields the superuser's URL. The roles are dropped with it, as far as there are any."""
    url = create_database(server, name)
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(OBJECTS.encode())
        yield url
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute("ALTER ROLE ALL RESET ALL")
            drop_roles(connection, *ROLES)


def drop_roles(connection: psycopg.Connection[Any], *names: str) -> None:
    """Drops roles where they are there, with what they may do on the server itself."""
    there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
    for role in there & set(names):
        name = sql.Identifier(role)
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))
