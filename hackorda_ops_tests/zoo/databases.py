"""Databases that are odd as a whole: their encoding, their locale, their name, their settings."""

from hackorda_ops_tests.zoo.animals import Animal, Enclosure

CYRILLIC = Animal(
    "Cyrillic in one byte",
    "a database in WIN1251, with Cyrillic names and texts",
    """
    CREATE TYPE "цвет" AS ENUM ('красный', 'синий'); CREATE SEQUENCE "счёт" START 7; CREATE DOMAIN "имя" AS varchar(5) CHECK (VALUE <> 'нет');
    CREATE TABLE "таблица" ("цвет" "цвет", "имя" "имя" DEFAULT 'имя' PRIMARY KEY, id serial); INSERT INTO "таблица" VALUES ('синий', 'ёжик'), ('красный', 'пять');
    CREATE VIEW "вид" AS SELECT * FROM "таблица" WHERE "имя" LIKE 'ё%'; CREATE FUNCTION "делай"() RETURNS text LANGUAGE sql AS $$ SELECT 'сделано'::text $$;
    COMMENT ON TABLE "таблица" IS 'примечание';
    """,
)

LATIN = Animal(
    "Latin in one byte",
    "a database in LATIN1, with every character that it has",
    """
    CREATE TABLE "Größen" ("Ä" text, c "char", j json); INSERT INTO "Größen" SELECT chr(n), NULL, to_json(chr(n)) FROM generate_series(160, 255) n;
    CREATE INDEX "é" ON "Größen" (lower("Ä")); COMMENT ON COLUMN "Größen"."Ä" IS 'ÿ';
    """,
)

NO_ENCODING = Animal(
    "bytes without an encoding",
    "a database in SQL_ASCII whose texts are UTF-8 in one row, Latin-1 in the next, and nothing at all in a third",
    r"""
    CREATE TABLE mixed (id int PRIMARY KEY, t text); INSERT INTO mixed VALUES (1, 'plain'), (2, E'\xc3\xa9'), (3, E'\xe9'), (4, E'\xff\xfe\x80'), (5, E'\xc3\x28 \n');
    CREATE TABLE states (s varchar(9) CHECK (s IN ('a', 'b')), d text DEFAULT E'\xe9'); INSERT INTO states VALUES ('a'); COMMENT ON TABLE states IS E'caf\xe9';
    CREATE FUNCTION latin() RETURNS text LANGUAGE sql AS E'SELECT ''\xe9''::text'; CREATE MATERIALIZED VIEW held AS SELECT t FROM mixed; CREATE SEQUENCE s START 3;
    CREATE SEQUENCE "é" START 5; CREATE TABLE "ü" ("ö" serial, e text DEFAULT 'ä'); INSERT INTO "ü" DEFAULT VALUES; CREATE TYPE "ÿ" AS ENUM ('ß');
    """,
)

OWN_SETTINGS = Animal(
    "settings of the database",
    "ALTER DATABASE SET of everything that changes how values are written or what an empty search path would do",
    """
    DO $$ DECLARE setting text; BEGIN FOREACH setting IN ARRAY ARRAY['TimeZone = ''Asia/Kathmandu''', 'DateStyle = ''SQL, DMY''', 'IntervalStyle = ''sql_standard''',
        'bytea_output = ''escape''', 'extra_float_digits = ''-3''', 'search_path = ''"settings of the database", public''', 'standard_conforming_strings = off',
        'quote_all_identifiers = on', 'statement_timeout = ''5s''', 'lock_timeout = ''1s''', 'default_transaction_isolation = ''serializable''', 'xmlbinary = hex',
        'default_table_access_method = heap', 'row_security = off', 'escape_string_warning = off', 'array_nulls = on', 'check_function_bodies = on',
        'app.secret = ''s3cr3t''', 'default_text_search_config = ''pg_catalog.german''', 'client_encoding = ''LATIN1''', 'lc_monetary = ''C''']
        LOOP EXECUTE format('ALTER DATABASE %I SET %s', current_database(), setting); END LOOP; END $$;
    CREATE TABLE written (at timestamptz, day date, span interval, bytes bytea, f float8, words text, v tsvector GENERATED ALWAYS AS (to_tsvector('english', words)) STORED);
    INSERT INTO written (at, day, span, bytes, f, words) VALUES ('2024-07-01 12:00+00', '2024-02-01', '1 mon -2 days', '\\x00ff', 0.1 + 0.2::float8, 'Häuser \\ and cats'), (now(), now(), '1 h', '\\x5c', pi(), E'a\\\\b');
    CREATE TABLE defaults (a text DEFAULT E'back\\\\slash', b timestamptz DEFAULT '2024-07-01 12:00+00', c interval DEFAULT '1 mon -2 days', d date DEFAULT '2024-02-01'); INSERT INTO defaults DEFAULT VALUES;
    CREATE VIEW seen AS SELECT * FROM written WHERE at > '2024-01-01 00:00+00' AND words <> E'x\\\\y'; CREATE MATERIALIZED VIEW held AS SELECT count(*) FROM written;
    """,
)

ALMOST_EMPTY = Animal("almost nothing", "a database with one table and no row", "CREATE TABLE none (n int);")

OWN_LOCALE = Animal(
    "order of its own",
    "a database whose default collation is its own, with indexes, checks and partitions that follow it",
    """
    CREATE TABLE words (w text PRIMARY KEY, CHECK (lower(w) = w)); INSERT INTO words VALUES ('a'), ('ä'), ('b'), ('o'), ('ö'), ('z'), ('ß');
    CREATE TABLE parts (w text) PARTITION BY RANGE (w); CREATE TABLE low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('m'); CREATE TABLE high PARTITION OF parts DEFAULT;
    INSERT INTO parts SELECT w FROM words; CREATE INDEX ON words (upper(w));
    """,
)

TABLESPACE = Animal(
    "tablespaces",
    "tables, indexes and partitions in a tablespace that no other server has",
    """
    CREATE TABLE there (id int PRIMARY KEY USING INDEX TABLESPACE elsewhere, t text) TABLESPACE elsewhere; INSERT INTO there VALUES (1, 'x');
    CREATE INDEX ON there (t) TABLESPACE elsewhere; CREATE MATERIALIZED VIEW held TABLESPACE elsewhere AS SELECT count(*) FROM there;
    CREATE TABLE parts (id int) PARTITION BY RANGE (id) TABLESPACE elsewhere; CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9); INSERT INTO parts VALUES (1);
    """,
)

ENCLOSURES = (
    Enclosure("Cyrillic", (CYRILLIC,), "ENCODING 'WIN1251' LOCALE 'C' LOCALE_PROVIDER libc"),
    Enclosure("Latin", (LATIN,), "ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc"),
    Enclosure("no encoding", (NO_ENCODING,), "ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc"),
    Enclosure('with space, "quotes" & ünïcode', (OWN_SETTINGS, TABLESPACE)),
    Enclosure("almost empty", (ALMOST_EMPTY,)),
    Enclosure("of ICU", (OWN_LOCALE,), "LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE'", majors=(15,)),
    Enclosure("of libc", (OWN_LOCALE,), "LOCALE_PROVIDER libc LOCALE 'C.UTF-8'", majors=(17, 18)),
    Enclosure(
        "builtin", (OWN_LOCALE,), "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST'", majors=(18,)
    ),
)
