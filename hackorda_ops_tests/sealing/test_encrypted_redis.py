"""A Redis whose snapshots are encrypted, by the same code."""

from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops_tests.engines import examples
from hackorda_ops_tests.sealing.keys import everything_in, keygen, with_identity


@pytest.mark.server
def test_an_encrypted_snapshot_names_no_key_and_comes_back(
    tmp_path: Path, s3_server: S3Server, new_bucket: str
) -> None:
    with examples.of_redis(tmp_path, s3_server, new_bucket) as example:
        written = example.protected.policy.model_dump(mode="json", exclude_unset=True)
        policy = Policy.model_validate({**written, "encrypt_to": [keygen(tmp_path / "id.txt")]})
        protected = replace(example.protected, policy=policy)
        first = take_night(protected)
        assert take_night(protected).compared_with == first.manifest.artifact_id
        kept = everything_in(tmp_path / "store")
        for name in (b"user:", b"alice@example.org", b"session"):
            assert name not in kept
        manifest = catalog.read(protected.store, protected.name).newest
        assert manifest is not None
        target = engine_of(policy).target(example.target(), origin="a test")
        brought = bring_back(
            with_identity(protected, tmp_path / "id.txt"),
            protected.store,
            manifest,
            target,
            source=None,
            on_progress=ignore,
        )
    assert (brought.verdict, brought.findings) == ("PASS", ())
