"""Constraints, indexes, sequences and what computes a column."""

from hackorda_ops_tests.zoo.animals import Animal

KEYS = Animal(
    "foreign-key cycles",
    "tables that refer to each other and to themselves, at once and at commit, rows that a key which was never "
    "validated does not fit",
    """
    CREATE TABLE teams (id int PRIMARY KEY, captain int);
    CREATE TABLE players (id int PRIMARY KEY, team int REFERENCES teams DEFERRABLE INITIALLY DEFERRED, coach int REFERENCES players);
    ALTER TABLE teams ADD FOREIGN KEY (captain) REFERENCES players ON DELETE SET NULL;
    INSERT INTO teams VALUES (1), (2); INSERT INTO players SELECT n, 1 + n % 2, nullif(n - 1, 0) FROM generate_series(1, 40) n;
    UPDATE teams SET captain = id * 10;
    CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, c int NOT NULL);
    CREATE TABLE c (id int PRIMARY KEY, a int NOT NULL REFERENCES a DEFERRABLE);
    ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE INITIALLY DEFERRED;
    ALTER TABLE b ADD FOREIGN KEY (c) REFERENCES c DEFERRABLE INITIALLY DEFERRED;
    INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); INSERT INTO c VALUES (1, 1);
    CREATE TABLE pairs (x int, y int, PRIMARY KEY (x, y));
    CREATE TABLE to_pairs (x int, y int, FOREIGN KEY (x, y) REFERENCES pairs MATCH FULL ON UPDATE CASCADE,
        CONSTRAINT partly FOREIGN KEY (x, y) REFERENCES pairs ON DELETE SET NULL (y));
    INSERT INTO pairs VALUES (1, 2); INSERT INTO to_pairs VALUES (1, 2), (NULL, NULL);
    CREATE TABLE loose (player int, positive int); INSERT INTO loose VALUES (999, -1);
    ALTER TABLE loose ADD CONSTRAINT never_checked FOREIGN KEY (player) REFERENCES players NOT VALID;
    ALTER TABLE loose ADD CONSTRAINT nor_this CHECK (positive > 0) NOT VALID;
    """,
)

CONSTRAINTS = Animal(
    "constraints and indexes",
    "deferred keys, exclusion, NULLS NOT DISTINCT, every index method, partial, covering, on expressions, invalid, clustered",
    """
    CREATE TABLE unique_later (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, k int UNIQUE DEFERRABLE,
        once int UNIQUE NULLS NOT DISTINCT, low int, high int, CHECK (low < high));
    INSERT INTO unique_later SELECT n, -n, n FROM generate_series(1, 20) n; INSERT INTO unique_later VALUES (100, 100, NULL, 1, 2);
    CREATE TABLE bookings (during tsrange, shape circle, cancelled bool DEFAULT false,
        CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE (NOT cancelled) DEFERRABLE INITIALLY DEFERRED,
        EXCLUDE USING gist (shape WITH &&));
    INSERT INTO bookings VALUES ('[2024-01-01,2024-01-02)', '<(0,0),1>'), ('[2024-01-02,2024-01-03)', '<(5,5),1>');
    CREATE TABLE searched (id int, tags text[], body text, doc jsonb, at timestamptz, where_it_is point, net inet);
    INSERT INTO searched SELECT n, ARRAY['t' || n % 5], 'body ' || n, jsonb_build_object('n', n), '2024-01-01'::timestamptz + n * interval '1 h',
        point(n, n), '10.0.0.0'::inet + n FROM generate_series(1, 200) n;
    CREATE INDEX ON searched USING hash (id); CREATE INDEX ON searched USING gin (tags) WITH (fastupdate = off);
    CREATE INDEX ON searched USING gin (doc jsonb_path_ops); CREATE INDEX ON searched USING gin (to_tsvector('english', body));
    CREATE INDEX ON searched USING brin (at) WITH (pages_per_range = 2, autosummarize); CREATE INDEX ON searched USING gist (where_it_is);
    CREATE INDEX ON searched USING spgist (where_it_is); CREATE INDEX ON searched USING gist (net inet_ops);
    CREATE INDEX ON searched (lower(body) text_pattern_ops DESC NULLS LAST, (id % 3)) INCLUDE (at) WHERE id > 10 AND body IS NOT NULL;
    CREATE UNIQUE INDEX clustered ON searched (id) WITH (fillfactor = 60); ALTER TABLE searched CLUSTER ON clustered;
    ALTER INDEX clustered SET (deduplicate_items = off); CREATE INDEX expression ON searched ((id + 1)); ALTER INDEX expression ALTER COLUMN 1 SET STATISTICS 300;
    ALTER TABLE searched REPLICA IDENTITY FULL; ALTER TABLE bookings REPLICA IDENTITY NOTHING;
    CREATE TABLE replicated (id int NOT NULL); CREATE UNIQUE INDEX replicated_id ON replicated (id);
    ALTER TABLE replicated REPLICA IDENTITY USING INDEX replicated_id;
    """,
)

REWORDED = Animal(
    "reworded expressions",
    "varchar IN (…) and nested BETWEEN in checks, indexes and views, which pg_dump writes otherwise after their first restore",
    """
    CREATE TABLE states (state varchar(10) CHECK (state IN ('open', 'shut')), n int,
        CHECK (n BETWEEN 1 AND 9 AND state IN ('open')), CHECK ((n > 1 AND n < 9) AND (n <> 5 AND n <> 6)));
    CREATE INDEX ON states (n) WHERE state IN ('open', 'shut');
    CREATE VIEW open_states AS SELECT * FROM states WHERE state IN ('open', 'x') OR n BETWEEN 3 AND 4;
    CREATE MATERIALIZED VIEW held_states AS SELECT * FROM open_states WHERE state NOT IN ('x', 'y');
    CREATE POLICY seen ON states USING (state IN ('open', 'shut'));
    CREATE TABLE computed (s varchar, is_open bool GENERATED ALWAYS AS (s IN ('open', 'ajar')) STORED,
        d varchar DEFAULT CASE WHEN 'a'::varchar IN ('a', 'b') THEN 'x' END);
    INSERT INTO states VALUES ('open', 3); INSERT INTO computed VALUES ('open'), ('shut');
    """,
)

GENERATED = Animal(
    "generated and identity columns",
    "stored columns over functions and in the middle of a row, identities always and by default, with options of their own",
    """
    CREATE FUNCTION doubled(n int) RETURNS int IMMUTABLE LANGUAGE sql RETURN n * 2;
    CREATE TABLE generated (twice int GENERATED ALWAYS AS (doubled(n)) STORED, n int, label text GENERATED ALWAYS AS ('n' || n::text) STORED,
        m int DEFAULT 5, PRIMARY KEY (label));
    INSERT INTO generated (n) SELECT generate_series(1, 30);
    CREATE TABLE only_generated (one int GENERATED ALWAYS AS (1) STORED); INSERT INTO only_generated DEFAULT VALUES;
    CREATE TABLE identities (a int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT -5 MAXVALUE 1000 MINVALUE -1000 CACHE 7),
        b text, UNIQUE (a));
    INSERT INTO identities (b) SELECT 'x' FROM generate_series(1, 9);
    CREATE TABLE by_default (a bigint GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME "its own Sequence" CYCLE)); INSERT INTO by_default VALUES (5);
    """,
)

VIRTUAL = Animal(
    "virtual columns",
    "columns computed when read",
    """CREATE TABLE virtual (n int, plus int GENERATED ALWAYS AS (n + 1) VIRTUAL, last text, also text GENERATED ALWAYS AS (upper(last)));
    INSERT INTO virtual (n, last) SELECT n, 'r' || n FROM generate_series(1, 10) n;
    CREATE TABLE only_virtual (a int GENERATED ALWAYS AS (1)); INSERT INTO only_virtual DEFAULT VALUES;""",
    majors=(18,),
    elsewhere="new in Postgres 18",
)

OPEN_NOT_NULL = Animal(
    "constraints of 18",
    "NOT NULL that is named, not inherited, not valid over rows that are NULL; checks and keys that are not enforced",
    """CREATE TABLE loose (a int, b int CONSTRAINT named NOT NULL NO INHERIT, c int); INSERT INTO loose VALUES (NULL, 1, -1);
    ALTER TABLE loose ADD CONSTRAINT later NOT NULL a NOT VALID; COMMENT ON CONSTRAINT later ON loose IS 'one day';
    ALTER TABLE loose ADD CONSTRAINT asleep CHECK (c > 0) NOT ENFORCED;
    CREATE TABLE target (id int PRIMARY KEY); ALTER TABLE loose ADD FOREIGN KEY (c) REFERENCES target NOT ENFORCED;""",
    majors=(18,),
    elsewhere="new in Postgres 18",
)

TEMPORAL = Animal(
    "temporal constraints",
    "primary and foreign keys over periods, without overlaps",
    """CREATE EXTENSION btree_gist;
    CREATE TABLE rooms (id int, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
    CREATE TABLE stays (id int, room int, valid daterange, UNIQUE (id, valid WITHOUT OVERLAPS),
        FOREIGN KEY (room, PERIOD valid) REFERENCES rooms (id, PERIOD valid));
    INSERT INTO rooms VALUES (1, '[2024-01-01,2024-06-01)'), (1, '[2024-06-01,)'); INSERT INTO stays VALUES (1, 1, '[2024-05-01,2024-07-01)');""",
    majors=(18,),
    elsewhere="new in Postgres 18",
)

SEQUENCES = Animal(
    "sequences",
    "never called, set back, exhausted, descending, cycling, of smallint, unlogged, owned by another column than the one they feed",
    """
    CREATE SEQUENCE never_called START 42; CREATE SEQUENCE set_back; SELECT setval('set_back', 99, false);
    CREATE SEQUENCE exhausted AS smallint START 32767; SELECT nextval('exhausted');
    CREATE SEQUENCE down INCREMENT -3 MINVALUE -9223372036854775808 MAXVALUE -1; SELECT setval('down', -9223372036854775808);
    CREATE SEQUENCE around MINVALUE 5 MAXVALUE 7 CYCLE CACHE 50; SELECT nextval('around'), nextval('around');
    CREATE SEQUENCE top; SELECT setval('top', 9223372036854775807);
    CREATE UNLOGGED SEQUENCE unlogged; SELECT nextval('unlogged');
    CREATE TABLE fed (id int DEFAULT nextval('never_called'), other serial, CHECK (id IS NOT NULL));
    ALTER SEQUENCE top OWNED BY fed.id; INSERT INTO fed SELECT FROM generate_series(1, 3); ALTER SEQUENCE never_called RESTART WITH 1000;
    """,
)

ANIMALS = (KEYS, CONSTRAINTS, REWORDED, GENERATED, VIRTUAL, OPEN_NOT_NULL, TEMPORAL, SEQUENCES)
