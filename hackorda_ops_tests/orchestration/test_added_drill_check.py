"""A check that the package doesn't know, added by one line: it runs, decides, and is in the report and in Dagster."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterInstance

from hackorda_ops.calendar.partitions import quarter_of
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.drill.checks.registry import register, unregister
from hackorda_ops.drill.judgement import complete, judge
from hackorda_ops.drill.report.history import read_past
from hackorda_ops.drilling.declaration import DrillCheck
from hackorda_ops.engines.postgres.drill.copy import Copy
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.migrations.commands import running
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks

DRILL_REPORT = AssetKey(["shop", "drill_report"])
NAME = "every_user_has_a_name"


@dataclass
class Nameless:
    """The added check, and whether the copy was already migrated when it ran."""

    after_migrations: list[bool] = field(default_factory=list)

    @property
    def check(self) -> DrillCheck:
        return DrillCheck(
            name=NAME,
            title="Every user has a name",
            description="Users of the restored database were looked at for names.",
            essential=True,
            lacking=lambda policy: "" if policy.key_tables else "no key tables",
            run=self.look,
        )

    def look(self, copy: Copy) -> None:
        row = copy.connection.execute("SELECT count(*) FROM public.users WHERE name IS NULL").fetchone()
        assert row is not None
        self.after_migrations.append(copy.drilling.record.migration is not None)
        copy.drilling.record.decided(NAME, row[0] == 0, f"{row[0]} users have no name.")


@pytest.fixture
def nameless() -> Iterator[Nameless]:
    added = Nameless()
    check = added.check
    register(check)
    yield added
    unregister(check)


@pytest.fixture
def shipped(
    nameless: Nameless, protected: CodeLocation, scratch_server: PostgresServer, instance: DagsterInstance
) -> Callable[[], CodeLocation]:
    """Takes a night of the shop, and copies it."""

    def ship() -> CodeLocation:
        shop = {
            **dict(protected.config.databases["shop"]),
            "scratch": {"server": {"superuser": "postgres"}},
            "key_tables": ["users"],
            "migrate": {"command": running("CREATE TABLE migrated ()")},
            "dump": {"work_folder": str(protected.store.parent / "work")},
        }
        drilled = replace(
            protected,
            config=Config(databases={"shop": Policy.model_validate(shop)}),
            environ={
                **protected.environ,
                "PATH": "/usr/bin:/bin",
                "SCRATCH_ADMIN_URL": scratch_server.url(),
            },
        )
        assert drilled.run("shop_night", drilled.tonight, instance).success
        assert drilled.run("shop_week", drilled.this_week, instance).success
        return drilled

    return ship


@pytest.mark.server
def test_an_added_check_runs_on_the_copy_and_is_in_the_report_and_in_dagster(
    shipped: Callable[[], CodeLocation], instance: DagsterInstance, nameless: Nameless
) -> None:
    shop = shipped()

    result = shop.run("shop_quarter", quarter_of(shop.tonight), instance)

    assert result.success
    assert checks(result)[NAME].passed
    assert nameless.after_migrations == [False]
    spec = shop.definitions().resolve_asset_graph().get_check_spec(AssetCheckKey(DRILL_REPORT, NAME))
    assert spec.description == "Users of the restored database were looked at for names."
    [drill] = read_past(FolderStore(shop.store), "shop")
    assert [(each.outcome, each.summary) for each in drill.checks if each.name == NAME] == [
        ("passed", "0 users have no name.")
    ]
    [page] = shop.store.glob("shop/drills/*/report.html")
    assert "Every user has a name<p>0 users have no name.</p>" in page.read_text(encoding="utf-8")


@pytest.mark.server
def test_an_added_check_that_fails_is_a_fail(
    shipped: Callable[[], CodeLocation], protected: CodeLocation, instance: DagsterInstance
) -> None:
    protected.execute("UPDATE users SET name = NULL WHERE id <= 3")
    shop = shipped()

    result = shop.run("shop_quarter", quarter_of(shop.tonight), instance)

    assert not result.success
    assert not checks(result)[NAME].passed
    [drill] = read_past(FolderStore(shop.store), "shop")
    assert (drill.verdict, drill.error) == ("FAIL", None)
    [text] = shop.store.glob("shop/drills/*/report.md")
    assert "Not met: every user has a name." in text.read_text(encoding="utf-8")


def test_an_added_essential_check_that_was_not_made_is_no_pass(nameless: Nameless) -> None:
    made = complete(tuple(replace(each, outcome="passed") for each in complete(()) if each.name != NAME))

    verdict, problem = judge(made, (), None)

    assert verdict == "ERROR"
    assert problem is not None
    assert "the drill ended before this check" in problem.what


def test_a_name_is_taken_once(nameless: Nameless) -> None:
    with pytest.raises(ValueError, match=NAME):
        register(nameless.check)
