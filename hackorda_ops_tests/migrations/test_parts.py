"""A migration command that reads one variable for each part of its connection, as the application does."""

import sys
from pathlib import Path

import psycopg
import pytest

from hackorda_ops_tests.migrations.commands import migrated


@pytest.mark.server
def test_a_command_reaches_the_copy_by_the_parts_of_its_connection(new_database: str, tmp_path: Path) -> None:
    (tmp_path / "migrate.py").write_text(
        "import os, psycopg\n"
        "keys = {'host': 'DB_HOST', 'port': 'DB_PORT', 'user': 'POSTGRES_USER', 'dbname': 'POSTGRES_DB',\n"
        "        'password': 'POSTGRES_PASSWORD', 'sslmode': 'DB_SSLMODE'}\n"
        "parts = {key: os.environ[variable] for key, variable in keys.items()}\n"
        "psycopg.connect(**parts).execute('CREATE TABLE migrated ()').connection.commit()\n"
        "print('as', parts['password'])\n"
    )
    variables = {
        "family": "DB",
        "user": "POSTGRES_USER",
        "database": "POSTGRES_DB",
        "password": "POSTGRES_PASSWORD",
    }

    run = migrated(
        new_database,
        command=f"{sys.executable} migrate.py",
        working_directory=tmp_path,
        variables=variables,
    )

    assert run.result.returncode == 0, run.result.output_tail
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SELECT to_regclass('migrated') IS NOT NULL").fetchone() == (True,)
        assert connection.info.password not in run.result.output_tail
