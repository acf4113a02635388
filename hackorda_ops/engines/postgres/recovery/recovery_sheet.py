"""RESTORE.md: how to restore an artifact, written for somebody who has only the artifact."""

from hackorda_ops.artifacts.by_hand import Offsite, fetching
from hackorda_ops.artifacts.checksums import CHECKSUMS_NAME
from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.drilling.result import ByHand
from hackorda_ops.engines.postgres.recovery.by_hand import beyond_restore
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, ClientRecord, TableEvidence
from hackorda_ops.postgres.access.access import ACCESS_NAME, ROLES_NAME
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.sessions.snapshot import Snapshot

_TABLES_SHOWN = 8


def recovery_sheet(
    *,
    database: str,
    artifact_id: str,
    snapshot: Snapshot,
    inventory: Inventory,
    client: ClientRecord,
    tables: tuple[TableEvidence, ...],
    offsite: Offsite,
) -> str:
    """The sheet's text, in Markdown. It names no secret and needs no network to be read.

    Args:
        database: the database's name in databases.yaml.
        artifact_id: the artifact's id.
        snapshot: the snapshot that was dumped.
        inventory: what the database held then.
        client: the client that wrote the dump.
        tables: what each table's data in the dump is; the largest are named.
        offsite: where its copy off-site is to be found.
    """
    source = inventory.source
    largest = sorted(tables, key=lambda table: (-table.rows, table.name))[:_TABLES_SHOWN]
    counts = "\n".join(
        f"SELECT count(*) FROM ONLY {table.name.quoted};  -- {table.rows}" for table in largest
    )
    locale = f" --locale-provider={source.locale_provider}" if source.locale_provider != "libc" else ""
    if source.locale is not None:
        locale += f" --{source.locale_provider}-locale='{source.locale}'"
    extensions = ", ".join(
        f"{extension.name} {extension.version}"
        for extension in inventory.extensions
        if extension.name != "plpgsql"
    )
    by_hand = "\n".join(_to_do(each) for each in beyond_restore(inventory))
    return f"""# Restore {database} as of {snapshot.captured_at:%Y-%m-%d %H:%M:%S} UTC

Artifact `{artifact_id}`: {sum(table.rows for table in tables):,} rows in {len(tables)} tables, from database
`{source.database}` on Postgres {source.server_version}. `{MANIFEST_NAME}` next to this file is the evidence: it
lists every file with its SHA-256, and every table with its rows and digest. `{CHECKSUMS_NAME}` has the hashes alone,
for `sha256sum`.

## What you need

- pg_restore of Postgres {client.major} (the dump was written by {client.version}), and a server of that version
- extensions on that server: {extensions or "none"}
- a new, empty database. Never restore over one that is in use.

## With hackorda_ops

It fetches the artifact, checks it, restores it and compares every row with the manifest:

```sh
export RESTORE_URL='postgresql://…'          # the new, empty database
{offsite.exports}
{offsite.restore(database, artifact_id)}
```

`--with-access` also creates the missing roles, and applies owners, grants and settings.

## Without it

{fetching(offsite, f"{database}/{artifact_id}")}

Then, in that folder, with PGHOST, PGPORT, PGUSER and PGPASSWORD set for the new server. The first line
creates the roles that are missing there; a restore stops without those that policies name.

```sh
psql -v ON_ERROR_STOP=1 --dbname=postgres --file={ROLES_NAME}
createdb --template=template0 --encoding={source.encoding} \\
  --lc-collate='{source.collation}' --lc-ctype='{source.character_type}'{locale} restored
pg_restore --dbname=restored --jobs=2 --no-owner --no-privileges --no-subscriptions --no-tablespaces \\
  --exit-on-error {DUMP_FOLDER_NAME}
```

Then count the rows; each number after `--` is the expected count:

```sql
{counts or "-- this database has no tables"}
```

Finally, the source's owners, grants and settings, as a superuser or a member of all the owners:

```sh
psql -v ON_ERROR_STOP=1 --dbname=restored --file={ACCESS_NAME}
```

## What is left to do by hand

`{ROLES_NAME}` has the roles without their passwords, `{ACCESS_NAME}` the settings of the database, owners and grants;
both are SQL, one statement per line. In addition:

{by_hand}
"""


def _to_do(each: ByHand) -> str:
    commands = "".join(f"\n      {command}" for command in each.commands)
    return f"- {each.what}\n{commands}\n" if commands else f"- {each.what}"
