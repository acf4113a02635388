"""`blast_radius`: every week, what whoever owns this machine could destroy, on canaries."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.blast_radius.measure import BlastRadius, measure
from hackorda_ops.blast_radius.radius import sentence
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.assets import BLAST_RADIUS, SOURCE, group_of
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.orchestration.labels import label_run, labels
from hackorda_ops.orchestration.names import key
from hackorda_ops.orchestration.upkeep.weekly import every_week
from hackorda_ops.retention.wanted import HidingPlace, hiding_places

SURVIVES: Final = "a_copy_survives"
NOTHING_HIDDEN: Final = "nothing_is_hidden"
_EVERY_WEEK: Final = "30 8 * * 0"


def of_one(name: str, database: Policy) -> dg.Definitions:
    """A database's asset, its job, and the schedule that runs it once a week.

    Args:
        name: the database's name in databases.yaml.
        database: its policy.
    """
    own_key = key(name, BLAST_RADIUS)

    @dg.asset(
        key=own_key,
        group_name=group_of(name, database),
        owners=list(database.owners),
        tags=labels(name, BLAST_RADIUS),
        deps=[key(name, SOURCE)],
        check_specs=[
            dg.AssetCheckSpec(
                SURVIVES,
                asset=own_key,
                description="Whether a copy would survive for a week, whoever has the credentials of this machine.",
            ),
            dg.AssetCheckSpec(
                NOTHING_HIDDEN,
                asset=own_key,
                description="Whether a bucket that keeps versions hides artifacts that should be there: somebody has "
                "deleted them, and `hackorda-ops undelete` brings them back.",
            ),
        ],
        pool=f"{name}_offsite",
        description=f"What whoever owns this machine could destroy of {name}: tried on canaries in each bucket, "
        "and asked of the source, which is never written to. `hackorda-ops blast-radius` does the same.",
    )
    def measured(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        label_run(context, name, BLAST_RADIUS)
        with ends_the_step(context):
            protected = Protected(name, database, environ)
            found = measure(protected)
            hiding = hiding_places(protected, now=clock.now())
        yield dg.AssetCheckResult(
            passed=bool(found.survivors),
            check_name=SURVIVES,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{found.sentence}.",
        )
        yield _nothing_hidden(hiding)
        yield dg.MaterializeResult(metadata=_metadata_of(found))

    return every_week(
        measured,
        name,
        database,
        kind=BLAST_RADIUS,
        cron=_EVERY_WEEK,
        schedule="measure_blast_radius_every_week",
        doing=f"Measures what whoever owns this machine could destroy of {name}.",
        every_week_doing=f"Measures every week what a thief could destroy of {name}.",
    )


def _nothing_hidden(hiding: Sequence[HidingPlace]) -> dg.AssetCheckResult:
    """An error, and so an alarm, where anything is hidden; a warning where that isn't known."""
    against = [each for each in hiding if each.hidden] or [each for each in hiding if each.unread]
    told = [f"{each.sentence} Next step: {each.next_step}" for each in against]
    return dg.AssetCheckResult(
        passed=not against,
        check_name=NOTHING_HIDDEN,
        severity=dg.AssetCheckSeverity.ERROR
        if any(each.hidden for each in against)
        else dg.AssetCheckSeverity.WARN,
        description=" ".join(told or [each.sentence for each in hiding]) or "No place is a bucket.",
    )


def _metadata_of(found: BlastRadius) -> dict[str, MetadataValue]:
    lines = [
        *(sentence(each) for each in found.places),
        *((found.role.sentence,) if found.role else ()),
        found.secrecy.sentence,
        *found.not_measured,
    ]
    remedies = dict.fromkeys(each for place in found.places for each in place.remedies)
    changes = "\n".join(f"- {each}" for each in (*remedies, *found.role_remedies, *found.secrecy.remedies))
    return {
        "answer": MetadataValue.text(found.sentence),
        "what could be destroyed": MetadataValue.md("\n".join(f"- {each}" for each in lines) or "nothing"),
        "what to change": MetadataValue.md(changes or "nothing"),
        **{f"days lost in {each.place}": MetadataValue.int(each.lost_days) for each in found.places},
    }
