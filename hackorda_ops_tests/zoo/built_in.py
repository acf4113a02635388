"""Oddities of the catalogs: what a server brings made anew or handed over, what is switched off, stored otherwise."""

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

SWITCHED = Animal(
    "switched off",
    "foreign keys whose triggers are off on either side or on one partition only, triggers and rules of every state",
    """
    CREATE TABLE people (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES people); CREATE TABLE other (parent int REFERENCES people);
    INSERT INTO people SELECT generate_series(1, 10); INSERT INTO child SELECT g, g FROM generate_series(1, 10) g;
    ALTER TABLE people DISABLE TRIGGER ALL; ALTER TABLE other DISABLE TRIGGER ALL; ALTER TABLE other ENABLE TRIGGER USER;
    CREATE TABLE later (id int UNIQUE DEFERRABLE, EXCLUDE USING btree (id WITH =) DEFERRABLE); ALTER TABLE later DISABLE TRIGGER ALL;
    CREATE TABLE parts (id int REFERENCES people, kind int) PARTITION BY LIST (kind); CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
    CREATE TABLE part_2 PARTITION OF parts FOR VALUES IN (2); INSERT INTO parts VALUES (1, 1), (2, 2); ALTER TABLE part_2 DISABLE TRIGGER ALL;
    CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER always BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION nothing(); ALTER TABLE child ENABLE ALWAYS TRIGGER always;
    CREATE TRIGGER "for replicas" BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION nothing(); ALTER TABLE child ENABLE REPLICA TRIGGER "for replicas";
    CREATE TRIGGER off BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION nothing(); ALTER TABLE child DISABLE TRIGGER off;
    CREATE RULE quiet AS ON DELETE TO later DO INSTEAD NOTHING; ALTER TABLE later DISABLE RULE quiet;
    CREATE RULE loud AS ON DELETE TO other DO ALSO NOTIFY gone; ALTER TABLE other ENABLE ALWAYS RULE loud;
    """,
)

STORED_OTHERWISE = Animal(
    "access methods",
    "tables, partitions and materialized views that are stored by an access method of the team's own, or not, against the default",
    """
    CREATE ACCESS METHOD columnar_like TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE facts (a int, b text) USING columnar_like;
    INSERT INTO facts SELECT n, repeat('x', n) FROM generate_series(1, 10) n; CREATE MATERIALIZED VIEW sums USING columnar_like AS SELECT sum(a) AS s FROM facts;
    CREATE MATERIALIZED VIEW empty USING columnar_like AS SELECT a FROM facts WITH NO DATA; CREATE UNLOGGED TABLE passing (a int) USING columnar_like;
    CREATE TABLE parts (a int) PARTITION BY RANGE (a); CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10) USING columnar_like;
    CREATE TABLE high PARTITION OF parts FOR VALUES FROM (10) TO (20); INSERT INTO parts SELECT generate_series(1, 19);
    SET default_table_access_method = columnar_like; CREATE TABLE by_default (a int); CREATE TABLE heap_after_all (a int) USING heap; RESET default_table_access_method;
    """,
)

HASHED = Animal(
    "hashed by an enum",
    "hash partitions whose leaves have their columns in another order, some that were dropped, and values full of tabs",
    r"""
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'tired', 'angry', 'calm');
    CREATE TABLE moods (id int, note text, feels mood NOT NULL) PARTITION BY HASH (feels);
    CREATE TABLE moods_0 (feels mood NOT NULL, gone int, note text, id int); ALTER TABLE moods_0 DROP COLUMN gone;
    ALTER TABLE moods ATTACH PARTITION moods_0 FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE moods_2 (note text, id int, feels mood NOT NULL); ALTER TABLE moods ATTACH PARTITION moods_2 FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    INSERT INTO moods SELECT n, CASE WHEN n % 7 <> 0 THEN E'a	b\n
' || n END, (enum_range(NULL::mood))[1 + n % 6] FROM generate_series(1, 300) n;
    CREATE TABLE deep (kind int, feels mood) PARTITION BY LIST (kind); CREATE TABLE deep_1 (feels mood, kind int) PARTITION BY HASH (feels);
    ALTER TABLE deep ATTACH PARTITION deep_1 FOR VALUES IN (1); CREATE TABLE deep_1_0 (kind int, feels mood);
    ALTER TABLE deep_1 ATTACH PARTITION deep_1_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE deep_1_1 PARTITION OF deep_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO deep SELECT 1, (enum_range(NULL::mood))[1 + n % 6] FROM generate_series(1, 60) n;
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
CREATE TYPE pg_temp.e AS ENUM ('x'); CREATE CAST (pg_temp.e AS text) WITH INOUT; CREATE DOMAIN pg_temp.d AS int CONSTRAINT positive CHECK (VALUE > 0); CREATE TYPE pg_temp.c AS (a int); CREATE TYPE pg_temp.r AS RANGE (SUBTYPE = int);
CREATE STATISTICS pg_temp.s ON id, c FROM kept; CREATE COLLATION pg_temp.cc FROM "C"; CREATE TEMP SEQUENCE numbers; CREATE INDEX ON kept (c);
CREATE TEMP TABLE parted (a int) PARTITION BY RANGE (a); CREATE TEMP TABLE part PARTITION OF parted DEFAULT; CREATE TEMP TABLE computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TEXT SEARCH CONFIGURATION pg_temp.words (COPY = simple); CREATE TEXT SEARCH DICTIONARY pg_temp.dictionary (TEMPLATE = simple);
CREATE CONVERSION pg_temp.cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; CREATE OPERATOR FAMILY pg_temp.family USING btree;
"""

ENCLOSURES = (
    Enclosure(
        "made anew",
        (RESET, OWN_PLPGSQL, BUILT_IN_TYPES, OF_INFORMATION, SWITCHED, STORED_OTHERWISE, HASHED),
        temporary=TEMPORARY,
    ),
    Enclosure("handed over", (HANDED_OVER,)),
    Enclosure("renamed", (RENAMED,)),
)
