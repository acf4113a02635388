"""The doctor ticks what is as it must be, and nothing else; what it can't look at it doesn't tick either."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Policy
from hackorda_ops.cutover.state import StepDone, new_state, save
from hackorda_ops.cutover.steps import NAMES
from hackorda_ops.doctor import buckets, checklist, surroundings
from hackorda_ops.doctor.answer import Answer, worst
from hackorda_ops.doctor.patient import Patient
from hackorda_ops.doctor.registry import QUESTIONS, Question, examine
from hackorda_ops.engines.postgres.inspection.examination import connection_concerns, version_concerns
from hackorda_ops.environment import Protected
from hackorda_ops.errors import StoreRefused
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.stores.settings import BucketSettings
from hackorda_ops_tests.drill.fixtures import Night, Shipped
from hackorda_ops_tests.e2e.redis import running_redis

Ship = Callable[[Night], Shipped]
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def patient_of(protected: Protected, now: datetime | None = None) -> Patient:
    return Patient(protected, Alerts(), now or datetime.now(UTC))


@pytest.fixture
def shipped(ship: Ship, night: Night) -> Shipped:
    return ship(night)


@pytest.fixture
def client(s3_server: S3Server) -> Any:
    return s3_server.client()


def test_a_new_bucket_of_the_same_account_keeps_no_versions_and_locks_nothing(shipped: Shipped) -> None:
    patient = patient_of(shipped)
    assert buckets.exists(patient).outcome == "ok"
    assert buckets.versions(patient).outcome == "attention"
    assert buckets.lock(patient).outcome == "attention"
    assert buckets.life_cycle(patient).outcome == "ok"
    assert buckets.private(patient).outcome == "ok"


def test_a_bucket_with_versions_and_locks_is_ticked(shipped: Shipped, client: Any) -> None:
    client.put_bucket_versioning(Bucket=shipped.bucket, VersioningConfiguration={"Status": "Enabled"})
    assert buckets.versions(patient_of(shipped)).outcome == "ok"
    client.put_bucket_versioning(Bucket=shipped.bucket, VersioningConfiguration={"Status": "Suspended"})
    assert buckets.versions(patient_of(shipped)).outcome == "attention"
    client.create_bucket(
        Bucket=f"{shipped.bucket}-locked",
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    offsite = {**shipped.written["offsite"], "bucket": f"{shipped.bucket}-locked"}
    unlocked = buckets.lock(patient_of(shipped.changed(offsite=offsite)))
    assert (unlocked.outcome, "nothing is locked" in unlocked.seen) == ("attention", True)
    offsite["lock"] = {"mode": "governance", "days": 14}
    locked = buckets.lock(patient_of(shipped.changed(offsite=offsite)))
    assert (locked.outcome, "14 days, in governance mode" in locked.seen) == ("ok", True)


def test_a_lock_that_is_configured_and_not_there_is_a_problem(shipped: Shipped) -> None:
    offsite = {**shipped.written["offsite"], "object_lock_days": 30}
    assert buckets.lock(patient_of(shipped.changed(offsite=offsite))).outcome == "problem"


@pytest.mark.parametrize(
    ("prefix", "status", "outcome"),
    [
        ("", "Enabled", "problem"),
        ("hackorda/2026", "Enabled", "problem"),
        ("hackorda/", "Disabled", "ok"),
        ("logs/", "Enabled", "ok"),
    ],
)
def test_a_life_cycle_that_removes_our_files_is_a_problem(
    shipped: Shipped, client: Any, prefix: str, status: str, outcome: str
) -> None:
    rule = {"ID": "old", "Filter": {"Prefix": prefix}, "Status": status, "Expiration": {"Days": 30}}
    client.put_bucket_lifecycle_configuration(Bucket=shipped.bucket, LifecycleConfiguration={"Rules": [rule]})
    answer = buckets.life_cycle(patient_of(shipped))
    assert answer.outcome == outcome
    assert ("after 30 days" in answer.seen) == (outcome == "problem")


def test_a_bucket_that_everybody_can_read_is_a_problem(shipped: Shipped, client: Any) -> None:
    client.put_bucket_acl(Bucket=shipped.bucket, ACL="public-read")
    answer = buckets.private(patient_of(shipped))
    assert answer.outcome == "problem"
    assert "Block public access" in answer.next_step


def test_what_a_key_may_not_ask_is_unknown_and_never_ticked(shipped: Shipped) -> None:
    patient = patient_of(shipped)
    settings = shipped.offsite.settings()  # type: ignore[attr-defined]
    silent = replace(
        settings,
        versioning=None,
        lock=None,
        expiry=None,
        public=None,
        owner=None,
        unknown=dict.fromkeys(
            ("versions", "lock", "life cycle", "public access", "owner"), "the key may not ask"
        ),
    )
    for found in (silent, StoreRefused("No.", meaning="Nothing.", next_step="Ask.")):
        patient.__dict__["buckets"] = {"offsite": found}
        for ask in (buckets.versions, buckets.lock, buckets.life_cycle, buckets.private):
            assert ask(patient).outcome == "unknown"


def test_an_off_site_bucket_on_this_machine_is_not_off_site(shipped: Shipped) -> None:
    answer = buckets.another_account(patient_of(shipped))
    assert (answer.outcome, "on this machine" in answer.seen) == ("problem", True)


@pytest.mark.parametrize(
    ("endpoints", "owners", "outcome"),
    [
        ((None, None), ("a", "b"), "ok"),
        ((None, None), ("a", "a"), "attention"),
        ((None, None), (None, "a"), "unknown"),
        ((None, "https://s3.eu-central-003.backblazeb2.com"), (None, None), "ok"),
        ((None, "http://localhost:9000"), ("a", "b"), "problem"),
        ((None, "http://[::1]:9000"), ("a", "b"), "problem"),
    ],
)
def test_two_accounts_are_told_apart_where_that_can_be_told(
    shipped: Shipped,
    endpoints: tuple[str | None, str | None],
    owners: tuple[str | None, str | None],
    outcome: str,
) -> None:
    patient = patient_of(shipped)
    places = ("store", "offsite")
    patient.__dict__["places"] = {
        place: S3Store(place, endpoint_url=endpoint, access_key_id="id", secret_access_key="key")
        for place, endpoint in zip(places, endpoints, strict=True)
    }
    patient.__dict__["buckets"] = {
        place: BucketSettings("on", True, (), False, owner)
        for place, owner in zip(places, owners, strict=True)
    }
    assert buckets.another_account(patient).outcome == outcome


def test_two_buckets_of_one_account_have_one_owner(shipped: Shipped, client: Any) -> None:
    client.create_bucket(
        Bucket=f"{shipped.bucket}-store", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    store = {**shipped.written["offsite"], "bucket": f"{shipped.bucket}-store"}
    found = patient_of(shipped.changed(store=store)).buckets
    owners = {settings.owner for settings in found.values() if isinstance(settings, BucketSettings)}
    assert len(found) == 2
    assert len(owners) == 1
    assert owners != {None}


def test_a_bucket_that_is_gone_is_a_problem(shipped: Shipped) -> None:
    offsite = {**shipped.written["offsite"], "bucket": "no-such-bucket"}
    patient = patient_of(shipped.changed(offsite=offsite))
    assert buckets.exists(patient).outcome == "problem"
    assert buckets.versions(patient).outcome == "unknown"


def test_an_abandoned_upload_of_ours_is_ended_and_nobody_elses(shipped: Shipped, client: Any) -> None:
    assert buckets.abandoned_uploads(patient_of(shipped)).outcome == "ok"
    # This server dates every upload to 2010.
    for key in ("hackorda/20260101T000000Z-abcdef/dump/1.dat", "others/1.dat"):
        client.create_multipart_upload(Bucket=shipped.bucket, Key=key)
    answer = buckets.abandoned_uploads(patient_of(shipped))
    assert answer.outcome == "attention"
    assert answer.remedy is not None
    assert answer.remedy.carry_out() == f"Ended 1 upload in {shipped.offsite.describe()}."
    left = client.list_multipart_uploads(Bucket=shipped.bucket)["Uploads"]
    assert [each["Key"] for each in left] == ["others/1.dat"]


def test_a_folder_that_others_can_reach_is_closed(shipped: Shipped, tmp_path: Path) -> None:
    work = shipped.policy.dump.work_folder
    work.mkdir(parents=True, exist_ok=True)
    work.chmod(0o755)
    reachable = [each for each in (work, *work.parents) if not each.stat().st_mode & 0o011]
    answer = surroundings.own_folders(patient_of(shipped))
    if reachable:
        assert answer.outcome == "ok"  # no other user gets as far as that folder
        return
    assert answer.outcome == "attention"
    assert answer.remedy is not None
    answer.remedy.carry_out()
    assert work.stat().st_mode & 0o777 == 0o700
    assert surroundings.own_folders(patient_of(shipped)).outcome == "ok"


def test_a_folder_open_to_others_all_the_way_is_closed(shipped: Shipped, server_folder: Path) -> None:
    work = server_folder / "open work"
    work.mkdir(mode=0o755)
    patient = patient_of(shipped.changed(dump={"work_folder": str(work)}))
    answer = surroundings.own_folders(patient)
    assert answer.outcome == "attention"
    assert answer.remedy is not None
    assert answer.remedy.carry_out() == f"{work} had the mode 755, and has 700 now."
    assert surroundings.own_folders(patient).outcome == "ok"


def test_the_checklist_ticks_what_was_done_and_nothing_else(shipped: Shipped) -> None:
    now = shipped.manifest.captured_at + timedelta(minutes=5)
    since = shipped.manifest.night.isoformat()
    patient = patient_of(shipped.changed(schedule={"since": since}), now)
    assert checklist.instance(patient).outcome == "ok"
    assert checklist.due("night")(patient).outcome == "ok"
    assert checklist.due("week")(patient).outcome == "ok"
    assert checklist.drill(patient).outcome == "attention"  # none yet, and none overdue
    assert checklist.provider_backups(patient).outcome == "unknown"
    assert checklist.cutover(patient).outcome == "none"
    assert checklist.due("year")(patient).outcome == "none"
    late = patient_of(patient.protected, now + timedelta(days=200))
    for kind in ("night", "week", "quarter"):
        assert checklist.due(kind)(late).outcome == "problem"  # type: ignore[arg-type]


def test_the_providers_past_is_held_against_the_policy(branching: Shipped) -> None:
    short, long = (branching.changed(objectives={"history_days": days}) for days in (0.1, 400))
    assert checklist.provider_backups(patient_of(short)).outcome == "ok"
    answer = checklist.provider_backups(patient_of(long))
    assert answer.outcome == "problem"
    assert "objectives.history_days" in answer.next_step
    wrong = branching.changed(environ={"NEON_API_KEY": "wrong"})
    [found] = examine(patient_of(wrong), [each for each in QUESTIONS if each.name == "provider's backups"])
    assert found.answer.outcome == "unknown"


def test_a_cutover_is_ticked_once_it_is_finished(shipped: Shipped) -> None:
    moving = shipped.changed(cutover={"target": {"url_env": "NEW_URL"}})
    assert checklist.cutover(patient_of(moving)).outcome == "attention"
    assert not (moving.policy.dump.work_folder / "cutover").exists()
    state = new_state(moving, source="the old", target="the new", now=NOW)
    save(moving, state.beginning("quiesce"))
    stopped = checklist.cutover(patient_of(moving))
    assert (stopped.outcome, "before its step" in stopped.seen) == ("problem", True)
    for name in NAMES:
        state = state.finishing(StepDone(name, NOW, 1.0, "Done."))
    save(moving, state)
    assert checklist.cutover(patient_of(moving)).outcome == "ok"


def test_what_is_due_is_unknown_where_no_place_can_be_read(shipped: Shipped) -> None:
    offsite = {**shipped.written["offsite"], "bucket": "no-such-bucket"}
    answer = checklist.due("week")(patient_of(shipped.changed(offsite=offsite)))
    assert answer.outcome == "unknown"
    assert "no-such-bucket" in answer.seen


def test_alarms_and_heartbeats_are_ticked_once_somebody_hears_of_it(shipped: Shipped) -> None:
    patient = patient_of(shipped)
    assert surroundings.alarms(patient).outcome == "problem"
    assert surroundings.heartbeats(patient).outcome == "attention"
    told = shipped.changed(
        heartbeats={"night_env": "PING_URL"},
        environ={"ALERT_WEBHOOK_URL": "https://chat.example.com/x", "PING_URL": "https://ping.example.com/x"},
    )
    assert surroundings.alarms(patient_of(told)).outcome == "ok"
    assert surroundings.heartbeats(patient_of(told)).outcome == "ok"


def test_a_version_is_judged_by_its_last_day(shipped: Shipped) -> None:
    def severities(major: int, today: date) -> list[str]:
        return [each.what for each in version_concerns(major, today)]

    assert severities(17, date(2026, 11, 27)) == []
    assert severities(99, date(2026, 11, 27)) == []
    assert "no longer maintained since 2026-11-12" in severities(14, date(2026, 11, 13))[0]
    assert "maintained until 2026-11-12 only" in severities(14, date(2026, 11, 12))[0]
    assert "no longer maintained" in severities(9, date(2026, 11, 27))[0]


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, []),
        ({"pool": 20}, []),
        ({"pool": 46}, ["worth knowing"]),
        ({"pool": 91}, ["stops the night"]),
        ({"pool": 91, "pooled": True}, []),
        ({"used": 80}, ["worth knowing"]),
        ({"used": 92}, ["stops the night"]),
        ({"role_limit": 3}, ["stops the night"]),
        ({"role_limit": -1}, []),
    ],
)
def test_connections_must_suffice_for_the_application_and_a_night(
    changes: dict[str, Any], severity: list[str]
) -> None:
    given: dict[str, Any] = {
        "limit": 100, "reserved": 3, "used": 10, "role_limit": -1, "ours": 7, "pool": None,
        "pool_name": "DB_POOL_MAX", "pooled": False,
    }  # fmt: skip
    assert [each.severity for each in connection_concerns(**given | changes)] == severity


def test_the_pool_of_the_applications_environment_is_held_against_the_server(shipped: Shipped) -> None:
    patient = patient_of(shipped.changed(environ={"DB_POOL_MAX": "500"}))
    found = dict(checklist.server(patient))
    assert found["connections"].outcome == "problem"
    assert "$DB_POOL_MAX" in found["connections"].seen
    assert found["version"].seen.startswith("Postgres 17, maintained until 2029-11-08")


BUG = "Please report this: it's a bug."


def test_every_question_can_be_asked_of_a_database_with_a_history(branching: Shipped) -> None:
    found = list(examine(patient_of(branching)))
    assert {each.name for each in found} >= {each.name for each in QUESTIONS if isinstance(each, Question)}
    assert [each for each in found if each.answer.next_step == BUG] == []


def test_every_question_can_be_asked_of_a_redis_server_with_nothing_else_configured(tmp_path: Path) -> None:
    policy = Policy.model_validate(
        {
            "engine": "redis",
            "source": {"url_env": "REDIS_URL"},
            "store": str(tmp_path / "store"),
            "dump": {"work_folder": str(tmp_path / "work")},
            "schedule": {"since": "2026-01-01"},
        }
    )
    with running_redis(tmp_path) as url:
        protected = Protected("cache", policy, {"PATH": os.environ["PATH"], "REDIS_URL": url})
        found = list(examine(patient_of(protected)))
    assert [each for each in found if each.answer.next_step == BUG] == []
    outcomes = {each.name: each.answer.outcome for each in found}
    assert (outcomes["instance"], outcomes["places"], outcomes["nightly dump"]) == (
        "ok",
        "problem",
        "problem",
    )
    assert not (tmp_path / "work").exists()


def test_the_worst_of_several_answers_counts() -> None:
    answers = [Answer("ok", "One."), Answer("unknown", "Two.", "Ask."), Answer("attention", "Three.")]
    assert worst(answers) == Answer("unknown", "Two.", "Ask.")


def test_a_question_that_fails_keeps_no_other_from_being_asked_and_is_not_ticked(shipped: Shipped) -> None:
    def refuses(_: Patient) -> Answer:
        raise StoreRefused("It refused.", meaning="Nothing.", next_step="Ask again.")

    def breaks(_: Patient) -> Answer:
        raise RuntimeError("aigerim@example.kz")

    questions = [Question("one", "g", "?", refuses), Question("two", "g", "?", breaks), *QUESTIONS[6:7]]
    found = list(examine(patient_of(shipped), questions))
    assert [each.answer.outcome for each in found] == ["unknown", "unknown", "none"]
    assert found[0].answer.seen == "It refused."
    assert "aigerim" not in str(found)
