-- Roles of the server, without passwords. Run it before the restore: policies name roles.
-- A role that already exists is left unchanged. Needs a superuser, or a role with CREATEROLE.
SET client_encoding TO 'UTF8';
DO $hackorda$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'postgres') THEN CREATE ROLE "postgres" SUPERUSER CREATEDB CREATEROLE LOGIN REPLICATION BYPASSRLS; END IF; END $hackorda$;
