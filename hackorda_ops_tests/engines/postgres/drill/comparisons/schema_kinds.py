"""A schema with objects of every kind that a dump holds, and an alteration of each.

No two alterations touch the same object, so that all of them can be made in one database.
"""

from typing import Final

SCHEMA: Final = """
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE FUNCTION price(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RETURN n * 2;
END $$;
CREATE FUNCTION commented() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
--
    RETURN 1;
END $$;
CREATE FUNCTION price(n text) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 1 $$;
CREATE FUNCTION carriage() RETURNS int LANGUAGE plpgsql AS E'BEGIN\\r\\nRETURN 1;\\r\\nEND';
CREATE FUNCTION trusted() RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 $$;
CREATE FUNCTION tuned() RETURNS int LANGUAGE sql SET work_mem = '4MB' AS $$ SELECT 1 $$;
CREATE PROCEDURE chore() LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION is_less(int, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1::text < $2 $$;

CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE point3 AS (x int, y int);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN code AS text CHECK (VALUE <> '');
CREATE DOMAIN amount AS int DEFAULT 1;
CREATE COLLATION sorting (provider = libc, locale = 'C');
CREATE CAST (mood AS int) WITH INOUT;
CREATE OPERATOR <<< (LEFTARG = int, RIGHTARG = text, FUNCTION = is_less);
CREATE OPERATOR FAMILY by_size USING btree;
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE TEXT SEARCH DICTIONARY plain_words (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION search (COPY = simple);
CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

CREATE TABLE users (id int PRIMARY KEY, name text, mail text CONSTRAINT one_mail UNIQUE, size int);
CREATE TABLE issues (id int PRIMARY KEY, user_id int CONSTRAINT of_user REFERENCES users DEFERRABLE, title text);
CREATE INDEX by_name ON users (name);
CREATE INDEX by_title ON issues (title) WHERE title <> '';
CREATE UNIQUE INDEX by_size ON users (size);
CREATE TABLE checked (size int CONSTRAINT big CHECK (size > 0));
CREATE TABLE unchecked (size int);
ALTER TABLE unchecked ADD CONSTRAINT unvalidated CHECK (size < 9) NOT VALID;
CREATE TABLE defaulting (note text DEFAULT 'none');
CREATE TABLE filled (name text NOT NULL);
CREATE TABLE typed (title text);
CREATE TABLE generating (size int, doubled int GENERATED ALWAYS AS (size * 2) STORED);
CREATE TABLE numbered (number int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE stored (body text);
CREATE TABLE packed (body text);
CREATE TABLE sampled (body text);
CREATE TABLE optioned (body text);
CREATE TABLE clustered (id int NOT NULL);
CREATE INDEX clustering ON clustered (id);
CREATE TABLE replicated_wholly (id int);
CREATE TABLE replicated (id int NOT NULL);
CREATE UNIQUE INDEX replicating ON replicated (id);
CREATE TABLE forced (id int);
ALTER TABLE forced ENABLE ROW LEVEL SECURITY;
ALTER TABLE forced FORCE ROW LEVEL SECURITY;
CREATE TABLE unlogged_later (id int);
CREATE TABLE reordered (a int, b int);
CREATE TABLE dropped_table (id int);
CREATE TABLE parent (id int);
CREATE TABLE heir (extra int) INHERITS (parent);
CREATE TABLE parts (at int) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (1) TO (9);
CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (10) TO (19);
CREATE SEQUENCE tickets INCREMENT 5;
CREATE SEQUENCE owned OWNED BY users.id;
CREATE TRIGGER watching BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION noop();
CREATE TRIGGER switched BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION noop();
CREATE RULE ignoring AS ON DELETE TO issues DO INSTEAD NOTHING;
CREATE RULE switching AS ON UPDATE TO issues DO ALSO NOTHING;
CREATE EVENT TRIGGER on_change ON ddl_command_end EXECUTE FUNCTION on_ddl();
ALTER EVENT TRIGGER on_change DISABLE;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE issues ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON users USING (name = CURRENT_USER);
CREATE POLICY own_issues ON issues FOR SELECT USING (id > 0);
CREATE VIEW names AS SELECT name FROM users;
CREATE VIEW barrier WITH (security_barrier) AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users;
CREATE STATISTICS together (ndistinct) ON name, mail FROM users;
CREATE PUBLICATION outgoing FOR TABLE users;
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert');
CREATE FOREIGN DATA WRAPPER wrapper OPTIONS (token 'secret token one');
CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper OPTIONS (host 'secret.host');
CREATE SERVER otherwhere FOREIGN DATA WRAPPER wrapper;
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (password 'secret one', "user" 'bob');
CREATE FOREIGN TABLE far (id int) SERVER elsewhere OPTIONS (path 'secret/path');
CREATE SCHEMA side;
CREATE TABLE side.here (id int);
CREATE TABLE side.stays (id int);
CREATE SCHEMA gone;
COMMENT ON TABLE users IS 'people';
COMMENT ON COLUMN users.name IS 'as they write it';
COMMENT ON FUNCTION noop() IS 'does nothing';
ALTER TABLE sampled ALTER COLUMN body SET STATISTICS 77;
"""

# What is done to the restored copy, and every finding that it must give: code and subject.
ALTERATIONS: Final[dict[str, tuple[str, list[tuple[str, str]]]]] = {
    "index dropped": ("DROP INDEX by_name", [("missing", "INDEX public.by_name")]),
    "index's condition": (
        "DROP INDEX by_title; CREATE INDEX by_title ON issues (title) WHERE title <> 'x'",
        [("differs", "INDEX public.by_title")],
    ),
    "index no longer unique": (
        "DROP INDEX by_size; CREATE INDEX by_size ON users (size)",
        [("differs", "INDEX public.by_size")],
    ),
    "index added": ("CREATE INDEX surplus ON side.stays (id)", [("added", "INDEX side.surplus")]),
    "check constraint": (
        "ALTER TABLE checked DROP CONSTRAINT big, ADD CONSTRAINT big CHECK (size > 1)",
        [("differs", "TABLE public.checked")],
    ),
    "unique constraint": (
        "ALTER TABLE users DROP CONSTRAINT one_mail",
        [("missing", "CONSTRAINT public.users one_mail")],
    ),
    "foreign key": (
        "ALTER TABLE issues ALTER CONSTRAINT of_user NOT DEFERRABLE",
        [("differs", "FK CONSTRAINT public.issues of_user")],
    ),
    "constraint validated": (
        "ALTER TABLE unchecked VALIDATE CONSTRAINT unvalidated",
        [
            ("missing", "CHECK CONSTRAINT public.unchecked unvalidated"),
            ("differs", "TABLE public.unchecked"),
        ],
    ),
    "default": (
        "ALTER TABLE defaulting ALTER note SET DEFAULT 'other'",
        [("differs", "TABLE public.defaulting")],
    ),
    "not null": ("ALTER TABLE filled ALTER name DROP NOT NULL", [("differs", "TABLE public.filled")]),
    "column type": ("ALTER TABLE typed ALTER title TYPE varchar(90)", [("differs", "TABLE public.typed")]),
    "column order": (
        "ALTER TABLE reordered DROP COLUMN a; ALTER TABLE reordered ADD COLUMN a int",
        [("differs", "TABLE public.reordered")],
    ),
    "generated column": (
        "ALTER TABLE generating DROP COLUMN doubled;"
        "ALTER TABLE generating ADD COLUMN doubled int GENERATED ALWAYS AS (size * 3) STORED",
        [("differs", "TABLE public.generating")],
    ),
    "identity": (
        "ALTER TABLE numbered ALTER number SET GENERATED BY DEFAULT",
        [("differs", "SEQUENCE public.numbered_number_seq")],
    ),
    "column storage": (
        "ALTER TABLE stored ALTER body SET STORAGE EXTERNAL",
        [("differs", "TABLE public.stored")],
    ),
    "column compression": (
        "ALTER TABLE packed ALTER body SET COMPRESSION pglz",
        [("differs", "TABLE public.packed")],
    ),
    "column statistics": (
        "ALTER TABLE sampled ALTER body SET STATISTICS 78",
        [("differs", "TABLE public.sampled")],
    ),
    "table option": ("ALTER TABLE optioned SET (fillfactor = 70)", [("differs", "TABLE public.optioned")]),
    "clustered on": ("ALTER TABLE clustered CLUSTER ON clustering", [("differs", "INDEX public.clustering")]),
    "replica identity full": (
        "ALTER TABLE replicated_wholly REPLICA IDENTITY FULL",
        [("differs", "TABLE public.replicated_wholly")],
    ),
    "replica identity index": (
        "ALTER TABLE replicated REPLICA IDENTITY USING INDEX replicating",
        [("differs", "INDEX public.replicating")],
    ),
    "unlogged": ("ALTER TABLE unlogged_later SET UNLOGGED", [("differs", "TABLE public.unlogged_later")]),
    "table dropped": ("DROP TABLE dropped_table", [("missing", "TABLE public.dropped_table")]),
    "inheritance": ("ALTER TABLE heir NO INHERIT parent", [("differs", "TABLE public.heir")]),
    "partition detached": (
        "ALTER TABLE parts DETACH PARTITION part_1",
        [("missing", "TABLE ATTACH public.part_1")],
    ),
    "partition bounds": (
        "ALTER TABLE parts DETACH PARTITION part_2;"
        "ALTER TABLE parts ATTACH PARTITION part_2 FOR VALUES FROM (10) TO (18)",
        [("differs", "TABLE ATTACH public.part_2")],
    ),
    "sequence": ("ALTER SEQUENCE tickets INCREMENT 6", [("differs", "SEQUENCE public.tickets")]),
    "sequence owner": ("ALTER SEQUENCE owned OWNED BY NONE", [("missing", "SEQUENCE OWNED BY public.owned")]),
    "trigger dropped": ("DROP TRIGGER watching ON users", [("missing", "TRIGGER public.users watching")]),
    "trigger disabled": (
        "ALTER TABLE users DISABLE TRIGGER switched",
        [("differs", "TRIGGER public.users switched")],
    ),
    "rule dropped": ("DROP RULE ignoring ON issues", [("missing", "RULE public.issues ignoring")]),
    "rule disabled": (
        "ALTER TABLE issues DISABLE RULE switching",
        [("differs", "RULE public.issues switching")],
    ),
    "event trigger enabled": (
        "ALTER EVENT TRIGGER on_change ENABLE",
        [("differs", "EVENT TRIGGER on_change")],
    ),
    "row level security off": (
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
        [("missing", "ROW SECURITY public.users")],
    ),
    "row level security not forced": (
        "ALTER TABLE forced NO FORCE ROW LEVEL SECURITY",
        [("differs", "TABLE public.forced")],
    ),
    "policy dropped": ("DROP POLICY own_rows ON users", [("missing", "POLICY public.users own_rows")]),
    "policy": (
        "ALTER POLICY own_issues ON issues USING (true)",
        [("differs", "POLICY public.issues own_issues")],
    ),
    "function body": (
        "CREATE OR REPLACE FUNCTION price(n int) RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n"
        "    RETURN n * 3;\nEND $$",
        [("differs", "FUNCTION public.price(integer)")],
    ),
    "comment line in a function": (
        "CREATE OR REPLACE FUNCTION commented() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n    RETURN 1;\nEND $$",
        [("differs", "FUNCTION public.commented()")],
    ),
    "line ends in a function": (
        "CREATE OR REPLACE FUNCTION carriage() RETURNS int LANGUAGE plpgsql AS E'BEGIN\\nRETURN 1;\\nEND'",
        [("differs", "FUNCTION public.carriage()")],
    ),
    "function's volatility": (
        "ALTER FUNCTION price(text) VOLATILE",
        [("differs", "FUNCTION public.price(text)")],
    ),
    "function's rights": (
        "ALTER FUNCTION trusted() SECURITY INVOKER",
        [("differs", "FUNCTION public.trusted()")],
    ),
    "function's settings": (
        "ALTER FUNCTION tuned() RESET work_mem",
        [("differs", "FUNCTION public.tuned()")],
    ),
    "procedure": (
        "CREATE OR REPLACE PROCEDURE chore() LANGUAGE sql AS $$ SELECT 2 $$",
        [("differs", "PROCEDURE public.chore()")],
    ),
    "view": (
        "CREATE OR REPLACE VIEW names AS SELECT name FROM users WHERE true",
        [("differs", "VIEW public.names")],
    ),
    "view's barrier": ("ALTER VIEW barrier RESET (security_barrier)", [("differs", "VIEW public.barrier")]),
    "materialized view": (
        "DROP MATERIALIZED VIEW counted; CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM issues",
        [("differs", "MATERIALIZED VIEW public.counted")],
    ),
    "enum value": ("ALTER TYPE mood ADD VALUE 'so so' BEFORE 'happy'", [("differs", "TYPE public.mood")]),
    "composite type": ("ALTER TYPE point3 ADD ATTRIBUTE z int", [("differs", "TYPE public.point3")]),
    "range type": (
        "DROP TYPE span; CREATE TYPE span AS RANGE (subtype = float8, multirange_type_name = spans)",
        [("differs", "TYPE public.span")],
    ),
    "domain's constraint": (
        "ALTER DOMAIN code DROP CONSTRAINT code_check",
        [("differs", "DOMAIN public.code")],
    ),
    "domain's default": ("ALTER DOMAIN amount SET DEFAULT 2", [("differs", "DOMAIN public.amount")]),
    "collation": (
        "DROP COLLATION sorting; CREATE COLLATION sorting (provider = libc, locale = 'POSIX')",
        [("differs", "COLLATION public.sorting")],
    ),
    "cast": (
        "DROP CAST (mood AS int); CREATE CAST (mood AS int) WITH INOUT AS ASSIGNMENT",
        [("differs", "CAST CAST (public.mood AS integer)")],
    ),
    "operator": ("DROP OPERATOR <<< (int, text)", [("missing", "OPERATOR public.<<<")]),
    "operator family": (
        "DROP OPERATOR FAMILY by_size USING btree",
        [("missing", "OPERATOR FAMILY public.by_size")],
    ),
    "aggregate": (
        "CREATE OR REPLACE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '1')",
        [("differs", "AGGREGATE public.total(integer)")],
    ),
    "text search dictionary": (
        "ALTER TEXT SEARCH DICTIONARY plain_words (accept = false)",
        [("differs", "TEXT SEARCH DICTIONARY public.plain_words")],
    ),
    "text search configuration": (
        "ALTER TEXT SEARCH CONFIGURATION search DROP MAPPING FOR word",
        [("differs", "TEXT SEARCH CONFIGURATION public.search")],
    ),
    "conversion": ("DROP CONVERSION latin", [("missing", "CONVERSION public.latin")]),
    "statistics object": (
        "ALTER STATISTICS together SET STATISTICS 500",
        [("differs", "STATISTICS public.together")],
    ),
    "published table": (
        "ALTER PUBLICATION outgoing DROP TABLE users",
        [("missing", "PUBLICATION TABLE public.outgoing users")],
    ),
    "publication": (
        "ALTER PUBLICATION everything SET (publish = 'insert, update')",
        [("differs", "PUBLICATION everything")],
    ),
    "foreign-data wrapper": (
        "ALTER FOREIGN DATA WRAPPER wrapper OPTIONS (SET token 'secret token two')",
        [("differs", "FOREIGN DATA WRAPPER wrapper")],
    ),
    "foreign server": (
        "ALTER SERVER elsewhere OPTIONS (SET host 'secret.other')",
        [("differs", "SERVER elsewhere")],
    ),
    "foreign server dropped": ("DROP SERVER otherwhere", [("missing", "SERVER otherwhere")]),
    "user mapping": (
        "ALTER USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (SET password 'secret two')",
        [("differs", "USER MAPPING USER MAPPING postgres SERVER elsewhere")],
    ),
    "foreign table": (
        "ALTER FOREIGN TABLE far ADD COLUMN more int",
        [("differs", "FOREIGN TABLE public.far")],
    ),
    "comment on a table": ("COMMENT ON TABLE users IS 'others'", [("differs", "COMMENT public.TABLE users")]),
    "comment on a column": (
        "COMMENT ON COLUMN users.name IS NULL",
        [("missing", "COMMENT public.COLUMN users.name")],
    ),
    "comment on a function": (
        "COMMENT ON FUNCTION noop() IS 'does something'",
        [("differs", "COMMENT public.FUNCTION noop()")],
    ),
    "another schema": (
        "ALTER TABLE side.here SET SCHEMA public",
        [("missing", "TABLE side.here"), ("added", "TABLE public.here")],
    ),
    "schema dropped": ("DROP SCHEMA gone", [("missing", "SCHEMA gone")]),
    "extension's schema": (
        "ALTER EXTENSION citext SET SCHEMA side",
        [("differs", "EXTENSION citext")],
    ),
    "extension dropped": (
        "DROP EXTENSION hstore",
        [("missing", "COMMENT EXTENSION hstore"), ("missing", "EXTENSION hstore")],
    ),
}
