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
from hackorda_ops.orchestration.upkeep.blast_radius import NOTHING_HIDDEN
from hackorda_ops.readiness.assessment import assess
from hackorda_ops.readiness.survey import read_survey
from hackorda_ops.retention.wanted import hidden_problems
from hackorda_ops_tests.blast_radius.test_truth_table import protected_by
from hackorda_ops_tests.retention.places import NOW, artifact, put_artifact
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
    check, hidden = done.get_asset_check_evaluations()
    assert hidden.passed
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


def test_a_hidden_artifact_fails_its_check_as_an_error_and_is_a_problem_of_readiness(
    s3_server: S3Server, tmp_path: Path
) -> None:
    create_bucket(s3_server, "radius-hidden")
    s3_server.client().put_bucket_versioning(
        Bucket="radius-hidden", VersioningConfiguration={"Status": "Enabled"}
    )
    store = store_on(s3_server, "radius-hidden")
    for age in (4, 5):
        put_artifact(store, artifact(age))
    protected = protected_by(s3_server, "radius-hidden", tmp_path, None)
    config = Config.model_validate(
        {"databases": {"hackorda": protected.policy.model_dump(exclude_unset=True)}}
    )
    defs = build_defs(config, resource_overrides={ENVIRON: dict(protected.environ)})

    def checked() -> dg.AssetCheckEvaluation:
        with dg.DagsterInstance.ephemeral() as instance:
            done = defs.resolve_job_def("hackorda_blast_radius").execute_in_process(instance=instance)
        return next(each for each in done.get_asset_check_evaluations() if each.check_name == NOTHING_HIDDEN)

    assert checked().passed
    for file in list(store.list(artifact(4).prefix)):
        store.delete(file.key)

    found = checked()

    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "offsite hides 1 artifact that should be there" in (found.description or "")
    assert "`hackorda-ops undelete hackorda --from offsite`" in (found.description or "")
    [problem] = hidden_problems(protected, now=NOW)
    survey = read_survey(protected, now=NOW, also=[problem])
    assert problem in assess(survey, protected.policy).judgement.reasons
