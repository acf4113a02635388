"""Names that have to be quoted, everywhere a name can stand."""

from psycopg import sql

from hackorda_ops_tests.zoo.animals import Animal

ODD_NAMES = (
    "UPPER and lower",
    'He said "hi"',
    "it's; DROP TABLE x; --",
    "line\nbreak",
    "carriage\r\nreturn\ttab",
    "dots.in.it",
    ".",
    " blanks around ",
    " ",
    "select",
    "1 at first",
    "back\\slash \\. \\N",
    "percent %s %I $1 $$ {0}",
    "-- Name: users; Type: TABLE; Schema: public; Owner: -",
    "ünïcödé Ω 数据库 😀",
    "e\u0301 is not \u00e9",
    "(brackets) [square], comma",
    "x" * 63,
    "ä" * 31 + "z",
    "/slashes/../and*stars?",
    "public",
    "pgnot_reserved",
)


def _odd() -> str:
    statements = []
    for number, odd in enumerate(ODD_NAMES):
        name = sql.Identifier(odd)
        statements.append(
            sql.SQL(
                """
                CREATE SCHEMA {schema};
                CREATE TYPE {schema}.{name} AS ENUM ({value});
                CREATE SEQUENCE {schema}.{sequence} START {number};
                CREATE FUNCTION {schema}.{name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                CREATE TABLE {schema}.{table} ({name} {schema}.{name} DEFAULT {value}, id serial,
                    CONSTRAINT {constraint} CHECK (id > 0), CONSTRAINT {key} PRIMARY KEY (id));
                CREATE INDEX {index} ON {schema}.{table} ({name});
                CREATE TRIGGER {name} BEFORE INSERT ON {schema}.{table} FOR EACH ROW EXECUTE FUNCTION {schema}.{name}();
                CREATE VIEW {schema}.{view} AS SELECT {name} AS {constraint} FROM {schema}.{table} AS {name};
                CREATE MATERIALIZED VIEW {schema}.{matview} AS SELECT * FROM {schema}.{view};
                CREATE POLICY {name} ON {schema}.{table} USING (true);
                COMMENT ON TABLE {schema}.{table} IS {value};
                COMMENT ON COLUMN {schema}.{table}.{name} IS {value};
                INSERT INTO {schema}.{table} SELECT FROM generate_series(1, {number});
                """
            ).format(
                schema=sql.Identifier(_cut(f"{number} {odd}") if odd == "public" else odd),
                name=name,
                value=sql.Literal(odd),
                number=sql.Literal(number + 1),
                **{
                    kind: sql.Identifier(_cut(f"{letter}{odd}"))
                    for letter, kind in zip(
                        "SPKTIVM",
                        ("sequence", "constraint", "key", "table", "index", "view", "matview"),
                        strict=True,
                    )
                },
            )
        )
    return sql.SQL("").join(statements).as_string(None)


def _cut(name: str) -> str:
    """As the server cuts a name: at 63 bytes, between two characters."""
    return name.encode()[:63].decode(errors="ignore")


ODD = Animal(
    "odd names",
    "quotes, line ends, dots, blanks, Unicode, upper case, 63 bytes, SQL and pg_dump's own headings as names of schemas, "
    "tables, columns, types, sequences, indexes, constraints, functions, triggers, policies and views",
    _odd(),
)

ALIKE = Animal(
    "names alike",
    "names that differ in case, in a dot's place or in Unicode's normal form only",
    """
    CREATE TABLE "alike" AS SELECT 1 AS n; CREATE TABLE "Alike" AS SELECT 2 AS n; CREATE TABLE "ALIKE" AS SELECT 3 AS n;
    CREATE TABLE "a b" AS SELECT 4 AS n; CREATE TABLE "a\nb" AS SELECT 5 AS n; CREATE TABLE "a  b" AS SELECT 6 AS n;
    CREATE TABLE "é" AS SELECT 7 AS n; CREATE TABLE "e\u0301" AS SELECT 8 AS n;
    CREATE SCHEMA "left"; CREATE SCHEMA "left.right";
    CREATE TABLE "left"."right.end" AS SELECT 9 AS n; CREATE TABLE "left.right"."end" AS SELECT 10 AS n;
    CREATE SEQUENCE "left"."right.end s" START 3; CREATE SEQUENCE "left.right"."end s" START 4;
    """,
)

ANIMALS = (ODD, ALIKE)
