"""Views, policies, foreign servers, publications, text search, collations, large objects, comments."""

from hackorda_ops_tests.zoo.animals import WITH_CONTRIB, WITH_ICU, WITH_VECTOR, Animal

VIEWS = Animal(
    "views",
    "recursive, updatable with a check, security barriers and invokers, over a primary key's other columns, circular through a function",
    """
    CREATE TABLE staff (id int PRIMARY KEY, name text, boss int); INSERT INTO staff VALUES (1, 'Ada', NULL), (2, 'Bo', 1), (3, 'Cy', 2);
    CREATE RECURSIVE VIEW chain (id, depth) AS SELECT id, 0 FROM staff WHERE boss IS NULL UNION ALL SELECT s.id, depth + 1 FROM staff s JOIN chain c ON s.boss = c.id;
    CREATE VIEW named AS SELECT * FROM staff WHERE name IS NOT NULL WITH CASCADED CHECK OPTION;
    CREATE VIEW barrier WITH (security_barrier, security_invoker) AS SELECT * FROM named; ALTER VIEW barrier ALTER name SET DEFAULT 'nobody';
    CREATE VIEW by_key AS SELECT s.id, s.name, count(*) FROM staff s JOIN staff b ON b.boss = s.id GROUP BY s.id;
    CREATE VIEW round AS SELECT id FROM staff; CREATE FUNCTION of_round() RETURNS SETOF round LANGUAGE sql AS 'SELECT * FROM views.round';
    CREATE OR REPLACE VIEW round AS SELECT f.id FROM of_round() f; CREATE VIEW "no columns" AS SELECT;
    CREATE VIEW windows AS SELECT name, rank() OVER w, lag(name) OVER (w ROWS 2 PRECEDING EXCLUDE TIES) AS "before" FROM staff WINDOW w AS (ORDER BY id);
    CREATE VIEW literals AS SELECT 'a'::text AS a, NULL AS b, '2024-01-01'::date AS c, interval '1 day 02:00' AS d, E'\\n'::bytea AS e, 1.50 AS f;
    COMMENT ON VIEW chain IS 'who is whose'; COMMENT ON COLUMN named.name IS 'a name';
    """,
)

HELD_VIEWS = Animal(
    "materialized views",
    "that depend on each other against the order of their names, stale ones, indexed ones, ones never refreshed",
    """
    CREATE TABLE base (n int); INSERT INTO base SELECT generate_series(1, 10);
    CREATE MATERIALIZED VIEW z_first AS SELECT n, n * n AS square FROM base;
    CREATE MATERIALIZED VIEW m_second AS SELECT sum(square) AS total FROM z_first;
    CREATE VIEW between_them AS SELECT total + 1 AS more FROM m_second;
    CREATE MATERIALIZED VIEW a_third AS SELECT more, (SELECT max(n) FROM z_first) FROM between_them WITH NO DATA;
    CREATE MATERIALIZED VIEW b_third AS SELECT more FROM between_them; CREATE UNIQUE INDEX ON z_first (n); ALTER MATERIALIZED VIEW z_first CLUSTER ON z_first_n_idx;
    CREATE MATERIALIZED VIEW nothing AS SELECT WITH NO DATA; CREATE MATERIALIZED VIEW of_unpopulated AS SELECT 1 AS one FROM base WITH NO DATA;
    INSERT INTO base SELECT generate_series(11, 20); COMMENT ON MATERIALIZED VIEW z_first IS 'stale by now';
    """,
)

POLICIES = Animal(
    "row-level security",
    "policies of every kind, forced on the owner as well; dumped by a role that they do not bind",
    """
    CREATE TABLE notes (id int, author name DEFAULT current_user, hidden bool); INSERT INTO notes VALUES (1, 'ada', true), (2, 'bo', false);
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON notes USING (author = current_user) WITH CHECK (NOT hidden);
    CREATE POLICY "never hidden" ON notes AS RESTRICTIVE FOR SELECT TO PUBLIC USING (NOT hidden);
    CREATE POLICY writers ON notes FOR INSERT TO pg_write_all_data WITH CHECK (true); COMMENT ON POLICY own ON notes IS 'mine';
    CREATE TABLE forced_only (id int); ALTER TABLE forced_only FORCE ROW LEVEL SECURITY; INSERT INTO forced_only VALUES (1);
    CREATE TABLE closed (id int); ALTER TABLE closed ENABLE ROW LEVEL SECURITY; INSERT INTO closed VALUES (1), (2);
    CREATE VIEW open_notes AS SELECT * FROM notes WHERE NOT hidden;
    """,
)

FOREIGN = Animal(
    "foreign tables",
    "on a server that nobody can reach, as partitions too, with user mappings that hold passwords",
    """
    CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'true'); CREATE SERVER elsewhere TYPE 'odd' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'it''s away');
    CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'u', password 'of the far server');
    CREATE FOREIGN TABLE far (id int OPTIONS (key 'true') NOT NULL, note text COLLATE "C" DEFAULT 'x', CHECK (id > 0)) SERVER elsewhere OPTIONS (schema_name 's');
    CREATE TABLE mixed (id int) PARTITION BY RANGE (id); CREATE TABLE near PARTITION OF mixed FOR VALUES FROM (0) TO (10);
    CREATE FOREIGN TABLE far_leaf PARTITION OF mixed FOR VALUES FROM (10) TO (20) SERVER elsewhere; INSERT INTO near VALUES (1), (2);
    CREATE TABLE parent (a int); CREATE FOREIGN TABLE far_child (b int) INHERITS (parent) SERVER elsewhere; INSERT INTO parent VALUES (1);
    COMMENT ON SERVER elsewhere IS 'away'; COMMENT ON FOREIGN TABLE far IS 'far'; COMMENT ON FOREIGN DATA WRAPPER nowhere IS 'none';
    """,
)

PUBLICATIONS = Animal(
    "publications",
    "of everything, of a schema, of some columns and rows, of a partitioned root",
    """
    CREATE TABLE shared (id int PRIMARY KEY, secret text, shown text); CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE PUBLICATION "all of it" FOR ALL TABLES; CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA publications, views;
    CREATE PUBLICATION filtered FOR TABLE shared (id, shown) WHERE (id > 5) WITH (publish = 'insert, truncate');
    CREATE PUBLICATION rooted FOR TABLE parts WITH (publish_via_partition_root = true); CREATE PUBLICATION nothing; COMMENT ON PUBLICATION nothing IS 'none';
    """,
)

TEXT_SEARCH = Animal(
    "text search and statistics",
    "parsers, templates, dictionaries and configurations of the team's own; statistics objects with expressions",
    """
    CREATE TEXT SEARCH PARSER parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
    CREATE TEXT SEARCH TEMPLATE template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
    CREATE TEXT SEARCH DICTIONARY dictionary (TEMPLATE = template, accept = false); CREATE TEXT SEARCH DICTIONARY swedish (TEMPLATE = pg_catalog.snowball, LANGUAGE = 'swedish');
    CREATE TEXT SEARCH CONFIGURATION config (PARSER = parser); ALTER TEXT SEARCH CONFIGURATION config ADD MAPPING FOR asciiword, word WITH dictionary, swedish;
    CREATE TABLE documents (body text, vector tsvector GENERATED ALWAYS AS (to_tsvector('"text search and statistics".config', body)) STORED, a int, b int);
    INSERT INTO documents (body, a, b) SELECT 'jag springer ' || n, n % 3, n % 9 FROM generate_series(1, 50) n; CREATE INDEX ON documents USING gin (vector);
    CREATE STATISTICS s1 (ndistinct, dependencies, mcv) ON a, b FROM documents; CREATE STATISTICS s2 ON (a + b), lower(body) FROM documents;
    ALTER STATISTICS s1 SET STATISTICS 400; COMMENT ON STATISTICS s1 IS 's'; COMMENT ON TEXT SEARCH CONFIGURATION config IS 'c'; ANALYZE documents;
    """,
)

COLLATIONS = Animal(
    "collations",
    "of the team's own, on columns, domains, indexes and partition keys",
    """
    CREATE COLLATION plain (PROVIDER = libc, LOCALE = 'C'); CREATE COLLATION copied FROM "C"; COMMENT ON COLLATION plain IS 'bytes';
    CREATE TABLE words (w text COLLATE plain PRIMARY KEY, v varchar(9) COLLATE copied); INSERT INTO words VALUES ('b'), ('B'), ('a'), ('ä');
    CREATE INDEX ON words (v COLLATE "C"); CREATE TABLE parts (w text) PARTITION BY RANGE (w COLLATE plain);
    CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('a') TO ('m'); INSERT INTO parts VALUES ('b');
    """,
)

ICU_COLLATIONS = Animal(
    "ICU collations",
    "under which 'a' equals 'A' and 'ä', unique over it, and German phone-book order",
    """
    CREATE COLLATION loose (PROVIDER = icu, LOCALE = 'und-u-ks-level1', DETERMINISTIC = false);
    CREATE COLLATION "Phone Book" (PROVIDER = icu, LOCALE = 'de-u-co-phonebk'); COMMENT ON COLLATION "Phone Book" IS 'Ö as oe';
    CREATE TABLE words (w text COLLATE loose UNIQUE, p text COLLATE "Phone Book"); INSERT INTO words VALUES ('a', 'Öl'), ('b', 'Of');
    CREATE INDEX ON words (p); CREATE DOMAIN any_case AS text COLLATE loose; CREATE TABLE keyed (k any_case PRIMARY KEY); INSERT INTO keyed VALUES ('Key');
    """,
    majors=WITH_ICU,
    elsewhere="the wheels of 16, 17 and 18 are built without ICU",
)

LARGE_OBJECTS = Animal(
    "large objects",
    "empty, of some bytes, of three pages and a bit with a hole in the middle, with comments, referred to by their numbers",
    r"""
    CREATE TABLE files (name text, content oid);
    INSERT INTO files VALUES ('empty', lo_create(0)), ('short', lo_from_bytea(0, '\x00ff0a5c')), ('long', lo_from_bytea(0, convert_to(repeat('abc', 3000), 'UTF8')));
    SELECT lo_put(content, 20000, '\x01') FROM files WHERE name = 'long'; INSERT INTO files VALUES ('gone', 999999);
    SELECT lo_create(7777777); COMMENT ON LARGE OBJECT 7777777 IS 'it''s large';
    """,
)

COMMENTS = Animal(
    "comments",
    "on the database, schemas, tables, columns, indexes and constraints, with line ends that look like SQL and like pg_dump's headings",
    r"""
    COMMENT ON SCHEMA comments IS E'line\n--\n-- Name: x; Type: TABLE; Schema: y; Owner: z\n--\n\nDROP TABLE x;';
    CREATE TABLE t (id int CONSTRAINT k PRIMARY KEY, note text); COMMENT ON TABLE t IS 'it''s \ "odd" 😀'; COMMENT ON COLUMN t.note IS E'\t';
    COMMENT ON INDEX k IS 'i'; COMMENT ON CONSTRAINT k ON t IS 'c'; CREATE SEQUENCE s; COMMENT ON SEQUENCE s IS 's'; COMMENT ON EXTENSION plpgsql IS 'other words';
    DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), 'a database'); END $$;
    """,
)

EXTENSIONS = Animal(
    "extensions",
    "hstore, citext, ltree, trigrams and others, with values of their types, in a schema of their own",
    """
    CREATE EXTENSION hstore SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions; CREATE EXTENSION ltree; CREATE EXTENSION pg_trgm;
    CREATE EXTENSION intarray; CREATE EXTENSION cube; CREATE EXTENSION earthdistance; CREATE EXTENSION isn; CREATE EXTENSION unaccent; CREATE EXTENSION lo; CREATE EXTENSION bloom;
    COMMENT ON EXTENSION hstore IS 'ours'; CREATE EXTENSION postgres_fdw;
    CREATE TABLE things (pairs hstore, word citext UNIQUE, path ltree, place cube, book isbn, file lo, ints int[], n int);
    INSERT INTO things VALUES ('a=>1, "b c"=>NULL, ""=>"\\""', 'Word', 'Top.Science.2', '(1,2),(3,4)', '978-0-393-04002-9', NULL, '{3,1,2}', 1), ('', 'é', '', '0', NULL, NULL, '{}', 2);
    CREATE INDEX ON things USING gin (word gin_trgm_ops); CREATE INDEX ON things USING gist (path); CREATE INDEX ON things USING gin (ints gin__int_ops);
    CREATE INDEX ON things USING bloom (n) WITH (length = 100); CREATE INDEX ON things USING gist (pairs);
    CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x'); CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (password 'of the far server');
    CREATE FOREIGN TABLE far_away (id int) SERVER far OPTIONS (table_name 'x');
    """,
    majors=WITH_CONTRIB,
    elsewhere="the wheel of 16 comes without contrib",
)

VECTORS = Animal(
    "vectors",
    "pgvector's types with an index over them",
    """
    CREATE EXTENSION vector; CREATE TABLE embeddings (id int, e vector(3), h halfvec(2), s sparsevec(5), b bit(3));
    INSERT INTO embeddings VALUES (1, '[1,-0,3e-10]', '[1.5,2]', '{1:1,5:2}/5', '101'), (2, '[0.1,0.2,0.3]', NULL, NULL, NULL);
    CREATE INDEX ON embeddings USING hnsw (e vector_cosine_ops) WITH (m = 4); CREATE INDEX ON embeddings USING ivfflat (e vector_l2_ops) WITH (lists = 1);
    """,
    majors=WITH_VECTOR,
    elsewhere="Debian's 15 and the wheel of 17 come without pgvector",
)

LEFTOVERS = Animal(
    "default privileges and temporary things",
    "grants that a restore leaves out on purpose, a temporary table, a rule of ALTER DEFAULT PRIVILEGES",
    """
    CREATE TABLE granted (id int, note text); GRANT SELECT (id) ON granted TO PUBLIC; GRANT ALL ON granted TO pg_read_all_stats WITH GRANT OPTION;
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; CREATE TABLE granted_by_default (id int); CREATE TEMPORARY TABLE passing (id int);
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    """,
)

ANIMALS = (
    VIEWS,
    HELD_VIEWS,
    POLICIES,
    FOREIGN,
    PUBLICATIONS,
    TEXT_SEARCH,
    COLLATIONS,
    ICU_COLLATIONS,
    LARGE_OBJECTS,
    COMMENTS,
    EXTENSIONS,
    VECTORS,
    LEFTOVERS,
)
