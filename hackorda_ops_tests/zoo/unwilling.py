"""Databases in which a drill's test of its own comparison finds little that it may alter."""

from hackorda_ops_tests.zoo.animals import Animal, Enclosure

REFUSING = Animal(
    "tables that refuse every change",
    "triggers, always enabled, that raise an error for every row and every statement that writes",
    """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'this is an archive'; END $$;
    CREATE TABLE ledger (id int PRIMARY KEY, amount numeric); INSERT INTO ledger SELECT n, n FROM generate_series(1, 20) n; CREATE TABLE entries (LIKE ledger INCLUDING ALL); INSERT INTO entries SELECT * FROM ledger;
    CREATE TRIGGER rows BEFORE INSERT OR UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION refuse(); ALTER TABLE ledger ENABLE ALWAYS TRIGGER rows;
    CREATE TRIGGER statements BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON entries EXECUTE FUNCTION refuse(); ALTER TABLE entries ENABLE ALWAYS TRIGGER statements;
    """,
)

REDIRECTED = Animal(
    "rules in the place of every write",
    "inserts, updates and deletes that do nothing instead, or something elsewhere",
    """
    CREATE TABLE frozen (id int, t text); INSERT INTO frozen VALUES (1, 'a'), (2, 'b'); CREATE TABLE attempts (at timestamptz DEFAULT now());
    CREATE RULE no_insert AS ON INSERT TO frozen DO INSTEAD INSERT INTO attempts DEFAULT VALUES; CREATE RULE no_update AS ON UPDATE TO frozen DO INSTEAD NOTHING;
    CREATE RULE no_delete AS ON DELETE TO frozen DO INSTEAD NOTHING; CREATE RULE none_at_all AS ON INSERT TO attempts DO INSTEAD NOTHING;
    CREATE RULE nor_update AS ON UPDATE TO attempts DO INSTEAD NOTHING; CREATE RULE nor_delete AS ON DELETE TO attempts DO INSTEAD NOTHING;
    """,
)

ALONE = Animal(
    "rows that stand alone",
    "tables that take one row and no second one, by a key, an exclusion and a partition of one value",
    """
    CREATE TABLE settings (id bool PRIMARY KEY DEFAULT true CHECK (id), CHECK (id IS NOT NULL)); INSERT INTO settings DEFAULT VALUES;
    CREATE TABLE one (r int4range DEFAULT '(,)', EXCLUDE USING gist (r WITH &&)); INSERT INTO one DEFAULT VALUES;
    CREATE TABLE parts (kind text NOT NULL UNIQUE) PARTITION BY LIST (kind); CREATE TABLE part PARTITION OF parts FOR VALUES IN ('only'); INSERT INTO parts VALUES ('only');
    """,
)

NULLS = Animal(
    "rows of nothing",
    "tables whose rows hold NULL alone, or have no columns, or have been emptied by TRUNCATE",
    """
    CREATE TABLE nulls (a int, b text, c jsonb, d int[]); INSERT INTO nulls SELECT FROM generate_series(1, 5); CREATE TABLE bare (); INSERT INTO bare DEFAULT VALUES; INSERT INTO bare DEFAULT VALUES;
    CREATE TABLE gone (id int PRIMARY KEY); INSERT INTO gone SELECT generate_series(1, 99); TRUNCATE gone;
    """,
)

CHAINED = Animal(
    "rows that hold each other",
    "keys in a ring, restricted both ways, with a constraint trigger that counts at once",
    """
    CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL UNIQUE REFERENCES a ON DELETE RESTRICT ON UPDATE RESTRICT);
    INSERT INTO a VALUES (1, 1), (2, 2); INSERT INTO b VALUES (1, 2), (2, 1); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE RESTRICT ON UPDATE RESTRICT;
    CREATE FUNCTION two() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (SELECT count(*) FROM "rows that hold each other".a) <> 2 THEN RAISE EXCEPTION 'not two'; END IF; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER two AFTER INSERT OR DELETE ON a FOR EACH ROW EXECUTE FUNCTION two();
    """,
)

SEQUENCES_ALONE = Animal(
    "sequences and no table",
    "nothing that has rows, only numbers that are handed out",
    "CREATE SEQUENCE tickets START 100 INCREMENT 5; SELECT nextval('tickets'), nextval('tickets'); CREATE SEQUENCE unused; CREATE SEQUENCE down INCREMENT -1;",
)

OBJECTS_ALONE = Animal(
    "large objects and no table",
    "nothing but files, one of them empty, with comments",
    "SELECT lo_from_bytea(0, 'a file'), lo_from_bytea(0, ''), lo_create(77001); COMMENT ON LARGE OBJECT 77001 IS 'the third';",
)

PROGRAMS_ALONE = Animal(
    "programs and no table",
    "functions, types, views and a materialized view over constants",
    """
    CREATE TYPE size AS ENUM ('s', 'm'); CREATE FUNCTION smallest() RETURNS size LANGUAGE sql BEGIN ATOMIC SELECT 's'::size; END; CREATE VIEW sizes AS SELECT unnest(enum_range(NULL::size)) AS size;
    CREATE MATERIALIZED VIEW held AS SELECT count(*) FROM sizes; CREATE PROCEDURE nothing() LANGUAGE plpgsql AS 'BEGIN END'; COMMENT ON VIEW sizes IS 'two';
    """,
)

NOTHING = Animal(
    "a schema and nothing in it",
    "a database as a service makes it before the first deploy",
    "SELECT 1;",
)

WATCHED = Animal(
    "a database that hears of every command",
    "an event trigger, and every table with rows has a trigger",
    """
    CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE EVENT TRIGGER note_ddl ON ddl_command_end EXECUTE FUNCTION note_ddl();
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
    CREATE TABLE orders (id serial PRIMARY KEY, total numeric, updated_at timestamptz DEFAULT now()); INSERT INTO orders (total) SELECT g FROM generate_series(1, 50) g;
    CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
    """,
)

ENCLOSURES = (
    Enclosure("watched", (WATCHED,)),
    # One of each pair of versions is enough: what decides is what the tables are like.
    Enclosure("refusing", (REFUSING, REDIRECTED), majors=(15, 18)),
    Enclosure("narrow", (ALONE, NULLS, CHAINED), majors=(16, 17)),
    Enclosure("of sequences", (SEQUENCES_ALONE,), majors=(18,)),
    Enclosure("of large objects", (OBJECTS_ALONE,), majors=(17,)),
    Enclosure("of programs", (PROGRAMS_ALONE,), majors=(16,)),
    Enclosure("of nothing", (NOTHING,), majors=(15,)),
)
