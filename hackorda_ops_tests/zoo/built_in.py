"""What every new database has from its server, dropped, made anew, renamed or handed to somebody else."""

from hackorda_ops_tests.zoo.animals import Animal, Enclosure

RESET = Animal(
    "public made anew",
    "the schema public dropped with everything in it and made again, with an extension and a comment of its own",
    """
    DROP SCHEMA public CASCADE; CREATE SCHEMA public; COMMENT ON SCHEMA public IS 'it''s ours';
    CREATE TABLE public.t (id int PRIMARY KEY, n text); INSERT INTO public.t SELECT g, 'x' FROM generate_series(1, 5) g;
    CREATE TABLE public.measured (id int, at tstzrange); CREATE FUNCTION public.plain() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
    """,
)

OWN_PLPGSQL = Animal(
    "plpgsql made anew",
    "the extension plpgsql dropped and made again, with the team's own comment, and its language taken out of it",
    r"""
    DROP EXTENSION plpgsql CASCADE; CREATE EXTENSION plpgsql; COMMENT ON EXTENSION plpgsql IS 'ours, with a ''quote'' and a \';
    ALTER EXTENSION plpgsql DROP LANGUAGE plpgsql; COMMENT ON LANGUAGE plpgsql IS 'on its own';
    CREATE FUNCTION answer() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 42; END';
    """,
)

BUILT_IN_TYPES = Animal(
    "casts and collations over what is built in",
    "casts between the server's own types, collations copied from its own, an operator class that replaces the default one",
    """
    CREATE CAST (date AS bytea) WITH INOUT AS ASSIGNMENT; DROP CAST (date AS bytea); CREATE CAST (date AS bytea) WITH INOUT;
    CREATE FUNCTION seconds(interval) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT extract(epoch FROM $1)::float8';
    CREATE CAST (interval AS float8) WITH FUNCTION seconds(interval) AS IMPLICIT; COMMENT ON CAST (interval AS float8) IS 'in seconds';
    CREATE COLLATION posix FROM "POSIX"; DROP COLLATION posix; CREATE COLLATION posix FROM "C"; CREATE TABLE sorted (t text COLLATE posix);
    """,
)

OF_INFORMATION = Animal(
    "made in information_schema",
    "a view and a function in a schema that no dump looks into",
    """
    CREATE VIEW information_schema.ours AS SELECT 1 AS one; CREATE FUNCTION information_schema.mine() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE TABLE kept (id int); INSERT INTO kept VALUES (1);
    """,
)

HANDED_OVER = Animal(
    "public handed over",
    "the schema public owned by another role than the database's owner, without any comment, and with grants",
    """
    ALTER SCHEMA public OWNER TO pg_monitor; COMMENT ON SCHEMA public IS NULL; GRANT ALL ON SCHEMA public TO PUBLIC;
    CREATE TABLE public.t (id int PRIMARY KEY, n text); INSERT INTO public.t SELECT g, 'x' FROM generate_series(1, 5) g;
    """,
)

RENAMED = Animal(
    "public renamed",
    "the schema public under another name, and no schema public any more; nor plpgsql",
    """
    ALTER SCHEMA public RENAME TO app; DROP EXTENSION plpgsql; CREATE TABLE app.t (id int PRIMARY KEY); INSERT INTO app.t VALUES (1);
    COMMENT ON SCHEMA app IS 'was public';
    """,
)

# What a session may have of its own while a night is taken: no dump holds any of it.
TEMPORARY = """
CREATE TABLE inherited (a int); CREATE TEMP TABLE heir () INHERITS (inherited); INSERT INTO inherited VALUES (1); INSERT INTO heir VALUES (2);
CREATE TEMP TABLE kept (id int PRIMARY KEY, c int CHECK (c > 0), s serial, u int UNIQUE DEFERRABLE); CREATE TEMP TABLE child (x int REFERENCES kept);
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE pg_temp.p() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE pg_temp.a(int) (SFUNC = int4pl, STYPE = int); CREATE OPERATOR pg_temp.### (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
CREATE TRIGGER watching BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE kept ENABLE ROW LEVEL SECURITY; CREATE POLICY all_of_it ON kept TO pg_monitor USING (true);
CREATE RULE never AS ON DELETE TO kept DO INSTEAD NOTHING; CREATE TEMP VIEW seen AS SELECT 1 AS a; CREATE RULE seen_never AS ON INSERT TO seen DO INSTEAD NOTHING;
CREATE TYPE pg_temp.e AS ENUM ('x'); CREATE DOMAIN pg_temp.d AS int CONSTRAINT positive CHECK (VALUE > 0); CREATE TYPE pg_temp.c AS (a int); CREATE TYPE pg_temp.r AS RANGE (SUBTYPE = int);
CREATE STATISTICS pg_temp.s ON id, c FROM kept; CREATE COLLATION pg_temp.cc FROM "C"; CREATE TEMP SEQUENCE numbers; CREATE INDEX ON kept (c);
CREATE TEMP TABLE parted (a int) PARTITION BY RANGE (a); CREATE TEMP TABLE part PARTITION OF parted DEFAULT; CREATE TEMP TABLE computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TEXT SEARCH CONFIGURATION pg_temp.words (COPY = simple); CREATE TEXT SEARCH DICTIONARY pg_temp.dictionary (TEMPLATE = simple);
CREATE CONVERSION pg_temp.cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; CREATE OPERATOR FAMILY pg_temp.family USING btree;
"""

ENCLOSURES = (
    Enclosure("made anew", (RESET, OWN_PLPGSQL, BUILT_IN_TYPES, OF_INFORMATION), temporary=TEMPORARY),
    Enclosure("handed over", (HANDED_OVER,)),
    Enclosure("renamed", (RENAMED,)),
)
