"""What a compromised source can put into a dump: code that a restore and a comparison run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

# Each is run by a function of an ordinary role, as whoever restores. {canary} is a file that must not come to be,
# {url} the administrator's login without its password.
ATTACKS: Final[Mapping[str, str]] = {
    "a program": "COPY (SELECT 1) TO PROGRAM 'touch {canary}'",
    "reading from a program": "CREATE TEMP TABLE said (t text); COPY said FROM PROGRAM 'touch {canary}; echo 1'",
    "a file": "COPY (SELECT 1) TO '{canary}'",
    "reading a file": "PERFORM pg_catalog.pg_read_file('PG_VERSION'); PERFORM pg_catalog.set_config('hostile.read', 'yes', false)",
    "a large object": "PERFORM pg_catalog.lo_export(pg_catalog.lo_from_bytea(0, 'x'), '{canary}')",
    "a setting": "PERFORM pg_catalog.pg_reload_conf(); ALTER SYSTEM SET work_mem = '5MB'",
    "a superuser": "CREATE ROLE hostile SUPERUSER LOGIN",
    "a role": "CREATE ROLE hostile",
    "its own rights": "EXECUTE 'ALTER ROLE ' || quote_ident(session_user) || ' SUPERUSER'",
    "a membership": "EXECUTE 'GRANT pg_execute_server_program TO ' || quote_ident(session_user)",
    "back to the administrator": "RESET ROLE; SET SESSION AUTHORIZATION postgres; CREATE ROLE hostile SUPERUSER",
    "the administrator's role": "SET ROLE postgres; CREATE ROLE hostile SUPERUSER",
    "another session": "RESET SESSION AUTHORIZATION; CREATE ROLE hostile SUPERUSER",
    "a database": "PERFORM 1; CREATE DATABASE hostile",
    "a trigger on everything": "CREATE FUNCTION public.fires() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
    "CREATE EVENT TRIGGER hostile ON ddl_command_end EXECUTE FUNCTION public.fires()",
    "a library": "CREATE FUNCTION public.libc(int) RETURNS int AS 'libc.so.6', 'exit' LANGUAGE c",
    "a catalog": "UPDATE pg_catalog.pg_authid SET rolsuper = true",
    "another's database": "COMMENT ON DATABASE postgres IS 'hostile'",
    "other sessions": "PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = 'postgres'",
    "a preloaded library": "EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET session_preload_libraries = ''hostile'''",
    "replication": "PERFORM pg_catalog.pg_create_physical_replication_slot('hostile')",
    "a connection back": "CREATE EXTENSION dblink SCHEMA public; PERFORM public.dblink_exec('{url}', 'CREATE ROLE hostile SUPERUSER')",
}

# Where a restore, or a comparison, calls {function}.
PLACES: Final[Mapping[str, str]] = {
    "an index": "CREATE INDEX ON seeds (public.{function}(n))",
    "a check": "ALTER TABLE seeds ADD CHECK (public.{function}(n) IS NOT NULL)",
    "a generated column": "ALTER TABLE seeds ADD g int GENERATED ALWAYS AS (public.{function}(n)) STORED",
    "a materialized view": "CREATE MATERIALIZED VIEW grown AS SELECT public.{function}(n) FROM seeds",
    "a domain": "CREATE DOMAIN checked AS int CHECK (public.{function}(VALUE) IS NOT NULL); "
    "CREATE TABLE fields (d checked); INSERT INTO fields VALUES (1)",
    "a partition": "CREATE TABLE parts (n int) PARTITION BY LIST (public.{function}(n)); "
    "CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts VALUES (1)",
}


def swallowing(attacks: Mapping[str, str], canary: Path, url: str) -> str:
    """A function that tries each attack, and hides that it was refused."""
    blocks = "\n".join(
        f"BEGIN {_body(body, canary / name.replace(' ', '-'), url)}; EXCEPTION WHEN OTHERS THEN NULL; END;"
        for name, body in attacks.items()
    )
    return _function("quiet", blocks)


def loud(attack: str, canary: Path, url: str) -> str:
    """A function that tries one attack, and lets its refusal be seen."""
    return _function("loud", _body(ATTACKS[attack], canary / "loud", url) + ";")


def _body(body: str, canary: Path, url: str) -> str:
    return body.format(canary=canary, url=url)


def _function(name: str, blocks: str) -> str:
    # Harmless where it was written: it acts only where a drill restores. What an index calls has to be immutable and may
    # then only read: whatever that calls need not be.
    return f"""
    CREATE FUNCTION public.{name}_acts() RETURNS void LANGUAGE plpgsql AS $hostile$
    BEGIN
      {blocks}
    END $hostile$;
    CREATE FUNCTION public.{name}(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $hostile$
    BEGIN
      IF current_database() LIKE 'hackorda%' THEN
        PERFORM public.{name}_acts();
      END IF;
      RETURN n;
    END $hostile$"""
