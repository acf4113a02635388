-- Settings, owners and grants of this database. Run it in the restored database, after roles.sql and the restore.
-- Needs a superuser, or a role that is a member of all the owners. It can be run again.
SET client_encoding TO 'UTF8';
DO $hackorda$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I OWNER TO "postgres"', pg_catalog.current_database()); END $hackorda$;
ALTER SCHEMA public OWNER TO "pg_database_owner";
ALTER SEQUENCE public.tickets OWNER TO "postgres";
ALTER TABLE public.nothing OWNER TO "postgres";
ALTER TABLE public.orders OWNER TO "postgres";
ALTER TABLE public.users OWNER TO "postgres";
ALTER TABLE public.visits OWNER TO "postgres";
ALTER TABLE public.visits_2026 OWNER TO "postgres";
ALTER TYPE public.mood OWNER TO "postgres";
ALTER VIEW public.spenders OWNER TO "postgres";
DO $hackorda$ DECLARE number oid; BEGIN FOREACH number IN ARRAY '{20001,20002}'::oid[] LOOP EXECUTE pg_catalog.format('ALTER LARGE OBJECT %s OWNER TO %I', number, 'postgres'); END LOOP; END $hackorda$;
REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC;
