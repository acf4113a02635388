"""What ordinary applications do to a database in a year: nothing of it is wrong, and all of it has to come back."""

from hackorda_ops_tests.zoo.animals import Animal, Enclosure

REWORDED = Animal(
    "conditions that are worded anew",
    "varchar IN, nested BETWEEN, CASE and arrays in checks, partial indexes, views and generated columns",
    """
    CREATE TABLE orders (id int PRIMARY KEY, state varchar(9) DEFAULT 'open' CHECK (state IN ('open', 'paid', 'gone')), n int CHECK (n BETWEEN 0 AND 9 AND (n BETWEEN 0 AND 5 OR n > 7)),
      label text GENERATED ALWAYS AS (CASE WHEN state IN ('open', 'paid') THEN 'live' ELSE 'dead' END) STORED);
    INSERT INTO orders (id, state, n) SELECT g, (ARRAY['open', 'paid', 'gone'])[1 + g % 3], g % 6 FROM generate_series(1, 30) g;
    CREATE INDEX live ON orders (n) WHERE state IN ('open', 'paid') AND (n BETWEEN 1 AND 3 AND n <> 2); CREATE VIEW live_orders AS SELECT * FROM orders WHERE state NOT IN ('gone', 'lost') AND (n, id) > (0, 0);
    """,
)

EDGES = Animal(
    "moments at the calendar's edges",
    "infinity, years before Christ, leap seconds' neighbours, mixed intervals, times with odd zones",
    """
    CREATE TABLE moments (d date, t timestamp, z timestamptz, i interval, w timetz);
    INSERT INTO moments VALUES ('infinity', '-infinity', 'infinity', '1 mon -2 days 03:04:05.000001', '23:59:59.999999-15:59'),
      ('4713-01-01 BC', '294276-12-31 23:59:59.999999', '0001-12-31 23:59:59 BC', '-178000000 years', '24:00:00+15:59'), ('1582-10-15', 'epoch', 'epoch', 'PT0S', '00:00:00+00:00:01');
    """,
)

FIXED_PATHS = Animal(
    "functions with paths of their own",
    "an index, a check and a default by functions that set their search_path, and a procedure in SQL's own body",
    """
    CREATE TABLE words (w text PRIMARY KEY); INSERT INTO words VALUES ('a'), ('b');
    CREATE FUNCTION known(t text) RETURNS bool LANGUAGE sql STABLE SET search_path = "functions with paths of their own" AS 'SELECT EXISTS (SELECT FROM words WHERE w = t)';
    CREATE FUNCTION folded(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog SET DateStyle = 'ISO' RETURN lower(t);
    CREATE TABLE notes (id int, body text DEFAULT "functions with paths of their own".folded('X')); CREATE UNIQUE INDEX by_folded ON notes ("functions with paths of their own".folded(body)); INSERT INTO notes VALUES (1, 'A'), (2, 'b');
    CREATE PROCEDURE forget(i int) BEGIN ATOMIC DELETE FROM notes WHERE id = i; END;
    """,
)

STACKED = Animal(
    "views upon views",
    "security barriers and invokers, check options, a recursive one, one without columns, columns renamed after",
    """
    CREATE TABLE people (id int PRIMARY KEY, boss int REFERENCES people, name text); INSERT INTO people VALUES (1, NULL, 'Ann'), (2, 1, 'Bob'), (3, 2, 'Cid');
    CREATE VIEW low WITH (security_barrier) AS SELECT * FROM people WHERE id > 1; CREATE VIEW lower WITH (security_invoker, check_option = cascaded) AS SELECT id, name FROM low WHERE name <> '';
    CREATE RECURSIVE VIEW chain (id, depth) AS SELECT id, 0 FROM people WHERE boss IS NULL UNION ALL SELECT p.id, depth + 1 FROM chain JOIN people p ON p.boss = chain.id;
    CREATE VIEW nothing AS SELECT; ALTER TABLE people RENAME COLUMN name TO called; ALTER VIEW lower RENAME COLUMN name TO alias; ALTER VIEW lower ALTER COLUMN alias SET DEFAULT 'nobody';
    """,
)

DIVIDED = Animal(
    "partitions of partitions",
    "a default one, one attached later with other columns' order, indexes of the whole and of a part, a detached one",
    """
    CREATE TABLE events (at date NOT NULL, kind int NOT NULL, body text) PARTITION BY RANGE (at); CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (kind);
    CREATE TABLE events_2025_0 PARTITION OF events_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE events_2025_1 PARTITION OF events_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 1); CREATE TABLE events_rest PARTITION OF events DEFAULT;
    CREATE TABLE events_2026 (body text, dropped int, kind int NOT NULL, at date NOT NULL); ALTER TABLE events_2026 DROP COLUMN dropped; ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO events SELECT '2024-12-01'::date + g * 9, g % 7, 'e' || g FROM generate_series(1, 80) g; CREATE INDEX ON events (kind, at); CREATE INDEX part_only ON events_2026 (body); ALTER TABLE events ADD PRIMARY KEY (at, kind);
    CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01'); ALTER TABLE events DETACH PARTITION events_2024;
    """,
)

SWITCHED = Animal(
    "triggers on some leaves only",
    "a trigger of a partitioned table that is disabled on one leaf, others always and on replicas only",
    """
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TABLE logs (id int, body text) PARTITION BY LIST (id);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES IN (1); CREATE TABLE logs_2 PARTITION OF logs FOR VALUES IN (2); INSERT INTO logs VALUES (1, 'a'), (2, 'b');
    CREATE TRIGGER noted BEFORE INSERT ON logs FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE logs_2 DISABLE TRIGGER noted; CREATE TRIGGER always BEFORE UPDATE ON logs_1 FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION note();
    ALTER TABLE logs_1 ENABLE ALWAYS TRIGGER always; CREATE TRIGGER far AFTER DELETE ON logs_2 REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note(); ALTER TABLE logs_2 ENABLE REPLICA TRIGGER far;
    """,
)

COMMENTED = Animal(
    "comments with everything in them",
    "quotes, backslashes, line ends, dollar signs and SQL in comments on every kind of thing",
    r"""
    CREATE TABLE t (id int CONSTRAINT first PRIMARY KEY, n int CONSTRAINT high CHECK (n > 0)); CREATE INDEX by_n ON t (n); CREATE FUNCTION f(int, VARIADIC text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE pair AS (a int, b int);
    COMMENT ON TABLE t IS E'It''s "quoted"\n-- and; $body$ DROP TABLE t; $body$ \\ '; COMMENT ON COLUMN t.n IS E'line\r\nends'; COMMENT ON CONSTRAINT high ON t IS E'tab\there'; COMMENT ON INDEX by_n IS '-- Name: x; Type: TABLE; Schema: public; Owner: -';
    COMMENT ON FUNCTION f(int, VARIADIC text[]) IS E'\\restrict abc\n\\.'; COMMENT ON TYPE pair IS 'ünï¢ödé — 💾'; COMMENT ON COLUMN pair.b IS 'the second';
    """,
)

GUARDED = Animal(
    "policies of every kind",
    "restrictive and permissive ones, for one command, with subselects, on a table that forces them on its owner",
    """
    CREATE TABLE tenants (id int PRIMARY KEY, name text); INSERT INTO tenants VALUES (1, 'a'), (2, 'b'); CREATE TABLE docs (id int, tenant int REFERENCES tenants); INSERT INTO docs SELECT g, 1 + g % 2 FROM generate_series(1, 9) g;
    ALTER TABLE docs ENABLE ROW LEVEL SECURITY; ALTER TABLE docs FORCE ROW LEVEL SECURITY; CREATE POLICY mine ON docs USING (tenant IN (SELECT id FROM tenants WHERE name = current_user));
    CREATE POLICY never ON docs AS RESTRICTIVE FOR DELETE TO PUBLIC USING (false); CREATE POLICY added ON docs FOR INSERT WITH CHECK (tenant = current_setting('app.tenant', true)::int);
    CREATE POLICY "with a space" ON docs FOR UPDATE USING (id > 0) WITH CHECK (id < 100);
    """,
)

STALE = Animal(
    "summaries that are out of date",
    "materialized views upon each other, one of yesterday's rows, one indexed and commented on, one never filled",
    """
    CREATE TABLE sales (day date, amount int); INSERT INTO sales SELECT '2026-01-01'::date + g % 5, g FROM generate_series(1, 40) g; CREATE MATERIALIZED VIEW by_day AS SELECT day, sum(amount) AS total FROM sales GROUP BY day;
    CREATE UNIQUE INDEX ON by_day (day); CREATE MATERIALIZED VIEW best AS SELECT max(total) AS most FROM by_day; COMMENT ON MATERIALIZED VIEW best IS 'of yesterday'; INSERT INTO sales VALUES ('2026-02-01', 9999);
    CREATE MATERIALIZED VIEW later AS SELECT * FROM best WITH NO DATA;
    """,
)

NUMBERED = Animal(
    "numbers handed out in odd ways",
    "identities that step, sequences that cycle, of small types, renamed, owned by another table, at their last value",
    """
    CREATE TABLE a (id smallint GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 3 MAXVALUE 100 CYCLE), n serial); INSERT INTO a DEFAULT VALUES; INSERT INTO a DEFAULT VALUES; ALTER TABLE a RENAME COLUMN n TO m; ALTER TABLE a RENAME TO renamed;
    CREATE SEQUENCE small AS smallint MAXVALUE 3 CYCLE CACHE 2; SELECT nextval('small'), nextval('small'), nextval('small'), nextval('small'); CREATE SEQUENCE full_up MAXVALUE 2; SELECT nextval('full_up'), nextval('full_up');
    CREATE TABLE b (id bigint); ALTER SEQUENCE full_up OWNED BY b.id; ALTER TABLE b ALTER id SET DEFAULT nextval('small'); CREATE SEQUENCE set_back; SELECT setval('set_back', 1, false);
    """,
)

UNIQUE = Animal(
    "keys of newer kinds",
    "NULLS NOT DISTINCT, INCLUDE, deferred, by expression, descending, and exclusion over ranges",
    """
    CREATE TABLE k (a int, b text, during tstzrange, UNIQUE NULLS NOT DISTINCT (a, b), CONSTRAINT later UNIQUE (b) DEFERRABLE INITIALLY DEFERRED, EXCLUDE USING gist (during WITH &&) WHERE (during IS NOT NULL));
    INSERT INTO k VALUES (1, 'x', '[2026-01-01,2026-02-01)'), (NULL, 'y', '[2026-02-01,)'), (NULL, NULL, NULL); CREATE UNIQUE INDEX covering ON k (a) INCLUDE (b) WHERE a > 0; CREATE INDEX down ON k (lower(b) DESC NULLS LAST, a);
    ALTER TABLE k REPLICA IDENTITY FULL; ALTER TABLE k ALTER b SET STORAGE EXTERNAL; ALTER TABLE k ALTER a SET STATISTICS 500; CREATE STATISTICS s (mcv, dependencies) ON a, b FROM k;
    """,
)

ANIMALS = (
    REWORDED,
    EDGES,
    FIXED_PATHS,
    STACKED,
    DIVIDED,
    SWITCHED,
    COMMENTED,
    GUARDED,
    STALE,
    NUMBERED,
    UNIQUE,
)
ENCLOSURES = (Enclosure("everyday", ANIMALS),)
