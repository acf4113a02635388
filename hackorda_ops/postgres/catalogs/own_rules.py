"""Whether a database's rows satisfy its own rules: foreign keys, checks and stored generated columns.

The server checks a rule when a row is written, and never again: rows that were loaded while triggers were off, or
before a function was changed, may violate it. A restore checks them all again.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA

# The tables whose rows a dump holds, and who owns them. A check and a generated column are expressions that a table's
# owner chose: on the source they are evaluated only if that is our own role or a superuser, and so are the
# functions, because they would run with our rights.
_DUMPED: Final = f"""
WITH trusted AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper OR rolname = current_user),
dumped AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpages, c.relowner IN (SELECT oid FROM trusted) AS trusted
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
       AND {OWN_SCHEMA}
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                          AND d.objid = c.oid AND d.deptype = 'e')
), foreign_code AS (
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
     WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass AND p.proowner NOT IN (SELECT oid FROM trusted)
    UNION ALL
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid
     WHERE d.refclassid = 'pg_catalog.pg_operator'::regclass AND o.oprowner NOT IN (SELECT oid FROM trusted)
)
"""
# Values are compared as text: a type need not have an operator for it. The cast is the one of an assignment.
_GENERATED: Final = rf"""{_DUMPED}
SELECT t.nspname, t.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       pg_catalog.pg_get_expr(e.adbin, e.adrelid),
       t.trusted AND NOT EXISTS (SELECT FROM foreign_code f WHERE f.objid IN (e.oid, t.oid)), t.relpages
  FROM dumped t
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attgenerated = 's' AND NOT a.attisdropped
  JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
 WHERE t.relkind = 'r'
 ORDER BY 1, 2, 3
"""
# Only something that can change later can break a check: a function or an operator that isn't the server's.
_CHECKS: Final = rf"""{_DUMPED}
SELECT t.nspname, t.relname, k.conname, pg_catalog.pg_get_expr(k.conbin, k.conrelid),
       t.trusted AND NOT EXISTS (SELECT FROM foreign_code f WHERE f.objid = k.oid), t.relpages
  FROM dumped t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid
 WHERE k.contype = 'c' AND k.convalidated AND t.relkind = 'r'
   AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
   AND EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = k.oid
                  AND d.refclassid IN ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_operator'::regclass))
 ORDER BY 1, 2, 3
"""
# With the operators that the server itself uses, if they are its own or an extension's.
_FOREIGN_KEYS: Final = rf"""{_DUMPED}
SELECT t.nspname, t.relname, k.conname, t.relkind = 'p', p.nspname, p.relname, p.relkind = 'p', k.confmatchtype::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY n (number, place)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number ORDER BY n.place),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY n (number, place)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number ORDER BY n.place),
       ARRAY(SELECT pg_catalog.format('OPERATOR(%I.%s)', s.nspname, o.oprname)
               FROM unnest(k.conpfeqop) WITH ORDINALITY n (number, place)
               JOIN pg_catalog.pg_operator o ON o.oid = n.number
               JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace ORDER BY n.place),
       NOT coalesce((to_jsonb(k) ->> 'conperiod')::bool, false)
       AND NOT EXISTS (SELECT FROM unnest(k.conpfeqop) n (number)
                        WHERE n.number >= 16384
                          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                                           WHERE d.classid = 'pg_catalog.pg_operator'::regclass
                                             AND d.objid = n.number AND d.deptype = 'e')),
       t.relpages + p.relpages
  FROM dumped t
  JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid
  JOIN dumped p ON p.oid = k.confrelid
 WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0
   AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
 ORDER BY 1, 2, 3
"""
_LOCK_TIMEOUT_MS: Final = 1000
# A session that wants to alter a table waits behind one of these, and sessions that want to read it wait behind that.
_LONGEST_ON_SOURCE_MS: Final = 4000


@dataclass(frozen=True)
class Rule:
    """One rule, and how to check whether all rows satisfy it.

    Attributes:
        subject: "foreign key posts_author_fkey on public.posts", "generated column public.people.g".
        query: returns one row of one value: whether any row violates it.
        code: computes a figure that is the same each time, if the expression is really immutable;
            None if that needn't be checked.
        trusted: whether it runs nobody else's code.
        pages: of the tables that it reads, by the planner's last estimate.
    """

    subject: str
    query: sql.Composed
    code: sql.Composed | None
    trusted: bool
    pages: int


@dataclass(frozen=True)
class Kept:
    """The result of checking the rules, by their subjects.

    Attributes:
        kept: every row satisfies these.
        broken: some row violates these.
        unchecked: time ran out, a table was locked, or somebody else's code would have run.
    """

    kept: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def generated_columns(connection: psycopg.Connection[Any]) -> Iterator[Rule]:
    """The stored generated columns of ordinary tables and partitions.

    Raises:
        psycopg.Error: the caller translates.
    """
    for schema, table, column, kind, expression, trusted, pages in connection.execute(_GENERATED.encode()):
        computed = sql.SQL('(CAST(({}) AS {})::text COLLATE pg_catalog."C")').format(
            sql.SQL(expression), sql.SQL(kind)
        )
        name = sql.Identifier(schema, table)
        yield Rule(
            f"generated column {schema}.{table}.{column}",
            sql.SQL(
                'SELECT EXISTS (SELECT FROM ONLY {} WHERE ({}::text COLLATE pg_catalog."C") IS DISTINCT FROM {})'
            ).format(name, sql.Identifier(column), computed),
            sql.SQL("SELECT sum(pg_catalog.hashtextextended({}, 0)) FROM ONLY {}").format(computed, name),
            trusted,
            pages,
        )


def constraints(connection: psycopg.Connection[Any]) -> Iterator[Rule]:
    """The foreign keys that are enforced, and the checks over functions that can be changed.

    Raises:
        psycopg.Error: the caller translates.
    """
    for schema, table, name, expression, trusted, pages in connection.execute(_CHECKS.encode()):
        query = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {} WHERE NOT ({}))").format(
            sql.Identifier(schema, table), sql.SQL(expression)
        )
        yield Rule(f"check {name} on {schema}.{table}", query, None, trusted, pages)
    for row in connection.execute(_FOREIGN_KEYS.encode()):
        (
            schema,
            table,
            name,
            parted,
            to_schema,
            to_table,
            to_parted,
            match,
            columns,
            keys,
            operators,
            *rest,
        ) = row
        trusted, pages = rest
        referring = [sql.SQL("c.{}").format(sql.Identifier(column)) for column in columns]
        equal = [
            sql.SQL("p.{} {} {}").format(sql.Identifier(key), sql.SQL(operator), value)
            for key, operator, value in zip(keys, operators, referring, strict=True)
        ]
        # With a key that must match in full, a row has either all columns NULL or none.
        nulls = sql.SQL(" OR " if match == "f" else " AND ").join(
            sql.SQL("{} IS NOT NULL").format(value) for value in referring
        )
        query = sql.SQL(
            "SELECT EXISTS (SELECT FROM {} {} c WHERE ({}) AND NOT EXISTS (SELECT FROM {} {} p WHERE {}))"
        ).format(
            sql.SQL("" if parted else "ONLY"),
            sql.Identifier(schema, table),
            nulls,
            sql.SQL("" if to_parted else "ONLY"),
            sql.Identifier(to_schema, to_table),
            sql.SQL(" AND ").join(equal),
        )
        yield Rule(f"foreign key {name} on {schema}.{table}", query, None, trusted, pages)


def look(connection: psycopg.Connection[Any], rules: Iterable[Rule], *, limit_seconds: float | None) -> Kept:
    """Checks whether the rows satisfy rules, the smallest tables first. Nothing stays locked, and it never waits.

    Args:
        connection: in a transaction or not, with the comparable settings of `session.connect`.
        rules: those that are not trusted are left unchecked if there is a limit, that is, on a source.
        limit_seconds: for all of them together, with a few at most for each; None for a restored copy,
            which is ours.

    Raises:
        psycopg.Error: the connection broke, or the statement was cancelled.
    """
    deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
    found: dict[bool | None, list[str]] = {False: [], True: [], None: []}
    for rule in sorted(rules, key=lambda each: (each.pages, each.subject)):
        left_ms = 0 if deadline is None else round((deadline - time.monotonic()) * 1000)
        breaks = None
        if deadline is None or (left_ms > 0 and rule.trusted):
            breaks = _breaks(connection, rule.query, min(left_ms, _LONGEST_ON_SOURCE_MS))
        found[breaks].append(rule.subject)
    return Kept(*(tuple(sorted(each)) for each in found.values()))


def same_each_time(connection: psycopg.Connection[Any], rules: Sequence[Rule]) -> tuple[str, ...]:
    """The subjects of those whose expression gives the same result when it's computed twice, at different times.

    Raises:
        psycopg.Error: the connection broke.
    """
    first, second = ([_value(connection, rule.code, 0) for rule in rules if rule.code] for _ in range(2))
    subjects = [rule.subject for rule in rules if rule.code]
    return tuple(
        subject
        for subject, one, other in zip(subjects, first, second, strict=True)
        if one is not None and one == other
    )


def _breaks(connection: psycopg.Connection[Any], query: sql.Composed, timeout_ms: int) -> bool | None:
    found = _value(connection, query, timeout_ms)
    return None if found is None else bool(found[0])


def _value(
    connection: psycopg.Connection[Any], query: sql.Composed, timeout_ms: int
) -> tuple[Any, ...] | None:
    """The one row of a query; None if the server couldn't answer in time, or at all."""
    began = time.monotonic()
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(
                f"SET LOCAL statement_timeout = {timeout_ms}; SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS};"
                " SET LOCAL max_parallel_workers_per_gather = 0".encode()
            )
            [row] = connection.execute(query).fetchall()
    except psycopg.errors.QueryCanceled:
        if timeout_ms and (time.monotonic() - began) * 1000 >= timeout_ms * 0.9:
            return None
        raise  # a caller's own cancel, which ends the night
    except psycopg.Error:
        # An error in an expression (a division by zero, a function that finds no table) proves nothing here.
        if connection.broken:
            raise
        return None
    found: tuple[Any, ...] = row
    return found
