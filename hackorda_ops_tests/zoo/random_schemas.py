"""Schemas and rows that nobody thought of: a strategy that draws the SQL of a small database."""

from hypothesis import strategies as st
from psycopg import sql

# Anything that a name or a text can hold: no NUL, and no half of a character that UTF-8 can't write.
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_TEXTS = st.text(_CHARACTERS, max_size=20)
# 63 bytes is what a server keeps of a name; four of them may be one character.
_NAMES = st.text(_CHARACTERS, min_size=1, max_size=12)

_TYPES: dict[str, st.SearchStrategy[object]] = {
    "text": _TEXTS,
    "varchar(20)": _TEXTS,
    "char(20)": _TEXTS,
    "text[]": st.lists(st.none() | _TEXTS, max_size=3),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    # Not every NaN that Python knows is one that psycopg can write.
    "numeric": st.decimals(allow_nan=False),
    "double precision": st.floats(),
    "boolean": st.booleans(),
    "bytea": st.binary(max_size=20),
    "date": st.dates(),
    "timestamp": st.datetimes(),
    "interval": st.timedeltas(),
    "uuid": st.uuids(),
    "integer[]": st.lists(st.none() | st.integers(-9, 9), max_size=3),
}


@st.composite
def databases(draw: st.DrawFn) -> str:
    """The SQL of two to five tables with columns of any type and name, rows, and what hangs on them."""
    names = draw(st.lists(_NAMES, min_size=2, max_size=5, unique=True))
    return "\n".join(draw(_tables(name)) for name in names)


@st.composite
def _tables(draw: st.DrawFn, name: str) -> str:
    columns = draw(st.lists(_NAMES, max_size=6, unique=True))
    types = [draw(st.sampled_from(sorted(_TYPES))) for _ in columns]
    rows = draw(
        st.lists(st.tuples(*(st.none() | _TYPES[kind] for kind in types)), max_size=6)
        if columns
        else st.just([])
    )
    table = sql.Identifier(name)
    statements = [
        sql.SQL("CREATE {kind} TABLE {table} ({columns});").format(
            kind=sql.SQL(draw(st.sampled_from(["", "UNLOGGED"]))),
            table=table,
            columns=sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))
                for column, kind in zip(columns, types, strict=True)
            ),
        )
    ]
    statements += [
        sql.SQL("INSERT INTO {} VALUES ({});").format(
            table,
            sql.SQL(", ").join(
                # A cast binds more tightly than the sign of the least integer.
                sql.SQL("({})::{}").format(sql.Literal(value), sql.SQL(kind))
                for value, kind in zip(row, types, strict=True)
            ),
        )
        for row in rows
    ]
    for column in columns:
        field = sql.Identifier(column)
        match draw(st.sampled_from(["nothing", "index", "comment", "view", "drop", "default"])):
            case "index":
                statements.append(sql.SQL("CREATE INDEX ON {} ({});").format(table, field))
            case "comment":
                comment = sql.Literal(draw(_TEXTS))
                statements.append(sql.SQL("COMMENT ON COLUMN {}.{} IS {};").format(table, field, comment))
            case "view":
                view = sql.Identifier(f"V {len(statements)} {name}")
                statements.append(
                    sql.SQL("CREATE MATERIALIZED VIEW {} AS SELECT {} FROM {};").format(view, field, table)
                )
            case "default":
                statements.append(sql.SQL("ALTER TABLE {} ALTER {} SET DEFAULT NULL;").format(table, field))
            case "drop":
                statements.append(sql.SQL("ALTER TABLE {} DROP COLUMN {} CASCADE;").format(table, field))
    return sql.SQL("\n").join(statements).as_string(None)
