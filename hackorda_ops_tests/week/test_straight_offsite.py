"""Nights that go straight to the off-site bucket: one copy every night, and the provider's history as the other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dagster import AssetKey

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.drill.quarter import hold_drill
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.local.neon import running_local_neon
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.night.night import Night, take_night
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.preflight.preflight import preflight
from hackorda_ops.progress import ignore
from hackorda_ops.readiness.assessment import assess
from hackorda_ops.readiness.judgement import judge
from hackorda_ops.readiness.standing import read_standing
from hackorda_ops.readiness.survey import read_survey
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.retention.prune import plan_retention, prune
from hackorda_ops.week import week
from hackorda_ops_tests.config.test_models import load, problems
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.postgres.awkward import target_of
from hackorda_ops_tests.readiness.test_judgement import IN_ORDER

STRAIGHT = Policy.model_validate({"copies": "nightly", "offsite": {"bucket": "nights"}})


@dataclass(frozen=True)
class Straight:
    """A database on Neon, and a night that went straight to its bucket."""

    protected: Protected
    night: Night


@pytest.fixture(scope="module")
def straight(
    postgres_server: PostgresServer,
    server_folder: Path,
    s3_server: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Straight]:
    url = create_database(postgres_server, "straight offsite")
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE notes AS SELECT n AS id, 'note ' || n AS body FROM generate_series(1, 300) n"
        )
    create_bucket(s3_server, "straight-offsite")
    policy = {
        "copies": "nightly",
        # As Backblaze B2 is written: an endpoint of its own, and fewer parts than on AWS.
        "offsite": {
            "bucket": "straight-offsite",
            "endpoint_url": s3_server.endpoint_url,
            "region": s3_server.region,
            "max_parts": 1000,
        },
        "scratch": {"neon": {}},
        "dump": {"work_folder": str(tmp_path_factory.mktemp("work"))},
    }
    with running_local_neon(postgres_server, server_folder / "neon-straight") as plane:
        environ = {
            **PROGRAMS,
            "DATABASE_URL": url,
            "NEON_PROJECT_ID": plane.project_id,
            "NEON_API_KEY": plane.api_key,
            "NEON_API_URL": plane.base_url,
            "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
        }
        protected = Protected("notes", Policy.model_validate(policy), environ)
        yield Straight(protected, take_night(protected))


@pytest.mark.server
def test_a_night_is_in_the_bucket_alone_and_was_read_back_from_it(straight: Straight) -> None:
    protected, night = straight.protected, straight.night

    assert night.location.startswith("s3://straight-offsite/notes/")
    assert [each.artifact_id for each in catalog.read(protected.offsite, "notes").artifacts] == [
        night.manifest.artifact_id
    ]
    assert night.copy
    assert night.copy.files_read_back == len(night.manifest.files) + 1
    assert not list(protected.policy.dump.work_folder.rglob("*.json"))  # nothing stays on this machine
    assert protected.known_stores == (protected.offsite,)
    with pytest.raises(ConfigError, match="go straight to the off-site bucket"):
        week.ship(protected, night.manifest)
    with pytest.raises(ConfigError, match="copies: nightly"):
        week.ship_week(protected, week=night.manifest.night)


@pytest.mark.server
def test_a_drill_restores_the_night_and_the_database_is_ready(straight: Straight) -> None:
    protected, now = straight.protected, datetime.now(UTC)
    before = judge(read_standing(protected, now=now), protected.policy)

    held = hold_drill(protected)

    result = held.result
    assert (result.verdict, held.not_stored) == ("PASS", ()), result.error or result.findings
    assert result.artifact
    assert result.artifact.artifact_id == straight.night.manifest.artifact_id
    assert {check.name: check.outcome for check in result.checks}["branch_equals_manifest"] == "passed"
    assert len(held.pages) == 1
    now = datetime.now(UTC)
    standing = read_standing(protected, now=now)
    assert before.word == "AT RISK"
    assert "No restore point has ever been proven." in before.reasons
    assert (standing.problems, standing.overdue, standing.history_was_used) == ((), (), True)
    assert standing.newest_copy == standing.newest_night
    assert standing.last_proven
    assert standing.last_proven.kept
    assert judge(standing, protected.policy).word == "OK"
    ready = assess(read_survey(protected, now=now), protected.policy)
    assert [cost.stored.place for cost in ready.costs] == ["offsite"]
    assert [each.kind for each in ready.asked] == ["proof", "night", "quarter", "year"]
    # A week later, nothing having come: the night is overdue, and no copy is.
    late = read_standing(protected, now=now + timedelta(days=8))
    assert {each.kind for each in late.overdue} == {"night"}


@pytest.mark.server
def test_a_night_is_restored_from_the_bucket(straight: Straight, new_database: str) -> None:
    brought = bring_back(
        straight.protected,
        straight.protected.offsite,
        straight.night.manifest,
        target_of(new_database),
        source=None,
        on_progress=ignore,
    )

    assert brought.findings == ()
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (300,)


@pytest.mark.server
def test_nothing_is_deleted_from_the_bucket_unless_its_own_policy_says_so(straight: Straight) -> None:
    protected = straight.protected
    kept_for = Policy.model_validate(
        {
            **protected.policy.model_dump(mode="json", exclude_unset=True),
            "retention": {"offsite": {"nights": 7}},
        }
    )

    plan = plan_retention(protected)
    done = prune(replace(protected, policy=kept_for))

    assert [(each.held.place, each.keep) for each in plan.decisions] == [("offsite", True)]
    assert any("nothing is ever deleted there" in note for note in plan.notes)
    assert done.deleted == ()
    assert done.plan.notes == ()
    assert not protected.policy.deletes
    assert kept_for.deletes


@pytest.mark.server
def test_preflight_knows_that_store_and_bucket_are_one_place(straight: Straight) -> None:
    seen = preflight(straight.protected)

    assert [each.what for part in seen for each in part.concerns if "same place" in each.what] == []
    assert {each.part for each in seen} >= {"store", "off-site"}


def alone(policy: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    night = IN_ORDER.newest_night
    judged = judge(
        replace(IN_ORDER, newest_copy=night, history_was_used=policy.pop("used", False)),
        Policy.model_validate({"copies": "nightly", **policy}),
    )
    return judged.word, judged.reasons


def test_one_copy_without_a_history_that_was_used_is_a_risk() -> None:
    assert alone({"used": True}) == ("OK", ())
    assert alone({}) == (
        "AT RISK",
        (
            "The off-site bucket holds the only copy that is known to be one: no night was read from the provider's "
            "history, and no exercise has recovered from it.",
        ),
    )
    assert alone({"scratch": {"server": {}}}) == (
        "AT RISK",
        ("The off-site bucket holds the only copy: nothing keeps a history of the source beside it.",),
    )


def test_without_anything_in_the_bucket_the_database_is_unprotected() -> None:
    nothing = replace(
        IN_ORDER, newest_night=None, newest_sound_night=None, newest_copy=None, history_was_used=True
    )
    assert judge(nothing, STRAIGHT).word == "UNPROTECTED"


def test_there_is_no_week_in_dagster_and_the_drill_follows_the_nights() -> None:
    definitions = build_defs(Config(databases={"shop": STRAIGHT}))
    graph = definitions.resolve_asset_graph()

    keys = {each.path[-1] for each in graph.get_all_asset_keys()}
    assert "offsite_copy" not in keys
    assert graph.get(AssetKey(["shop", "restore_drill"])).parent_keys == {AssetKey(["shop", "nightly_dump"])}
    names = {each.name for each in graph.asset_check_keys if each.asset_key.path[-1] == "nightly_dump"}
    assert "offsite_equals_manifest" in names
    schedules = {each.name for each in definitions.schedules or ()}
    assert {"shop_week", "shop_copy_every_week"} & schedules == set()
    assert "shop_week" not in {each.name for each in definitions.resolve_all_job_defs()}


def test_a_store_beside_nightly_copies_is_refused_unless_it_is_a_default(tmp_path: Path) -> None:
    said = problems(tmp_path, "databases: {shop: {copies: nightly, store: backups, offsite: {bucket: b}}}")
    assert "databases.shop: copies: nightly sends the nights straight to offsite; leave out store" in said

    shop = load(
        tmp_path, "defaults: {store: backups}\ndatabases: {shop: {copies: nightly, offsite: {bucket: b}}}"
    ).databases["shop"]
    assert shop.store == shop.offsite


def test_missing_variables_of_the_bucket_are_reported_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Protected("shop", STRAIGHT, {}).require("store", "offsite")

    assert caught.value.what.count("OFFSITE_SECRET_ACCESS_KEY") == 1
    assert "databases.shop.offsite.secret_access_key_env" in caught.value.what
