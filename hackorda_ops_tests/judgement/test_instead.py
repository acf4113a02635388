"""What a report names in the place of an artifact that failed its drill."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, digest_of, to_bytes
from hackorda_ops.config.models import Policy
from hackorda_ops.drilling.for_the_source import IN_THE_SOURCE
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.environment import Protected
from hackorda_ops.findings import Finding
from hackorda_ops.judgement.instead import with_instead
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.store import Store
from hackorda_ops_tests.artifacts.nights import of_night
from hackorda_ops_tests.drill import results

pytestmark = pytest.mark.server


@pytest.fixture
def protected(tmp_path: Path, s3_server: S3Server, new_bucket: str) -> Protected:
    """A database with an empty store and an empty bucket."""
    environ = {
        "OFFSITE_ENDPOINT_URL": s3_server.endpoint_url,
        "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
    }
    policy = {
        "store": str(tmp_path / "store"),
        "offsite": {"bucket": new_bucket},
        "dump": {"work_folder": str(tmp_path / "work")},
    }
    (tmp_path / "store").mkdir()
    return Protected("hackorda", Policy.model_validate(policy), environ)


def put(store: Store, nights: Sequence[Manifest]) -> None:
    """As much of artifacts as their judgement reads."""
    for night in nights:
        data = to_bytes(night)
        store.put(
            f"{night.prefix}/{MANIFEST_NAME}", BytesIO(data), size_bytes=len(data), sha256=digest_of(data)
        )


def failed(night: Manifest, protected: Protected, finding: Finding | None = None) -> DrillResult:
    """A drill of this artifact off-site that failed about its rows, or about this."""
    drilled = results.sound().artifact
    assert drilled is not None
    location = f"{protected.offsite.describe()}/{night.prefix}"
    found = finding or Finding("rows differ", "public.users", "3 rows", "2 rows", "Look at it.")
    artifact = replace(drilled, artifact_id=night.artifact_id, location=location)
    return results.bad(artifact=artifact, findings=(found,))


def test_the_best_of_the_others_is_named_with_what_is_known_of_it_and_the_way_to_it(
    protected: Protected,
) -> None:
    older, unsound, newest = of_night(16), of_night(17, sound=False), of_night(18)
    put(protected.offsite, (older, unsound, newest))

    result = with_instead(failed(newest, protected), protected)

    assert result.instead is not None
    assert (result.instead.artifact_id, result.instead.known) == (
        older.artifact_id,
        "not proven yet",
    )
    assert result.instead.location == f"{protected.offsite.describe()}/{older.prefix}"
    endpoint = protected.environ["OFFSITE_ENDPOINT_URL"]
    assert f"export OFFSITE_ENDPOINT_URL={endpoint}" in result.how_to_repeat
    assert result.how_to_repeat.splitlines()[-1] == (
        f"hackorda-ops restore hackorda --artifact {older.artifact_id} --offsite {protected.offsite.describe()} "
        "--to-env RESTORE_URL"
    )
    assert all(
        older.artifact_id in line for each in result.by_hand for line in each.commands if "restore" in line
    )


def test_nothing_is_named_where_nothing_else_is_sound(protected: Protected) -> None:
    newest = of_night(18)
    put(protected.offsite, (of_night(17, sound=False), newest))
    put(protected.store, (newest,))

    # What doesn't restore from one place doesn't from the other either.
    assert with_instead(failed(newest, protected), protected).instead is None


def test_nothing_is_named_where_the_artifact_is_good_or_the_source_is_at_fault(protected: Protected) -> None:
    older, newest = of_night(16), of_night(18)
    put(protected.offsite, (older, newest))
    at_fault = Finding("restore failed", "public.users", "a", "b", IN_THE_SOURCE)
    too_slow = Finding("recovery too slow", "recovery", "a", "b", "Look at it.")

    for result in (failed(newest, protected, at_fault), failed(newest, protected, too_slow), results.sound()):
        assert with_instead(result, protected) == result


def test_a_store_that_can_not_be_read_costs_neither_the_verdict_nor_the_report(protected: Protected) -> None:
    result = failed(of_night(18), protected)
    gone = protected.policy.offsite.model_copy(update={"bucket": "nobody-made-this-one"})
    nowhere = replace(
        protected, policy=protected.policy.model_copy(update={"offsite": gone, "copies": "nightly"})
    )

    told = with_instead(result, nowhere)

    assert (told.verdict, told.instead) == ("FAIL", None)
    assert told.warnings[-1].startswith("What to restore instead is not known:")
