"""What a real recovery still needs by hand, after the rows are restored. Pure."""

from collections.abc import Iterable, Iterator

from hackorda_ops.drilling.result import ByHand
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.postgres.access.access import ACCESS_NAME
from hackorda_ops.postgres.access.one_line_sql import identifier
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.words import named, shortened

# Beyond this many, a list is no longer useful: it is cut, and says so.
_NAMES_SHOWN = 20


def still_by_hand(manifest: PostgresManifest) -> tuple[ByHand, ...]:
    """What is left to do after a plain restore of an artifact."""
    if has_access(manifest):
        access = ByHand(
            "A plain restore leaves out roles, owners, grants and settings. The artifact has them: use restore "
            "--with-access, or run roles.sql before it and access.sql after it, as RESTORE.md shows.",
            (f"hackorda-ops restore {manifest.database} --artifact {manifest.artifact_id} --with-access",),
        )
    else:
        access = ByHand(
            "Roles, owners, grants and settings are not in this artifact: an earlier release took it. Recreate them "
            "as they were.",
        )
    return (access, *beyond_restore(manifest.inventory))


def has_access(manifest: PostgresManifest) -> bool:
    """Whether an artifact records roles, owners, grants and settings; those of earlier releases don't."""
    return any(file.path == ACCESS_NAME for file in manifest.files)


def beyond_restore(inventory: Inventory) -> Iterator[ByHand]:
    """What neither a dump nor a captured role can restore."""
    left = inventory.left_out
    if left.login_roles:
        yield ByHand(
            "Passwords are in no backup. Set new ones, so that these roles can log in.",
            _shown(f"\\password {identifier(role)}" for role in left.login_roles),
        )
    if left.settings:
        yield ByHand(
            "These settings are the application's own, so their values were not read, or they apply to every role "
            "of the server, so they are not applied automatically.",
            _shown(left.settings),
        )
    if left.user_mappings:
        yield ByHand(
            f"User mappings ({_names(left.user_mappings)}) may lack their passwords after a restore, and their "
            "servers may have changed.",
            ("ALTER USER MAPPING FOR … SERVER … OPTIONS (SET password '…');",),
        )
    if inventory.subscriptions:
        yield ByHand(
            f"Subscriptions ({_names(inventory.subscriptions)}) are not restored, so no copy receives the source's "
            "changes. Recreate them where they are wanted.",
            _shown(
                f"CREATE SUBSCRIPTION {identifier(name)} CONNECTION '…' PUBLICATION …;"
                for name in inventory.subscriptions
            ),
        )
    if left.publications or left.replication_slots:
        named = _names((*left.publications, *left.replication_slots))
        yield ByHand(
            f"Consumers of this database's changes (publications and slots: {named}) must be pointed to the new "
            "server. Slots are never restored; subscribers start with a new copy.",
        )
    if left.tablespaces:
        yield ByHand(
            f"Everything is restored into the default tablespace; the source also uses {_names(left.tablespaces)}.",
            _shown(f"ALTER TABLE … SET TABLESPACE {identifier(name)};" for name in left.tablespaces),
        )
    if left.event_triggers:
        yield ByHand(
            f"Event triggers ({_names(left.event_triggers)}) need a superuser to restore: a restore by another role "
            "stops at them."
        )
    if any(extension.name == "pg_cron" for extension in inventory.extensions):
        yield ByHand(
            "pg_cron jobs are restored with the dump and run in the restored database as well. Review them "
            "before its server is configured to run any.",
            ("SELECT jobid, schedule, command, active FROM cron.job;",),
        )
    yield ByHand(
        "The server's own configuration (postgresql.conf, pg_hba.conf, what it preloads) is in no dump. Compare it "
        "with the old server's, and point the application's connection strings to the new one."
    )


def _shown(commands: Iterable[str]) -> tuple[str, ...]:
    return shortened(commands, _NAMES_SHOWN, "-- and {} more")


def _names(names: tuple[str, ...]) -> str:
    # A name may hold line breaks, and what follows one must not look like a line of ours.
    return named((" ".join(name.split()) for name in names), _NAMES_SHOWN)
