"""An installation of Postgres with extensions of our own beside it: a copy, so that the wheel's stays as it is."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from hackorda_ops_tests.zoo.servers import programs_of

CONFIGURED: Mapping[str, str] = {
    "cfgext.control": "comment = 'config test'\ndefault_version = '1.0'\nrelocatable = false\nschema = cfg\n",
    "cfgext--1.0.sql": """
        CREATE TABLE cfg.settings (k text PRIMARY KEY, v text);
        INSERT INTO cfg.settings VALUES ('builtin','1');
        SELECT pg_catalog.pg_extension_config_dump('cfg.settings', 'WHERE k <> ''builtin''');
        CREATE TABLE cfg.full_table (id serial, v text);
        SELECT pg_catalog.pg_extension_config_dump('cfg.full_table', '');
        SELECT pg_catalog.pg_extension_config_dump('cfg.full_table_id_seq', '');
        CREATE FUNCTION cfg.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE TYPE cfg.ct AS ENUM ('a'); CREATE VIEW cfg.vw AS SELECT 1 a;
    """,
}
# What others do: rows of its own in a table that is dumped as a whole, a sequence that is not dumped, triggers.
UNUSUAL: Mapping[str, str] = {
    "Odd ext.control": "default_version = '1'\nrelocatable = true\n",
    "Odd ext--1.sql": """
        CREATE TABLE "Jobs %s {}" ("Id" bigserial PRIMARY KEY, command text, twice bigint GENERATED ALWAYS AS ("Id" * 2) STORED);
        INSERT INTO "Jobs %s {}" (command) VALUES ('VACUUM');
        SELECT pg_catalog.pg_extension_config_dump('"Jobs %s {}"', 'WHERE "Id" > 1 AND command NOT LIKE ''%{}%''');
        CREATE TABLE history (at int, note text) PARTITION BY RANGE (at); CREATE TABLE history_all PARTITION OF history DEFAULT;
        SELECT pg_catalog.pg_extension_config_dump('history_all', '');
        CREATE TABLE filled (n int); INSERT INTO filled VALUES (1);
        SELECT pg_catalog.pg_extension_config_dump('filled', '');
        CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER keeping BEFORE INSERT ON history FOR EACH ROW EXECUTE FUNCTION kept();
    """,
}


def installed_with(major: int, folder: Path, *extensions: Mapping[str, str]) -> Path:
    """The folder of the programs of an installation that has these extensions.

    Args:
        major: one of those that come from wheels.
        folder: where the installation is copied to; a server's user has to reach it.
        extensions: their files, by name.
    """
    package = programs_of(major).parents[1]
    # Some wheels keep libraries beside the package, where the programs look for them.
    for each in (package, package.with_name(f"{package.name}.libs")):
        if each.exists():
            shutil.copytree(each, folder / each.name, copy_function=_linked)
    [control] = (folder / package.name / "pginstall").rglob("plpgsql.control")
    for name, text in (item for each in extensions for item in each.items()):
        (control.parent / name).write_text(text)
        (control.parent / name).chmod(0o644)
    return folder / package.name / "pginstall" / "bin"


def _linked(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
    return target
