"""`receipts`: every week, whether the chain of a database's receipts is whole, and none of them waits."""

from collections.abc import Iterator, Mapping
from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.orchestration.assets import RECEIPTS, group_of, night_key
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.orchestration.labels import label_run, labels
from hackorda_ops.orchestration.names import key
from hackorda_ops.orchestration.upkeep.weekly import every_week

WHOLE: Final = "the_chain_is_whole"
SENT: Final = "no_receipt_waits"
_EVERY_WEEK: Final = "15 8 * * 0"


def of_one(name: str, database: Policy) -> dg.Definitions:
    """A database's asset, its job, and the schedule that runs it once a week.

    Args:
        name: the database's name in databases.yaml.
        database: its policy.
    """
    own_key = key(name, RECEIPTS)

    @dg.asset(
        key=own_key,
        group_name=group_of(name, database),
        owners=list(database.owners),
        tags=labels(name, RECEIPTS),
        deps=[night_key(name, database)],
        check_specs=[
            dg.AssetCheckSpec(
                WHOLE,
                asset=own_key,
                description="Whether no receipt was changed, moved, put in or taken out, in any place.",
            ),
            dg.AssetCheckSpec(
                SENT,
                asset=own_key,
                description="Whether every receipt of this machine could be signed and stored.",
            ),
        ],
        description=f"The receipts of {name}: every verdict, signed and chained. `hackorda-ops receipts verify` checks "
        "them in the same way; docs/receipts.md says how to do it without this product.",
    )
    def checked(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        # cryptography takes a while to load, which the code location should not wait for.
        from hackorda_ops.receipts import reading  # noqa: PLC0415
        from hackorda_ops.receipts.keys import trusted_ids  # noqa: PLC0415
        from hackorda_ops.receipts.waiting import waiting_sentence  # noqa: PLC0415

        label_run(context, name, RECEIPTS)
        protected = Protected(name, database, environ)
        with ends_the_step(context):
            found = reading.check(protected, trusted=trusted_ids(database.receipts))
        against = (*found.differences, *found.chain.problems)
        yield dg.AssetCheckResult(
            passed=found.whole,
            check_name=WHOLE,
            # A place that couldn't be read is no word against the chain.
            severity=dg.AssetCheckSeverity.ERROR if against else dg.AssetCheckSeverity.WARN,
            description=" ".join((*against[:3], *found.unread)) or found.told[0],
        )
        waits = waiting_sentence(protected)
        yield dg.AssetCheckResult(passed=waits is None, check_name=SENT, description=waits or "None waits.")
        shown: dict[str, MetadataValue] = {
            "result": MetadataValue.md("\n".join(f"- {each}" for each in found.told)),
            "receipts": MetadataValue.int(len(found.chain.receipts)),
        }
        if found.chain.head is not None:
            shown["head"] = MetadataValue.text(str(found.chain.head))
        yield dg.MaterializeResult(metadata=shown)

    return every_week(
        checked,
        name,
        database,
        kind=RECEIPTS,
        cron=_EVERY_WEEK,
        schedule="check_receipts_every_week",
        doing=f"Checks that the chain of receipts of {name} is whole.",
        every_week_doing=f"Checks every week that the chain of receipts of {name} is whole.",
    )
