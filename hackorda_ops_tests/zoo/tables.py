"""Tables of every make: partitioned, inherited, wide, empty, and without columns."""

from hackorda_ops_tests.zoo.animals import Animal

PARTITIONS = Animal(
    "partitions three deep",
    "ranges of lists of hashes of an enum, leaves in another schema and with other column orders, defaults, "
    "indexes of the root and of one leaf, rows in every leaf",
    """
    CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
    CREATE SCHEMA "leaves elsewhere";
    CREATE TABLE sales (at date NOT NULL, region text, paint colour, amount numeric DEFAULT 1, gone int) PARTITION BY RANGE (at);
    CREATE TABLE old_sales PARTITION OF sales (amount DEFAULT 2) FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
    CREATE TABLE new_sales PARTITION OF sales FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (region);
    CREATE TABLE other_sales PARTITION OF sales DEFAULT;
    CREATE TABLE north PARTITION OF new_sales FOR VALUES IN ('north', NULL) PARTITION BY HASH (paint);
    CREATE TABLE "leaves elsewhere".rest PARTITION OF new_sales DEFAULT;
    CREATE TABLE north_0 PARTITION OF north FOR VALUES WITH (MODULUS 3, REMAINDER 0);
    CREATE TABLE north_1 PARTITION OF north FOR VALUES WITH (MODULUS 3, REMAINDER 1);
    CREATE TABLE north_2 PARTITION OF north FOR VALUES WITH (MODULUS 3, REMAINDER 2);
    CREATE TABLE latest (amount numeric, dropped int, paint colour, region text, at date NOT NULL, gone int);
    ALTER TABLE latest DROP COLUMN dropped;
    ALTER TABLE sales ATTACH PARTITION latest FOR VALUES FROM ('2027-01-01') TO (MAXVALUE);
    ALTER TABLE sales DROP COLUMN gone;
    INSERT INTO sales SELECT date '2023-06-01' + n * 7, (ARRAY['north', 'south', NULL])[1 + n % 3],
        (ARRAY['red', 'green', 'blue', NULL]::colour[])[1 + n % 4], n FROM generate_series(0, 300) n;
    CREATE INDEX ON sales (at, region);
    CREATE INDEX only_here ON old_sales (amount);
    CREATE INDEX unfinished ON ONLY sales (amount);
    CREATE TABLE detached PARTITION OF sales FOR VALUES FROM ('2026-06-01') TO ('2026-06-02');
    ALTER TABLE sales DETACH PARTITION detached;
    CREATE TABLE by_key (id int, part int, note text, PRIMARY KEY (part, id)) PARTITION BY HASH (part);
    CREATE TABLE by_key_0 PARTITION OF by_key FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 50);
    CREATE TABLE by_key_1 PARTITION OF by_key FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE refers (part int, id int, FOREIGN KEY (part, id) REFERENCES by_key);
    INSERT INTO by_key SELECT n, n % 7, 'note ' || n FROM generate_series(1, 100) n;
    INSERT INTO refers SELECT part, id FROM by_key WHERE id % 2 = 0;
    CREATE TABLE by_expression (t text) PARTITION BY LIST (lower(t));
    CREATE TABLE by_expression_a PARTITION OF by_expression FOR VALUES IN ('a');
    INSERT INTO by_expression VALUES ('A'), ('a');
    CREATE TABLE no_leaves (id int) PARTITION BY RANGE (id);
    """,
)

HASHED_ENUM = Animal(
    "hash on an enum at the root",
    "rows that belong to another leaf in every new database, since an enum's hash is that of its OID",
    """
    CREATE TYPE suit AS ENUM ('clubs', 'spades', 'hearts', 'diamonds');
    CREATE TABLE cards (suit suit, n int) PARTITION BY HASH (suit);
    CREATE TABLE cards_0 PARTITION OF cards FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE cards_1 PARTITION OF cards FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO cards SELECT (enum_range(NULL::suit))[1 + n % 4], n FROM generate_series(1, 52) n;
    """,
)

INHERITED = Animal(
    "inheritance",
    "children of two parents, columns that merge, rows on every level, other defaults, a child adopted later",
    """
    CREATE TABLE things (id int NOT NULL, name text DEFAULT 'thing', CONSTRAINT short CHECK (length(name) < 50),
        CONSTRAINT own CHECK (id > 0) NO INHERIT);
    CREATE TABLE priced (price numeric, name text);
    CREATE TABLE goods (id int DEFAULT 7, weight int) INHERITS (things, priced);
    CREATE TABLE rare_goods (name text DEFAULT 'rare', CONSTRAINT short CHECK (length(name) < 50)) INHERITS (goods);
    CREATE TABLE adopted (extra int, name text, id int NOT NULL, CONSTRAINT short CHECK (length(name) < 50));
    ALTER TABLE adopted INHERIT things;
    CREATE TABLE orphan () INHERITS (things);
    ALTER TABLE orphan NO INHERIT things;
    INSERT INTO things VALUES (1); INSERT INTO priced VALUES (1.50, 'p'); INSERT INTO goods (price) VALUES (2), (3);
    INSERT INTO rare_goods (id, weight) VALUES (4, 5); INSERT INTO adopted VALUES (6, 'a', 8); INSERT INTO orphan VALUES (9);
    ALTER TABLE things ADD COLUMN later int DEFAULT 3;
    """,
)

COLUMNS = Animal(
    "columns",
    "1,600 of them, none at all, all dropped, dropped in the middle, added later with a default, of changed type",
    """
    DO $$ BEGIN EXECUTE 'CREATE TABLE widest (' || (SELECT string_agg(format('c%s smallint', n), ', ' ORDER BY n)
        FROM generate_series(1, 1600) n) || ')'; END $$;
    INSERT INTO widest DEFAULT VALUES;
    INSERT INTO widest (c1, c800, c1600) SELECT n, 2 * n, 3 * n FROM generate_series(1, 50) n;
    CREATE TABLE none (); INSERT INTO none SELECT FROM generate_series(1, 5);
    CREATE TABLE none_and_no_rows ();
    CREATE TABLE no_rows (id int, note text);
    CREATE TABLE all_dropped (a int, b int); INSERT INTO all_dropped VALUES (1, 2), (3, 4);
    ALTER TABLE all_dropped DROP COLUMN a, DROP COLUMN b;
    CREATE TABLE some_dropped (first int, a int, middle text, b int, last int);
    INSERT INTO some_dropped VALUES (1, 2, 'three', 4, 5);
    ALTER TABLE some_dropped DROP COLUMN first, DROP COLUMN middle, DROP COLUMN last;
    ALTER TABLE some_dropped ADD COLUMN first text DEFAULT 'added', ADD COLUMN moment timestamptz DEFAULT '2024-01-01 00:00+00';
    INSERT INTO some_dropped VALUES (6, 7, NULL, NULL);
    CREATE TABLE changed (n int, t text); INSERT INTO changed VALUES (1, '2'), (3, NULL);
    ALTER TABLE changed ALTER n TYPE numeric(10, 3), ALTER t TYPE int USING t::int;
    CREATE TABLE tuned (t text, n int) WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off);
    ALTER TABLE tuned ALTER t SET STORAGE EXTERNAL, ALTER n SET STATISTICS 500, ALTER n SET (n_distinct = -0.5);
    CREATE UNLOGGED TABLE unlogged (id serial, k text); INSERT INTO unlogged (k) VALUES ('a'), ('b');
    CREATE TABLE typed_rows (a int); CREATE TABLE of_type_rows (r typed_rows, rs typed_rows[]);
    INSERT INTO of_type_rows VALUES (ROW(1), ARRAY[ROW(2), ROW(NULL)]::typed_rows[]);
    CREATE TYPE blueprint AS (a int, b text); CREATE TABLE typed OF blueprint (PRIMARY KEY (a), b DEFAULT 'x');
    INSERT INTO typed (a) VALUES (1);
    """,
)

UPDATED = Animal(
    "rows out of order",
    "a heap full of dead rows and gaps, whose rows come back in another order",
    """
    CREATE TABLE churned (id int PRIMARY KEY, body text);
    INSERT INTO churned SELECT n, repeat(md5(n::text), n % 50) FROM generate_series(1, 3000) n;
    UPDATE churned SET body = body || 'y' WHERE id % 3 = 0; DELETE FROM churned WHERE id % 5 = 0;
    INSERT INTO churned SELECT n, 'late' FROM generate_series(5000, 5500) n; UPDATE churned SET body = left(body, 7) WHERE id % 7 = 0;
    CREATE TABLE twins AS SELECT n % 3 AS same, 'equal rows' AS note FROM generate_series(1, 1000) n;
    """,
)

ANIMALS = (PARTITIONS, HASHED_ENUM, INHERITED, COLUMNS, UPDATED)
