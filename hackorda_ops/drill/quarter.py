"""A quarter: the drill, and its report next to the artifacts. What Dagster and the command line both call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.drill.drill import run_drill
from hackorda_ops.drill.report import json_form, words
from hackorda_ops.drill.report.history import PAGE_NAME, REPORT_NAME, drill_prefix, read_past
from hackorda_ops.drilling.result import DrillResult, as_restored
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactMissing, OpsError
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.receipts.record import recorded
from hackorda_ops.receipts.verify import Head
from hackorda_ops.stores.store import Store
from hackorda_ops.unforeseen import described


@dataclass(frozen=True)
class Quarter:
    """A drill that was run.

    Attributes:
        result: what it found out.
        past: the database's earlier drills, oldest first.
        pages: the HTML report in each store that has it, as people would name it.
        not_stored: for each store that lacks the report, one sentence why.
        receipt: the number and hash of its receipt; None where that waits, and for a drill that is read again.
    """

    result: DrillResult
    past: tuple[DrillResult, ...]
    pages: tuple[str, ...]
    not_stored: tuple[str, ...]
    receipt: Head | None = None


def _as_it_is(result: DrillResult, _: Protected) -> DrillResult:
    return result


def hold_drill(
    protected: Protected,
    *,
    quarter: date | None = None,
    seed: int | None = None,
    run: str | None = None,
    with_instead: Callable[[DrillResult, Protected], DrillResult] = _as_it_is,
    on_progress: OnProgress = ignore,
) -> Quarter:
    """Drills a database, and stores the report in the nightly store and off-site.

    A report that can't be stored doesn't change the verdict: `not_stored` says why.

    Args:
        protected: the database.
        quarter: the partition (its first day); None for the current one.
        seed: repeats the choice of an earlier drill's self-test; None for a new one.
        run: the link to the run that drills, or its id; None where no run does.
        with_instead: names what to restore where the drilled artifact must not be (`judgement.instead`).
        on_progress: called at every stage, from more than one thread.

    Raises:
        ConfigError: variables are missing; nothing was attempted.
    """
    protected.require("source", "store", *(() if protected.several_offsite else ("offsite",)), "scratch")
    stores = protected.known_stores
    with recorded("drill", protected, subject="a drill") as line:
        result = run_drill(protected, quarter=quarter, seed=seed, run=run, on_progress=on_progress)
        result = with_instead(result, protected)
        line.subject, line.outcome = quarter_name(result.quarter), result.verdict
        line.detail, line.findings = words.in_the_log(result), result.findings
        line.files[f"{drill_prefix(result.database, result.drill_id)}/{REPORT_NAME}"] = json_form.to_bytes(
            result
        )
        if result.artifact is not None:
            prefix = f"{result.database}/{result.artifact.artifact_id}"
            # Of several copies, the one that was drilled; of two that it came from, the one that still answered.
            drilled = (
                each for each in stores if result.artifact.location.endswith(f"{each.describe()}/{prefix}")
            )
            line.saw(next(drilled, protected.offsite), prefix)
        line.tables = as_restored(result.tables)
    past = _past(stores, protected.name)
    # pandas takes a second to load, which no other command or code location should wait for.
    from hackorda_ops.drill.report.report import store_report  # noqa: PLC0415

    try:
        places = store_report(stores, result, past)
    except Exception as error:  # noqa: BLE001  # the verdict must not be lost with its pages
        return Quarter(result, past, (), (_why(error),), line.receipt)
    return Quarter(result, past, places.pages, places.not_stored, line.receipt)


def page_key(result: DrillResult) -> str:
    """The place of a drill's page in each store."""
    return f"{drill_prefix(result.database, result.drill_id)}/{PAGE_NAME}"


def reread(protected: Protected, *, quarter: date | None = None) -> Quarter:
    """The last drill that was run, from its report in the nightly store and off-site.

    Args:
        protected: the database.
        quarter: the last drill of this one (its first day); None for the last of all.

    Raises:
        ArtifactMissing: no report of such a drill can be read.
        StoreRefused, StoreUnreachable: no place can be read.
    """
    held = quarters_held(protected)
    last = next((each for each in reversed(held) if quarter is None or each.result.quarter == quarter), None)
    if last is None:
        raise ArtifactMissing(
            f"There is no report of a drill of {protected.name}"
            + (f" in {quarter_name(quarter)}." if quarter else "."),
            meaning="That quarter was not drilled, or its reports were removed.",
            next_step=f"Drill it: `hackorda-ops drill {protected.name}`, or materialize restore_drill.",
        )
    return last


def quarters_held(protected: Protected) -> tuple[Quarter, ...]:
    """Every drill that was run, oldest first, from the reports in the nightly store and off-site.

    Args:
        protected: the database.

    Raises:
        StoreRefused, StoreUnreachable: no place can be read.
    """
    found: dict[str, DrillResult] = {}
    places: dict[str, list[str]] = {}
    errors: list[OpsError] = []
    for store in protected.known_stores:
        try:
            read = read_past(store, protected.name)
        except OpsError as error:
            errors.append(error)
            continue
        for drill in read:
            places.setdefault(drill.drill_id, []).append(f"{store.describe()}/{page_key(drill)}")
            found[drill.drill_id] = drill
    if errors and not found:
        raise errors[0]
    past = sorted(found.values(), key=lambda drill: (drill.started_at, drill.drill_id))
    unread = tuple(error.what for error in errors)
    return tuple(
        Quarter(each, tuple(past[:number]), tuple(places[each.drill_id]), unread)
        for number, each in enumerate(past)
    )


def _why(error: Exception) -> str:
    if isinstance(error, OpsError):
        return error.what
    return f"The report could not be made: {described(error)}."


def _past(stores: Sequence[Store], name: str) -> tuple[DrillResult, ...]:
    # Off-site first, since it lasts; the folder of the nights is what may be new or lost.
    for store in reversed(stores):
        try:
            return read_past(store, name)
        except OpsError:
            continue
    return ()
