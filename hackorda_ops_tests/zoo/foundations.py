"""Databases whose foundations are others: what is built in was dropped, made anew, granted, commented or renamed."""

from hackorda_ops_tests.zoo.animals import WITH_CONTRIB, Animal, Enclosure

# Roles belong to the server, which other databases of the zoo share.
_ROLES = """
    DO $$ BEGIN IF to_regrole('zoo_owner') IS NULL THEN CREATE ROLE zoo_owner; CREATE ROLE zoo_team IN ROLE zoo_owner; END IF; END $$;
"""

LANGUAGE_OF_ITS_OWN = Animal(
    "language of its own",
    "a procedural language of another name over plpgsql's library, with functions in it that triggers call",
    """
    CREATE FUNCTION call_it() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler'; CREATE FUNCTION run_it(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
    CREATE FUNCTION check_it(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator'; CREATE TRUSTED LANGUAGE "plodd" HANDLER call_it INLINE run_it VALIDATOR check_it; COMMENT ON LANGUAGE "plodd" IS 'odd';
    CREATE TABLE kept (id int, at timestamptz); CREATE FUNCTION stamp() RETURNS trigger LANGUAGE "plodd" AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
    CREATE TRIGGER stamp BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION stamp(); INSERT INTO kept (id) VALUES (1);
    """,
)

OWNERS = Animal(
    "owners in a chain",
    "a schema of one role with tables, types, functions and sequences of another, which inherits from it",
    _ROLES
    + """
    ALTER SCHEMA "owners in a chain" OWNER TO zoo_owner; GRANT ALL ON SCHEMA "owners in a chain" TO zoo_team;
    CREATE TYPE state AS ENUM ('on', 'off'); ALTER TYPE state OWNER TO zoo_team; CREATE TABLE things (id serial, s state); ALTER TABLE things OWNER TO zoo_team;
    CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; ALTER FUNCTION f() OWNER TO zoo_owner; REVOKE ALL ON FUNCTION f() FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE zoo_team IN SCHEMA "owners in a chain" GRANT SELECT ON TABLES TO zoo_owner WITH GRANT OPTION; INSERT INTO things (s) VALUES ('on');
    """,
)

PUBLIC_RENAMED = Animal(
    "public under another name",
    "the schema public renamed with what was in it, and a new public of another owner with a comment of its own",
    _ROLES
    + """
    CREATE TABLE public.old (id int PRIMARY KEY); INSERT INTO public.old VALUES (1); ALTER SCHEMA public RENAME TO "formerly public";
    CREATE SCHEMA public AUTHORIZATION zoo_owner; COMMENT ON SCHEMA public IS 'the second of its name'; CREATE TABLE public.old (id int REFERENCES "formerly public".old);
    INSERT INTO public.old VALUES (1); GRANT ALL ON SCHEMA public TO PUBLIC;
    """,
)

GRANTED = Animal(
    "grants on what is built in",
    "functions, tables, columns and languages of the server granted and revoked",
    _ROLES
    + """
    REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC; GRANT SELECT ON pg_catalog.pg_authid TO zoo_owner; GRANT SELECT (rolname) ON pg_catalog.pg_roles TO zoo_team;
    REVOKE USAGE ON LANGUAGE sql FROM PUBLIC; GRANT USAGE ON LANGUAGE sql TO zoo_team; REVOKE SELECT ON pg_catalog.pg_settings FROM PUBLIC; REVOKE USAGE ON TYPE pg_catalog.point FROM PUBLIC;
    """,
)

COMMENTED = Animal(
    "comments on what is built in",
    "types, functions, schemas and casts of the server with comments that no dump carries",
    """
    COMMENT ON TYPE pg_catalog.int4 IS 'a whole number'; COMMENT ON FUNCTION pg_catalog.now() IS 'is it?'; COMMENT ON SCHEMA pg_catalog IS 'ours as well';
    COMMENT ON CAST (int4 AS int8) IS 'wider'; COMMENT ON COLLATION pg_catalog."C" IS 'quick'; COMMENT ON LANGUAGE internal IS 'C'; COMMENT ON ACCESS METHOD btree IS 'a tree';
    """,
)

CASTS = Animal(
    "casts and operators between built-in types",
    "casts without a function and operators of which nothing but themselves is the team's own",
    """
    CREATE CAST (varchar AS int4) WITH INOUT AS ASSIGNMENT; CREATE CAST (inet AS bytea) WITH INOUT; COMMENT ON CAST (varchar AS int4) IS 'lenient';
    CREATE OPERATOR <<<% (LEFTARG = text, RIGHTARG = text, FUNCTION = text_lt, COMMUTATOR = %>>>); CREATE OPERATOR %>>> (LEFTARG = text, RIGHTARG = text, FUNCTION = text_gt, COMMUTATOR = <<<%);
    CREATE TABLE lenient (n int4); INSERT INTO lenient SELECT '7'::varchar; CREATE VIEW used AS SELECT 'a'::text OPERATOR("casts and operators between built-in types".<<<%) 'b'::text AS smaller;
    """,
)

SHADOWS = Animal(
    "names of the server's own objects",
    "tables, functions, types and operators named as those of pg_catalog and information_schema",
    """
    CREATE TABLE pg_class (oid int, relname text); INSERT INTO "names of the server's own objects".pg_class VALUES (1, 'mine'); CREATE TABLE tables (table_name text); CREATE VIEW pg_settings AS SELECT 'mine'::text AS name;
    CREATE FUNCTION lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.upper($1)'; CREATE FUNCTION now() RETURNS text LANGUAGE sql AS $$ SELECT 'never'::text $$;
    CREATE TYPE "int4" AS ENUM ('one', 'two'); CREATE DOMAIN "text" AS pg_catalog.text CHECK (VALUE <> ''); CREATE SEQUENCE pg_sequences; SELECT nextval('"names of the server''s own objects".pg_sequences');
    CREATE TABLE typed (n "names of the server's own objects"."int4", t "names of the server's own objects"."text" DEFAULT "names of the server's own objects".lower('x'));
    INSERT INTO typed VALUES ('two', 'y'); CREATE INDEX ON typed ("names of the server's own objects".lower(t::pg_catalog.text));
    """,
)

COLLATIONS_ANEW = Animal(
    "collations imported anew",
    "collations of the operating system dropped from pg_catalog and imported again, as after an upgrade of its libraries",
    """
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT collname FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace AND collprovider IN ('c', 'i') AND oid >= 12000
            LOOP EXECUTE format('DROP COLLATION pg_catalog.%I', name); END LOOP; END $$;
    SELECT pg_import_system_collations('pg_catalog'); CREATE TABLE sorted (t pg_catalog.text COLLATE "C"); INSERT INTO sorted VALUES ('b'), ('A');
    """,
)

EXTENSION_MEMBERS = Animal(
    "members of an extension, altered",
    "functions of an extension that were commented, granted and given other costs and settings",
    """
    CREATE EXTENSION pg_trgm; COMMENT ON FUNCTION similarity(pg_catalog.text, pg_catalog.text) IS 'how alike'; REVOKE ALL ON FUNCTION show_trgm(pg_catalog.text) FROM PUBLIC;
    ALTER FUNCTION word_similarity(pg_catalog.text, pg_catalog.text) COST 7; COMMENT ON EXTENSION pg_trgm IS 'ours';
    CREATE TABLE words (w pg_catalog.text); INSERT INTO words VALUES ('word'); CREATE INDEX ON words USING gin (w gin_trgm_ops);
    """,
    WITH_CONTRIB,
    "the wheel of 16 comes without contrib",
)

ROLE_SETTINGS = Animal(
    "settings of a role in one database",
    "the dumping role's own ALTER ROLE … IN DATABASE, which counts for more than the database's settings",
    """
    DO $$ DECLARE setting text; BEGIN FOREACH setting IN ARRAY ARRAY['TimeZone = ''Pacific/Chatham''', 'DateStyle = ''Postgres, DMY''', 'IntervalStyle = ''iso_8601''', 'bytea_output = ''escape''',
        'extra_float_digits = ''-15''', 'quote_all_identifiers = on', 'search_path = ''pg_temp''', 'default_transaction_read_only = on', 'default_transaction_deferrable = on', 'array_nulls = off',
        'default_transaction_isolation = ''serializable''', 'transform_null_equals = on', 'statement_timeout = ''20s''', 'lock_timeout = ''1s''',
        'idle_in_transaction_session_timeout = ''1s''', 'xmloption = document', 'backslash_quote = off', 'from_collapse_limit = 1', 'jit = off', 'lc_monetary = ''C''']
        LOOP EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET %s', current_database(), setting); END LOOP; END $$;
    CREATE TABLE written (at timestamptz, span interval, bytes bytea, f float8, a text[]); INSERT INTO written VALUES ('2024-07-01 12:00+00', '1 mon -2 days', '\\x00ff', pi(), ARRAY[NULL, 'NULL', '']);
    CREATE VIEW seen AS SELECT * FROM written WHERE at > '2024-01-01 00:30+00' AND f = NULL; CREATE TABLE defaults (at timestamptz DEFAULT '2024-07-01 12:00+00', d date DEFAULT '2024-02-01');
    """,
)

BARE = Animal(
    "neither public nor plpgsql nor information_schema",
    "a database from which everything was dropped that can be, with the team's tables in a schema of its own",
    """
    DROP SCHEMA public CASCADE; DROP EXTENSION plpgsql; DROP SCHEMA information_schema CASCADE;
    CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item text); INSERT INTO orders (item) VALUES ('a'), ('b'); CREATE INDEX ON orders (item);
    CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orders; END;
    """,
)

ENCLOSURES = (
    Enclosure(
        "odd foundations",
        (
            LANGUAGE_OF_ITS_OWN,
            OWNERS,
            PUBLIC_RENAMED,
            GRANTED,
            COMMENTED,
            CASTS,
            SHADOWS,
            COLLATIONS_ANEW,
            EXTENSION_MEMBERS,
            ROLE_SETTINGS,
        ),
    ),
    Enclosure("bare", (BARE,)),
)
