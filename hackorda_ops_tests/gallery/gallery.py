"""The gallery's rooms: its database, the night that was taken of it, and ways to drill it."""

import itertools
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.config.models import Policy
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops_tests.drill.fixtures import PROGRAMS, Night, Shipments, Shipped, night_of
from hackorda_ops_tests.engines.postgres.drill.comparisons.schema_kinds import ALTERATIONS
from hackorda_ops_tests.engines.postgres.drill.comparisons.schema_kinds import SCHEMA as SCHEMA_OF_EVERY_KIND
from hackorda_ops_tests.gallery import shop

_TOOLS = ("pg_dump", "pg_restore", "psql")
# What is left to the real tool: everything but a dump of data, and a restore into a database.
_REAL: Final = {
    "pg_dump": '*" --jobs="*) ;; *) exec "$real/pg_dump" "$@" ;;',
    "pg_restore": '*" --version "* | *" --list "* | *" --file="*) exec "$real/pg_restore" "$@" ;;',
}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Gallery:
    """What all damages are done to.

    Attributes:
        server: the source's.
        scratch: what drills restore on.
        s3: what stands for the off-site provider.
        shipments: what is there.
        folder: for stores, work and tools.
    """

    server: PostgresServer
    scratch: PostgresServer
    s3: S3Server
    shipments: Shipments
    folder: Path

    @cached_property
    def url(self) -> str:
        """The source."""
        url = create_database(self.server, "gallery")
        run(url, shop.SCHEMA, shop.ROWS)
        return url

    @cached_property
    def night(self) -> Night:
        """The night that is damaged."""
        return self.night_of(self.url)

    @cached_property
    def next_night(self) -> Night:
        """The night after, when an order had been changed."""
        with self.variant(shop.NEXT_DAY) as url:
            return self.night_of(url)

    @cached_property
    def without_index(self) -> Night:
        """A night of the same tables without one of their indexes."""
        with self.variant("DROP INDEX orders_by_customer") as url:
            return self.night_of(url)

    @cached_property
    def other_database(self) -> Night:
        """A night of another database, which has orders as well."""
        url = create_database(self.server, "gallery of others")
        run(
            url,
            "CREATE TABLE orders (id int, customer int, item text, placed timestamptz NOT NULL)",
            "INSERT INTO orders SELECT n, n, 'Other ' || n, now() FROM generate_series(1, 140) n",
        )
        return self.night_of(url)

    @cached_property
    def protected(self) -> Shipped:
        """The night off-site, for damages that leave the artifact alone."""
        return self.shipped(self.night)

    @cached_property
    def altered_in_every_kind(self) -> DrillResult:
        """The drill of a database with objects of every kind, in whose restored copy each was altered."""
        url = create_database(self.server, "gallery of schemas")
        run(url, SCHEMA_OF_EVERY_KIND)
        every = ";\n".join(change for change, _ in ALTERATIONS.values())
        # Event triggers are restored by a call of their own, the last.
        last = "SELECT EXISTS (SELECT FROM pg_event_trigger) AS complete \\gset"
        tools = self.tools(pg_restore=after_restore(f"{last}\n\\if :complete\n{every};\n\\endif\n"))
        return self.shipped(self.night_of(url)).changed(source={"client_folders": [tools]}).drill()

    def night_of(self, url: str) -> Night:
        """Takes a night, into a store of its own."""
        return night_of(url, self.new_folder())

    def shipped(self, night: Night, **policy: Any) -> Shipped:
        """Copies a night's artifact into a bucket of its own."""
        bucket = f"gallery-{next(_numbers)}"
        create_bucket(self.s3, bucket)
        written = {
            "store": str(night.store.root),
            "offsite": {"bucket": bucket},
            "scratch": {"server": {"superuser": "postgres", "restore_as_admin": True}},
            # One worker is enough for so little, and starts sooner than two.
            "dump": {"work_folder": str(self.new_folder()), "jobs": 1},
            **policy,
        }
        protected = Shipped(
            name="hackorda",
            policy=Policy.model_validate(written),
            environ={
                **PROGRAMS,
                "DATABASE_URL": night.url,
                "OFFSITE_ENDPOINT_URL": self.s3.endpoint_url,
                "OFFSITE_REGION": self.s3.region,
                "OFFSITE_ACCESS_KEY_ID": self.s3.access_key_id,
                "OFFSITE_SECRET_ACCESS_KEY": self.s3.secret_access_key,
                "SCRATCH_ADMIN_URL": self.scratch.url(),
            },
            bucket=bucket,
            manifest=night.manifest,
        )
        self.shipments.deliver(night, protected)
        return protected

    def new_folder(self) -> Path:
        """An empty one."""
        folder = self.folder / str(next(_numbers))
        folder.mkdir()
        return folder

    @contextmanager
    def variant(self, *statements: str) -> Iterator[str]:
        """A copy of the source in which something was done; dropped afterwards."""
        name = f"gallery variant {next(_numbers)}"
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(
                f'CREATE DATABASE "{name}" TEMPLATE "{conninfo_to_dict(self.url)["dbname"]}"'.encode()
            )
            try:
                run(self.server.url(name), *statements)
                yield self.server.url(name)
            finally:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    @contextmanager
    def other(self, *statements: str) -> Iterator[str]:
        """A database on the scratch server in which something was done; dropped afterwards."""
        name = f"gallery other {next(_numbers)}"
        url = create_database(self.scratch, name)
        try:
            run(url, *statements)
            yield url
        finally:
            run(self.scratch.url(), f'DROP DATABASE "{name}" WITH (FORCE)')

    def tools(self, **scripts: str) -> Path:
        """A folder of client tools, some of which are shell scripts.

        Args:
            scripts: by tool, what it does in place of the real one (at "$real/…") where that would dump data, or
                restore into a database. Everything else it is asked, the real one answers.
        """
        folder = self.new_folder()
        for tool in _TOOLS:
            real = self.server.bin_dir / tool
            if tool not in scripts:
                (folder / tool).symlink_to(real)
                continue
            (folder / tool).write_text(
                f"#!/bin/sh\nreal={shlex.quote(str(real.parent))}\n"
                f'case " $* " in {_REAL[tool]} esac\n{scripts[tool]}\n'
            )
            (folder / tool).chmod(0o755)
        return folder


def after_restore(statements: str) -> str:
    """A script for pg_restore that restores, and then runs SQL in the restored database."""
    return (
        '"$real/pg_restore" "$@" || exit\n'
        "\"$real/psql\" --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 <<'END OF SQL'\n"
        f"SET search_path = public;\n{statements};\nEND OF SQL"
    )


def run(url: str, *statements: str) -> None:
    """Runs SQL, a transaction for each argument."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def configured(store: Path, tools: Sequence[Path] = ()) -> Policy:
    """A database's configuration, as far as a night needs it."""
    return Policy.model_validate(
        {"store": str(store), "source": {"client_folders": [str(each) for each in tools]}}
    )
