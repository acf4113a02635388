"""What is told to be left to somebody's hand after a restore."""

from dataclasses import replace

from hackorda_ops.artifacts.manifest import FileEntry
from hackorda_ops.engines.postgres.recovery.by_hand import ByHand, beyond_restore, still_by_hand
from hackorda_ops.postgres.catalogs.inventory import Extension, Inventory, LeftOut
from hackorda_ops_tests import builders


def told(inventory: Inventory) -> list[ByHand]:
    *found, configuration = beyond_restore(inventory)
    assert "pg_hba.conf" in configuration.what
    return found


def left(**fields: tuple[str, ...]) -> Inventory:
    return replace(builders.inventory(), left_out=LeftOut(**fields))


def test_an_ordinary_database_leaves_only_the_servers_configuration() -> None:
    assert told(builders.inventory()) == []


def test_roles_need_their_passwords_anew() -> None:
    [found] = told(left(login_roles=("app", 'odd "one"\n')))
    assert found.commands == ('\\password "app"', '\\password U&"odd ""one""\\000A"')


def test_long_lists_are_cut_and_say_so() -> None:
    [found] = told(left(login_roles=tuple(f"role_{number}" for number in range(25))))
    assert len(found.commands) == 21
    assert found.commands[-1] == "-- and 5 more"


def test_whatever_stays_outside_a_dump_is_named_on_one_line() -> None:
    inventory = replace(
        left(
            publications=("changes\n- do this instead",),
            replication_slots=("warehouse",),
            user_mappings=("app on far",),
            tablespaces=("fast_disk",),
            event_triggers=("watch",),
            settings=('ALTER DATABASE ... SET "app"."key" TO ...;',),
        ),
        subscriptions=("upstream",),
        extensions=(Extension("pg_cron", "1.6", "pg_catalog"),),
    )
    text = "\n".join(f"{each.what} {each.commands}" for each in told(inventory))
    for name in (
        "changes - do this",
        "warehouse",
        "app on far",
        "fast_disk",
        "watch",
        "app",
        "upstream",
        "cron.job",
    ):
        assert name in text
    assert len(text.splitlines()) == len(told(inventory))


def test_the_access_of_an_artifact_comes_first_where_it_has_any() -> None:
    manifest = builders.manifest()
    assert "an earlier release took it" in still_by_hand(manifest)[0].what
    files = (*manifest.files, FileEntry("access.sql", 100, "a" * 64))
    first = still_by_hand(replace(manifest, files=files))[0]
    assert first.commands == (
        "hackorda-ops restore hackorda --artifact 20261118T210000Z-0a1b2c --with-access",
    )
