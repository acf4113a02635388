"""Databases that are odd by their size: of schemas, of tables, of a row."""

from hackorda_ops_tests.zoo.animals import Animal, Enclosure

SCHEMAS = Animal(
    "hundreds of schemas",
    "200 schemas, as of as many tenants, each with the same table, index and view",
    """
    DO $$ BEGIN FOR n IN 1..200 LOOP EXECUTE format('CREATE SCHEMA %1$I; CREATE TABLE %1$I.users (id int PRIMARY KEY, name text);
        INSERT INTO %1$I.users SELECT i, ''user '' || i FROM generate_series(1, %2$s) i; CREATE VIEW %1$I.named AS SELECT * FROM %1$I.users',
        'tenant ' || n, n % 5); END LOOP; END $$;
    """,
)

TABLES = Animal(
    "5,000 tables",
    "as many, each with a key, every tenth with a sequence; restored from the store itself, its schema not compared",
    """
    DO $$ BEGIN FOR n IN 1..5000 LOOP EXECUTE format('CREATE TABLE t%1$s (id %2$s PRIMARY KEY); INSERT INTO t%1$s SELECT i FROM generate_series(1, %3$s) i',
        n, CASE WHEN n % 10 = 0 THEN 'serial' ELSE 'int' END, n % 4); END LOOP; END $$;
    """,
)

LONG_ROWS = Animal(
    "rows of 100 MB",
    "one of text, one of bytes that are twice as long when they are written down",
    """
    CREATE TABLE long (id int PRIMARY KEY, t text, b bytea); ALTER TABLE long ALTER t SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;
    INSERT INTO long VALUES (1, repeat('0123456789', 10500000), NULL), (2, NULL, decode(repeat('00ff', 26250000), 'hex')), (3, 'short', '');
    """,
)

# By far the slowest, so it has a test of its own, which spares it the bucket.
THOUSANDS = Enclosure("5,000 tables", (TABLES,), majors=TABLES.majors)

ENCLOSURES = (
    Enclosure("crowd", (SCHEMAS,)),
    Enclosure("long rows", (LONG_ROWS,), majors=LONG_ROWS.majors),
)
