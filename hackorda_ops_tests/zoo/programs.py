"""What runs inside of a database: functions, triggers, rules, operators, casts."""

from hackorda_ops_tests.zoo.animals import Animal

FUNCTIONS = Animal(
    "functions",
    "SQL-standard bodies, bodies full of quotes and pg_dump's own headings, overloads, defaults, variadics, security definer",
    r"""
    CREATE TABLE numbers (n int);
    CREATE FUNCTION standard(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN a + b;
    CREATE FUNCTION atomic(x int) RETURNS SETOF numbers BEGIN ATOMIC SELECT * FROM numbers WHERE n > x; SELECT n + 1 FROM numbers; END;
    CREATE FUNCTION quoted() RETURNS text LANGUAGE plpgsql AS $f$
    BEGIN
        -- Name: users; Type: TABLE; Schema: public; Owner: -
--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--
SET default_tablespace = '';
        RETURN $$it's "quoted" \ $$ || '$$' || E'\n';
    END $f$;
    CREATE FUNCTION overloaded(int) RETURNS text LANGUAGE sql AS 'SELECT ''int''';
    CREATE FUNCTION overloaded(text, VARIADIC more text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS 'SELECT ''text''';
    CREATE FUNCTION overloaded(anyelement, OUT one anyelement, OUT many anyarray) LANGUAGE sql AS 'SELECT $1, ARRAY[$1]';
    CREATE FUNCTION listed() RETURNS TABLE (a int, "b c" text) LANGUAGE sql ROWS 7 COST 3 STABLE STRICT AS $$ VALUES (1, 'x') $$;
    CREATE FUNCTION trusted() RETURNS name LANGUAGE sql SECURITY DEFINER LEAKPROOF SET search_path = functions, pg_temp
        SET work_mem = '1MB' SET "app.setting" = 'a, "b"' AS 'SELECT current_user';
    CREATE FUNCTION by_position() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
    CREATE PROCEDURE done(INOUT a int, b text DEFAULT 'x') LANGUAGE plpgsql AS 'BEGIN a := a + 1; COMMIT; END';
    CREATE PROCEDURE atomic_done(a int) BEGIN ATOMIC INSERT INTO numbers VALUES (a); DELETE FROM numbers WHERE n = a; END;
    CREATE FUNCTION "needs later"() RETURNS int LANGUAGE sql SET check_function_bodies = off AS 'SELECT 1';
    CREATE FUNCTION rows_of(numbers) RETURNS int LANGUAGE sql AS 'SELECT $1.n'; INSERT INTO numbers VALUES (1);
    COMMENT ON FUNCTION overloaded(text, text[]) IS 'with ''quotes'''; COMMENT ON PROCEDURE done IS 'done';
    """,
)

OPERATORS = Animal(
    "aggregates, operators and casts",
    "moving and ordered-set aggregates, operator classes and families, casts of three kinds, a conversion, access methods",
    """
    CREATE TYPE weight AS (grams int);
    CREATE FUNCTION lighter(weight, weight) RETURNS bool LANGUAGE sql IMMUTABLE RETURN ($1).grams < ($2).grams;
    CREATE FUNCTION heavier(weight, weight) RETURNS bool LANGUAGE sql IMMUTABLE RETURN ($1).grams > ($2).grams;
    CREATE FUNCTION compared(weight, weight) RETURNS int LANGUAGE sql IMMUTABLE RETURN ($1).grams - ($2).grams;
    CREATE FUNCTION to_grams(weight) RETURNS int LANGUAGE sql IMMUTABLE RETURN ($1).grams;
    CREATE OPERATOR <<< (LEFTARG = weight, RIGHTARG = weight, FUNCTION = lighter, COMMUTATOR = >>>, RESTRICT = scalarltsel);
    CREATE OPERATOR >>> (LEFTARG = weight, RIGHTARG = weight, FUNCTION = heavier, COMMUTATOR = <<<, JOIN = scalargtjoinsel);
    CREATE OPERATOR @@@ (RIGHTARG = weight, FUNCTION = to_grams);
    CREATE OPERATOR FAMILY weights USING btree;
    CREATE OPERATOR CLASS by_weight FOR TYPE weight USING btree FAMILY weights AS OPERATOR 1 <<<, OPERATOR 5 >>>, FUNCTION 1 compared(weight, weight);
    CREATE CAST (weight AS int) WITH FUNCTION to_grams(weight) AS ASSIGNMENT; CREATE CAST (weight AS text) WITH INOUT;
    CREATE AGGREGATE heaviest(int) (SFUNC = int4larger, STYPE = int, SORTOP = >, COMBINEFUNC = int4larger, PARALLEL = SAFE);
    CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MINITCOND = '0');
    CREATE AGGREGATE my_percentile(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
    CREATE AGGREGATE every_one(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0'); COMMENT ON AGGREGATE heaviest(int) IS 'the most';
    CREATE DEFAULT CONVERSION from_latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
    CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler; COMMENT ON ACCESS METHOD heap_again IS 'again';
    CREATE TABLE stored_again USING heap_again AS SELECT ROW(n)::weight AS w FROM generate_series(1, 10) n;
    CREATE INDEX ON stored_again (w by_weight); COMMENT ON OPERATOR <<< (weight, weight) IS 'lighter';
    COMMENT ON CAST (weight AS text) IS 'shown'; COMMENT ON OPERATOR CLASS by_weight USING btree IS 'c'; COMMENT ON CONVERSION from_latin IS 'v';
    """,
)

TRIGGERS = Animal(
    "triggers and rules",
    "that would alter rows while they are loaded, for replicas only, disabled, deferred, with transition tables; rules that redirect",
    """
    CREATE TABLE watched (id int PRIMARY KEY, note text, seen int DEFAULT 0);
    CREATE TABLE audit (id serial, what text, args text);
    CREATE FUNCTION alter_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := NEW.seen + 1;
        INSERT INTO "triggers and rules".audit (what, args) VALUES (TG_OP, TG_ARGV::text); RETURN NEW; END $$;
    CREATE FUNCTION whole() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER altering BEFORE INSERT OR UPDATE OF note ON watched FOR EACH ROW WHEN (NEW.id < 100) EXECUTE FUNCTION alter_row('it''s', 'a,b', '');
    CREATE TRIGGER on_replica BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION alter_row('replica'); ALTER TABLE watched ENABLE REPLICA TRIGGER on_replica;
    CREATE TRIGGER off BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION alter_row('off'); ALTER TABLE watched DISABLE TRIGGER off;
    CREATE TRIGGER changed AFTER UPDATE ON watched REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION whole();
    CREATE TRIGGER emptied AFTER TRUNCATE ON watched EXECUTE FUNCTION whole();
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON watched FROM audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION whole();
    INSERT INTO watched SELECT n, 'note' FROM generate_series(1, 150) n; COMMENT ON TRIGGER off ON watched IS 'not now';
    CREATE TABLE ruled (id int, note text); CREATE TABLE ruled_log (id int);
    INSERT INTO ruled VALUES (1, 'before the rules');
    CREATE RULE logged AS ON INSERT TO ruled DO ALSO INSERT INTO ruled_log VALUES (NEW.id); INSERT INTO ruled VALUES (2, 'with a log');
    CREATE RULE kept AS ON DELETE TO ruled DO INSTEAD NOTHING; CREATE RULE quiet AS ON UPDATE TO ruled DO ALSO NOTIFY changed;
    ALTER TABLE ruled DISABLE RULE quiet; COMMENT ON RULE kept ON ruled IS 'kept';
    CREATE VIEW ruled_view AS SELECT * FROM ruled; CREATE RULE through AS ON INSERT TO ruled_view DO INSTEAD INSERT INTO ruled VALUES (NEW.*);
    CREATE VIEW triggered_view AS SELECT * FROM watched; CREATE TRIGGER instead INSTEAD OF INSERT ON triggered_view FOR EACH ROW EXECUTE FUNCTION alter_row();
    CREATE TABLE partitioned (id int) PARTITION BY RANGE (id); CREATE TABLE leaf PARTITION OF partitioned FOR VALUES FROM (0) TO (9);
    CREATE TRIGGER for_all AFTER INSERT ON partitioned FOR EACH ROW EXECUTE FUNCTION whole(); ALTER TABLE leaf DISABLE TRIGGER for_all;
    """,
)

EVENT_TRIGGERS = Animal(
    "event triggers",
    "that write down every DDL command, a refresh of a materialized view included, in a table of their own",
    """
    CREATE TABLE ddl_log (id serial PRIMARY KEY, tag text, object text);
    CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO "event triggers".ddl_log (tag, object) SELECT command_tag, object_identity FROM pg_event_trigger_ddl_commands(); END $$;
    CREATE FUNCTION log_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO "event triggers".ddl_log (tag, object) SELECT 'drop', object_identity FROM pg_event_trigger_dropped_objects(); END $$;
    CREATE EVENT TRIGGER "log all" ON ddl_command_end EXECUTE FUNCTION log_ddl();
    CREATE EVENT TRIGGER log_drops ON sql_drop WHEN TAG IN ('DROP TABLE', 'DROP VIEW') EXECUTE FUNCTION log_drop();
    CREATE EVENT TRIGGER asleep ON ddl_command_start EXECUTE FUNCTION log_ddl(); ALTER EVENT TRIGGER asleep DISABLE;
    COMMENT ON EVENT TRIGGER "log all" IS 'everything';
    CREATE TABLE logged (id int); CREATE TABLE short_lived (id int); DROP TABLE short_lived;
    CREATE MATERIALIZED VIEW refreshed AS SELECT count(*) FROM logged; REFRESH MATERIALIZED VIEW refreshed;
    """,
)

ANIMALS = (FUNCTIONS, OPERATORS, TRIGGERS, EVENT_TRIGGERS)
