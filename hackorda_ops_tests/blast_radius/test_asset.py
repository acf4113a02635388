"""The weekly asset and the command say the same: on a folder that this user may write to, nothing survives."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from hackorda_ops.config.models import Config
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops_tests.blast_radius.test_truth_table import protected_by
from hackorda_ops_tests.retention.places import artifact, put_artifact
from hackorda_ops_tests.stores.examples import store_on

pytestmark = pytest.mark.server


def test_the_asset_fails_its_check_as_a_warning_where_no_copy_would_survive(
    s3_server: S3Server, tmp_path: Path
) -> None:
    create_bucket(s3_server, "radius-asset")
    put_artifact(store_on(s3_server, "radius-asset"), artifact(4))
    protected = protected_by(s3_server, "radius-asset", tmp_path, None)
    config = Config.model_validate(
        {"databases": {"hackorda": protected.policy.model_dump(exclude_unset=True)}}
    )
    defs = build_defs(config, resource_overrides={ENVIRON: dict(protected.environ)})

    with dg.DagsterInstance.ephemeral() as instance:
        done = defs.resolve_job_def("hackorda_blast_radius").execute_in_process(instance=instance)

    assert done.success
    [check] = done.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.description == "Whoever owns this machine could destroy every copy."


def test_the_command_names_what_would_be_lost_and_prints_a_policy_that_can_be_pasted(
    s3_server: S3Server, tmp_path: Path
) -> None:
    create_bucket(s3_server, "radius-command")
    put_artifact(store_on(s3_server, "radius-command"), artifact(4))
    protected = protected_by(s3_server, "radius-command", tmp_path, None)
    written = {"databases": {"hackorda": protected.policy.model_dump(mode="json", exclude_unset=True)}}
    (tmp_path / "databases.yaml").write_text(json.dumps(written))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hackorda_ops.cli", "blast-radius", *arguments],
            cwd=tmp_path,
            env={**protected.environ, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    told, policy = run(), run("--policy")

    assert told.returncode == 1
    assert "offsite (s3://radius-command): 1 artifact, 1 day of nights, would be gone" in told.stdout
    assert "make the bucket with object lock" in told.stdout
    allowed = json.loads(policy.stdout)["Statement"]
    assert "s3:DeleteObjectVersion" in allowed[2]["Action"]
    assert allowed[2]["Effect"] == "Deny"
    assert not any("Delete" in action for each in allowed[:2] for action in each["Action"])
