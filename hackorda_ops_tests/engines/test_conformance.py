"""What every engine is held to: a night, its copy, its proof, a restore, a drill; and whatever is damaged is found."""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import Manifest, from_bytes, to_bytes
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.quarter import hold_drill
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.errors import ArtifactDamaged, TargetRefused
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.night_proof.prove import prove
from hackorda_ops.preflight.preflight import preflight
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.recovery.verify import verify
from hackorda_ops.retention.deletion import delete_artifact
from hackorda_ops.retention.prune import prune
from hackorda_ops.stores.store import Store
from hackorda_ops.week import week as weekly
from hackorda_ops_tests.engines import examples
from hackorda_ops_tests.engines.examples import Example


@pytest.fixture(params=["postgres", "redis", "sqlite"])
def example(  # noqa: PLR0917
    request: pytest.FixtureRequest,
    tmp_path: Path,
    s3_server: S3Server,
    new_bucket: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
) -> Iterator[Example]:
    if request.param == "postgres":
        yield examples.of_postgres(
            tmp_path,
            s3_server,
            new_bucket,
            database=lambda: database_on(postgres_server),
            drilled_on=request.getfixturevalue("scratch_server"),
        )
    else:
        of_engine = {"redis": examples.of_redis, "sqlite": examples.of_sqlite}[request.param]
        with of_engine(tmp_path, s3_server, new_bucket) as made:
            yield made


def shipped(example: Example) -> Manifest:
    night = take_night(example.protected)
    assert night.manifest.sound
    weekly.ship(example.protected, night.manifest, on_progress=ignore)
    return night.manifest


def largest_file(store: Store, manifest: Manifest) -> str:
    return max((each for each in manifest.files), key=lambda each: each.size_bytes).path


def flip(store: Store, key: str) -> None:
    with store.open(key) as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 0x55
    store.put(key, io.BytesIO(bytes(data)), size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def test_a_night_is_kept_shipped_verified_restored_drilled_and_deleted(example: Example) -> None:
    protected = example.protected
    concerns = [each for part in preflight(protected) for each in part.concerns]
    assert [each for each in concerns if each.severity.startswith("stops")] == []

    manifest = shipped(example)

    assert from_bytes(to_bytes(manifest), origin="test") == manifest
    assert [each.artifact_id for each in catalog.read(protected.offsite, protected.name).artifacts] == [
        manifest.artifact_id
    ]
    assert manifest.rows >= 999
    assert manifest.parts
    assert verify(protected, protected.offsite, manifest, on_progress=ignore).verdict == "PASS"

    engine = engine_of(protected.policy)
    target = engine.target(example.target(), origin="test")
    back = bring_back(protected, protected.offsite, manifest, target, source=None, on_progress=ignore)
    assert (back.verdict, back.findings) == ("PASS", ())
    with pytest.raises(TargetRefused, match="empty"):
        bring_back(protected, protected.offsite, manifest, target, source=None, on_progress=ignore)
    source = engine.source(protected, private_folder=protected.policy.dump.work_folder / "tls")
    with pytest.raises(TargetRefused, match="source itself"):
        bring_back(protected, protected.offsite, manifest, source, source=source, on_progress=ignore)

    drilled = hold_drill(protected).result
    assert (drilled.verdict, drilled.error) == ("PASS", None), drilled
    assert all(table.equal for table in drilled.tables)

    proved = prove(protected)
    assert (proved.proof.verdict, proved.proof.error) == ("PASS", None), proved.proof
    assert {each.name for each in proved.proof.checks} >= {"files_equal_manifest", "restored_equals_manifest"}

    delete_artifact(
        protected.store, protected.name, manifest.artifact_id, now=datetime.now(UTC) + timedelta(days=2)
    )
    assert catalog.read(protected.store, protected.name).artifacts == ()


def aged(store: Store, manifest: Manifest, days: int) -> Manifest:
    """The same artifact as of so many nights before, beside it."""
    captured_at = manifest.captured_at - timedelta(days=days)
    older = replace(
        manifest,
        artifact_id=f"{captured_at:%Y%m%dT%H%M%SZ}-{days:06x}",
        night=manifest.night - timedelta(days=days),
        captured_at=captured_at,
    )
    for file in manifest.files:
        with store.open(f"{manifest.prefix}/{file.path}") as stream:
            store.put(
                f"{older.prefix}/{file.path}",
                io.BytesIO(stream.read()),
                size_bytes=file.size_bytes,
                sha256=file.sha256,
            )
    data = to_bytes(older)
    digest = hashlib.sha256(data).hexdigest()
    store.put(f"{older.prefix}/manifest.json", io.BytesIO(data), size_bytes=len(data), sha256=digest)
    return older


def test_retention_deletes_the_oldest_nights_in_both_places_and_the_others_still_restore(
    example: Example,
) -> None:
    keep = {"nights": 7, "weeks": 0, "months": 0, "years": 0}
    policy = example.protected.policy.model_dump(mode="json", exclude_unset=True)
    policy["retention"] = {"store": keep, "offsite": keep}
    protected = replace(example.protected, policy=Policy.model_validate(policy))
    newest, places = shipped(example), (protected.store, protected.offsite)
    older = [aged(protected.store, newest, days) for days in range(1, 9)]
    assert older == [aged(protected.offsite, newest, days) for days in range(1, 9)]

    # In three days nothing "was written within the last day" any more.
    done = prune(protected, now=datetime.now(UTC) + timedelta(days=3))

    gone = {each.artifact_id for each in older[6:]}
    assert {each.artifact_id for each in done.deleted} == gone
    assert len(done.deleted) == 4
    for store in places:
        kept = catalog.read(store, protected.name).artifacts
        assert {each.artifact_id for each in kept} == {each.artifact_id for each in (newest, *older[:6])}
        assert not [entry for entry in store.list(protected.name) if entry.key.split("/")[1] in gone]
    oldest = older[5]
    assert verify(protected, protected.offsite, oldest, on_progress=ignore).verdict == "PASS"
    target = engine_of(protected.policy).target(example.target(), origin="test")
    back = bring_back(protected, protected.store, oldest, target, source=None, on_progress=ignore)
    assert (back.verdict, back.findings) == ("PASS", ())


def test_a_byte_that_changed_off_site_is_found(example: Example) -> None:
    protected, manifest = example.protected, shipped(example)
    flip(protected.offsite, f"{manifest.prefix}/{largest_file(protected.offsite, manifest)}")

    verified = verify(protected, protected.offsite, manifest, on_progress=ignore)

    assert verified.verdict == "FAIL"
    target = engine_of(protected.policy).target(example.target(), origin="test")
    with pytest.raises(ArtifactDamaged):
        bring_back(protected, protected.offsite, manifest, target, source=None, on_progress=ignore)
    assert hold_drill(protected).result.verdict == "FAIL"


def test_what_was_lost_since_the_night_before_is_found(example: Example) -> None:
    take_night(example.protected)
    example.lose()

    second = take_night(example.protected).manifest

    assert not second.sound
    assert any("collapsed" in each.code for each in second.findings)
