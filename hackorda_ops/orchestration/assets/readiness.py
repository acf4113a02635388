"""`readiness`: how ready every database is for the day it's lost, as one page, from what the stores hold."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.config.models import Config
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.markdown import escaped, table
from hackorda_ops.orchestration import checks, clock, links
from hackorda_ops.orchestration.assets import OFFSITE_COPY, RESTORE_DRILL, night_key
from hackorda_ops.orchestration.metadata import Metadata
from hackorda_ops.orchestration.names import for_all, key
from hackorda_ops.readiness.assessment import Readiness, assess
from hackorda_ops.readiness.survey import read_survey
from hackorda_ops.retention.wanted import hidden_problems
from hackorda_ops.stores.store import READINESS_PAGE
from hackorda_ops.words import NOTHING

READINESS: Final = dg.AssetKey(["readiness"])
"""Its key where nothing stands before it."""
_HOUR_SECONDS: Final = 3600.0
_DAY_SECONDS: Final = 86_400.0


def readiness_key(config: Config) -> dg.AssetKey:
    """The asset's key."""
    return key(config, READINESS.path[-1])


def readiness(config: Config) -> dg.AssetsDefinition:
    """The asset of all databases."""

    @dg.asset(
        key=readiness_key(config),
        group_name=for_all(config, "readiness"),
        kinds={"html"},
        check_specs=checks.specs_of_readiness(map(str, config.databases), readiness_key(config)),
        deps=[
            made
            for name, policy in config.databases.items()
            for made in (night_key(name, policy), key(name, OFFSITE_COPY), key(name, RESTORE_DRILL))
            if made != key(name, OFFSITE_COPY) or policy.has_weeks
        ],
        description="How ready each database is for the day it's lost: its newest night, copy and proof against "
        "policy, its recovery time and point against objective, where they are heading, and what it costs to "
        "keep. Read from the stores, not from Dagster; the page is in the nightly store.",
    )
    def look(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        now = clock.now()
        databases = [Protected(name, policy, environ) for name, policy in config.databases.items()]
        found = [
            assess(read_survey(each, now=now, also=hidden_problems(each, now=now)), each.policy)
            for each in databases
        ]
        for each in found:
            context.log.info(" ".join((f"{each.database}: {each.judgement.word}.", *each.judgement.reasons)))
        yield dg.MaterializeResult(metadata=_metadata(found, *_store_page(databases, found, now)))
        yield from checks.of_readiness(found)

    return look


def _store_page(
    databases: Sequence[Protected], found: Sequence[Readiness], now: datetime
) -> tuple[Metadata, list[str]]:
    """Puts the page into each nightly store; returns where it is with a link, and why it isn't elsewhere."""
    # pandas and its like take a second to load, which the code location should not wait for.
    from hackorda_ops.readiness.page import page  # noqa: PLC0415

    data = page(found, now).encode()
    places: list[str] = []
    shown: dict[str, MetadataValue] = {}
    not_stored: list[str] = []
    for each in databases:
        try:
            store = each.store
            place = f"{store.describe()}/{READINESS_PAGE}"
            if place not in places:
                store.put(READINESS_PAGE, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))
                # It's the same page everywhere; only where stores lie apart, each has to be told from the first.
                called = f"page of {each.name}" if places else "page"
                shown |= links.where(each, READINESS_PAGE, called, stored=[place])
                places.append(place)
        except OpsError as error:
            not_stored.append(error.what)
    return shown, not_stored


def _metadata(found: Sequence[Readiness], where: Metadata, not_stored: Sequence[str]) -> Metadata:
    rows = [
        (
            each.database,
            each.judgement.word,
            " ".join((each.risk, *each.judgement.reasons)),
            each.judgement.next_step or NOTHING,
        )
        for each in found
    ]
    shown: dict[str, MetadataValue] = {
        **where,
        "readiness": MetadataValue.md(table(("Database", "Verdict", "Why", "Next step"), rows)),
        "not stored": MetadataValue.md("\n".join(f"- {escaped(line)}" for line in not_stored) or "none"),
        "databases in order": MetadataValue.int(sum(each.judgement.word == "OK" for each in found)),
    }
    for each in found:
        shown |= {f"{each.database}: {label}": value for label, value in _numbers(each)}
    return shown


def _numbers(ready: Readiness) -> Iterator[tuple[str, MetadataValue]]:
    """What Dagster plots over time; unknown values are left out."""
    for asked in ready.asked:
        if asked.newest_at is not None:
            days = (ready.at - asked.newest_at).total_seconds() / _DAY_SECONDS
            yield f"days since the newest {asked.kind}", MetadataValue.float(round(days, 3))
    if ready.exposed_seconds is not None:
        yield "recovery point hours", MetadataValue.float(round(ready.exposed_seconds / _HOUR_SECONDS, 3))
    if (hours := ready.standing.hours_since_proven) is not None:
        yield "hours since proven", MetadataValue.float(round(hours, 3))
    if ready.recovery_seconds is not None:
        yield "recovery time seconds", MetadataValue.float(ready.recovery_seconds)
    if ready.sizes:
        yield "bytes of a night", MetadataValue.int(int(ready.sizes[-1].value))
    for cost in ready.costs:
        yield f"bytes kept, {cost.stored.place}", MetadataValue.int(cost.stored.total_bytes)
    yield "overdue", MetadataValue.int(len(ready.standing.overdue))
