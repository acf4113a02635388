"""`night_proof`: a night's artifact, restored and compared. Materialized only where the verdict is PASS."""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drilling.night_proof import NightProof
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.markdown import table
from hackorda_ops.night_proof.checks import checks_of_proof
from hackorda_ops.night_proof.prove import Proved, in_a_sentence, prove
from hackorda_ops.orchestration import checks
from hackorda_ops.orchestration.assets import NIGHT_PROOF, group_of, night_key
from hackorda_ops.orchestration.failures import ends_the_step, failure
from hackorda_ops.orchestration.labels import label_run, label_verdict, labels
from hackorda_ops.orchestration.metadata import ARTIFACT, Metadata, listed, of_findings, of_receipt, of_table
from hackorda_ops.orchestration.names import called, key
from hackorda_ops.orchestration.partitions import nights
from hackorda_ops.orchestration.runs import link, ui_url_of
from hackorda_ops.progress_log import ProgressLog

PROOF: str = "proof"
"""What a run of it is labelled, and called in alarms; and under which metadata has a proof's id."""


def night_proof(name: str, database: Policy, alerts: Alerts) -> dg.AssetsDefinition:
    """The asset of the proofs of a database's nights.

    Args:
        name: the database's.
        database: its configuration.
        alerts: where the UI is, for the proof's link to the run.
    """
    own_key, partitions = key(name, NIGHT_PROOF), nights(database.schedule)
    specs = checks.specs_of(checks_of_proof(database.engine), own_key, partitions)

    # Nothing is materialized where nobody has asked for proofs, and there's nothing here to restore on.
    @dg.multi_asset(
        name=called(name, NIGHT_PROOF),
        specs=[
            dg.AssetSpec(
                own_key,
                group_name=group_of(name, database),
                owners=list(database.owners),
                tags=labels(name, PROOF),
                kinds={engine_of(database).kind, "proof"},
                deps=[night_key(name, database)],
                partitions_def=partitions,
                skippable=True,
                description=f"Each night of {name}, restored from where an emergency would take it, on a server that "
                "is started for it (or on scratch), compared in full with its manifest, and taken down again. "
                "Materialized only where the verdict is PASS; it's remembered beside the artifact.",
            )
        ],
        check_specs=specs,
        can_subset=True,
        pool=f"{name}_proof",
    )
    def proof(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        label_run(context, name, PROOF)
        partition = context.partition_key
        with ends_the_step(context):
            proved = prove(
                Protected(name, database, environ),
                night=date.fromisoformat(partition),
                run=link(context.run.run_id, ui_url_of(alerts, environ)),
                on_progress=ProgressLog(context.log.info),
            )
        made = proved.proof
        label_verdict(context, made.verdict)
        if proved.nowhere and not database.proof.demanded:
            context.log.warning(
                f"{in_a_sentence(made)} Next step: {made.error.next_step if made.error else ''} Nobody has asked for "
                "proofs, so this is no failure: `proof: {every: night}` in databases.yaml makes it one, and "
                "`proof: {every: off}` ends it."
            )
            return
        shown = _shown(proved)
        wanted = [spec for spec in specs if spec.key in context.selected_asset_check_keys]
        yield from checks.results_of(made.checks, wanted)
        if made.verdict != "PASS":
            context.log_event(dg.AssetObservation(own_key, partition=partition, metadata=shown))
            raise _not_passed(name, made, shown)
        if own_key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=own_key, metadata=shown)

    return proof


def _shown(proved: Proved) -> Metadata:
    """What the UI shows of a proof."""
    proof = proved.proof
    outcomes = [(check.name, check.outcome, check.summary) for check in proof.checks]
    shown: dict[str, MetadataValue] = {
        PROOF: MetadataValue.text(proof.proof_id),
        "verdict": MetadataValue.text(proof.verdict),
        ARTIFACT: MetadataValue.text(proof.artifact.artifact_id),
        "location": MetadataValue.path(proof.artifact.location),
        **of_table(proof.artifact.rows, proof.artifact.location),
        "rows": MetadataValue.int(proof.artifact.rows),
        "bytes": MetadataValue.int(proof.artifact.size_bytes),
        "checks": MetadataValue.md(table(("Check", "Outcome", "What was seen"), outcomes)),
        "found": of_findings(proof.findings),
        "seconds": MetadataValue.float(round(proof.seconds, 3)),
        "warnings": MetadataValue.md("\n".join(f"- {line}" for line in proof.warnings) or "none"),
        "not stored": MetadataValue.md("\n".join(f"- {line}" for line in proved.not_stored) or "none"),
        **{f"seconds: {stage.name}": MetadataValue.float(stage.seconds) for stage in proof.stages},
        **of_receipt(proved.receipt),
    }
    if proof.place is not None:
        shown["restored on"] = MetadataValue.text(proof.place)
    if proof.recovery_seconds is not None:
        shown["recovery seconds"] = MetadataValue.float(proof.recovery_seconds)
    return shown


def _not_passed(name: str, proof: NightProof, shown: Metadata) -> dg.Failure:
    if proof.error is not None:
        return failure(
            f"The proof of the night of {proof.night} of {name} could not judge: {proof.error.what}",
            meaning=proof.error.meaning,
            next_step=proof.error.next_step,
            headline="it could not be proven",
            alarm="warning",
            shown=shown,
        )
    follows = consequence_of(proof)
    found = [str(finding) for finding in proof.findings]
    found += [f"{check.name}: {check.summary}" for check in proof.checks if check.outcome == "failed"]
    return failure(
        f"The proof of the night of {proof.night} of {name} FAILED: {follows.headline}.\n" + listed(found),
        meaning=follows.meaning,
        next_step=follows.next_step,
        headline=follows.headline,
        alarm=follows.alarm,
        shown=shown,
    )
