"""Whether the source's history reaches as far back as the policy says, and really opens there.

What is known of that time is in a past artifact's manifest: a copy at the artifact's WAL position must hold
exactly its rows. A setting alone proves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.expectations import KeyTable
from hackorda_ops.engines.postgres.drill.comparisons.branch import other_moment
from hackorda_ops.engines.postgres.drill.comparisons.key_tables import name_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError, PointGone, TargetRefused
from hackorda_ops.evidence.comparison import evidenced_tables, table_findings
from hackorda_ops.evidence.manifest import PostgresManifest, TableEvidence, of_postgres
from hackorda_ops.evidence.same_source import other_history, other_timeline
from hackorda_ops.histories import registry
from hackorda_ops.history import hazards, window
from hackorda_ops.history.alive import kept_alive
from hackorda_ops.history.base import History, HistoryTraits, Reach, RecoveredSource
from hackorda_ops.history.labels import HISTORY_CHECK
from hackorda_ops.history.points import AtLsn
from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.archives import table_digest
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.progress import ignore
from hackorda_ops.proof.check import Check, Declaration, decided, not_measured
from hackorda_ops.sealing.opening import opened
from hackorda_ops.words import duration

_M = TypeVar("_M", bound=Manifest)
_APPLICATION: Final = "hackorda_ops history check"
_EXPIRES_AFTER: Final = timedelta(hours=1)
# What is this close to the end may be gone before the branch is made.
_MARGIN: Final = timedelta(minutes=10)
# An artifact in the nearer half of the history says nothing about its far end.
_FAR_SHARE: Final = 0.5
_TABLES_COMPARED: Final = 3

LONG_ENOUGH: Final = Declaration(
    name="history_window_long_enough",
    title="long enough",
    description="The history window is at least objectives.history_days.",
)
HOLDS_THE_PAST: Final = Declaration(
    name="history_holds_the_past",
    title="holds the past",
    description="A copy near the far end of the window opens, and holds exactly what a past artifact's manifest "
    "recorded of that time.",
)
KEPT_WELL: Final = Declaration(
    name="history_is_kept_well",
    title="kept well",
    description="Whoever keeps the history finds nothing wrong with it: WAL is received, nothing of it was lost, and "
    "there is a base backup to begin with.",
)


def checks_of(traits: HistoryTraits) -> tuple[Declaration, ...]:
    """The checks of a kind of history: what nobody has to look after can't be kept badly."""
    return (LONG_ENOUGH, HOLDS_THE_PAST, *((KEPT_WELL,) if traits.looked_after else ()))


@dataclass(frozen=True)
class HistoryCheck:
    """What the history is, and what it gave back.

    Attributes:
        window_seconds: the history's window.
        long_enough: whether that is what the policy says.
        holds_the_past: whether a copy near its far end holds the rows that a manifest recorded.
        reach_seconds: how far back that copy was; None where none was made.
        kept_well: whether its keeper finds nothing wrong; None where nobody has to look after it.
    """

    window_seconds: int
    long_enough: Check
    holds_the_past: Check
    reach_seconds: float | None
    kept_well: Check | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them, as `checks_of` declares them."""
        return self.long_enough, self.holds_the_past, *((self.kept_well,) if self.kept_well else ())


def check_history(protected: Protected) -> HistoryCheck:
    """Checks a history's window, and opens one copy near its far end, which is always removed again.

    Args:
        protected: the database.

    Raises:
        ConfigError: no history is kept, or variables are missing.
        OpsError: the history, the source or a store can't be reached, or the copy is not gone.
    """
    registry.require_history(
        protected,
        why="this needs a history",
        meaning="Nothing was checked.",
        by_hand="look at your provider's own history by hand",
    )
    protected.require("source", "history", "store", *(() if protected.several_offsite else ("offsite",)))
    with private_folder() as private:
        source = protected.source(private_folder=private)
        with registry.history_of(protected, source) as history:
            kept_well = (
                judge_kept(history.problems(), history.traits) if history.traits.looked_after else None
            )
            reach, now = history.reach(), datetime.now(UTC)
            long_enough = judge_window(reach, protected.policy.objectives.history_days, history.traits)
            found = farthest(_artifacts(protected), reach, now=now)
            manifest = found if isinstance(found, str) else _opened(protected, found)
            if isinstance(manifest, str):
                past, reach_seconds = _unknown(manifest), None
            else:
                history.sweep()
                past = _look_back(protected, history, source, manifest)
                reach_seconds = (now - manifest.captured_at).total_seconds()
    return HistoryCheck(reach.window_seconds, long_enough, past, reach_seconds, kept_well)


def check_kept(protected: Protected) -> Check:
    """Asks whoever keeps a history whether it is kept as it should be; makes no copy.

    Args:
        protected: the database.

    Raises:
        ConfigError: no history is kept, or variables are missing.
        OpsError: the source or the keeper can't be asked.
    """
    registry.require_history(
        protected,
        why="this needs a history",
        meaning="Nothing was checked.",
        by_hand="look at your provider's own history by hand",
    )
    traits = registry.traits_of(protected)
    if not traits.looked_after:
        return not_measured(KEPT_WELL.name, f"{traits.keeper} looks after it")
    protected.require("source", "history")
    with private_folder() as private:
        source = protected.source(private_folder=private)
        with registry.history_of(protected, source) as history:
            return judge_kept(history.problems(), history.traits)


def judge_kept(problems: Sequence[str], traits: HistoryTraits) -> Check:
    """Whether a history is kept as it should be. Pure.

    Args:
        problems: what its keeper finds wrong, a sentence each.
        traits: what sets the history apart.
    """
    said = " ".join((*problems, traits.remedy)) if problems else f"{traits.keeper} finds nothing wrong."
    return decided(KEPT_WELL.name, passed=not problems, summary=said)


def judge_window(reach: Reach, policy_days: float, traits: HistoryTraits) -> Check:
    """Whether a history window is as long as the policy says. Pure.

    Args:
        reach: of the history.
        policy_days: `objectives.history_days`.
        traits: what sets the history apart.
    """
    passed = window.long_enough(reach, policy_days)
    remedy = "" if passed else f" {traits.lengthen}, or change objectives.history_days."
    return decided(LONG_ENOUGH.name, passed=passed, summary=window.compared(reach, policy_days) + remedy)


def farthest(artifacts: Sequence[_M], reach: Reach, *, now: datetime) -> _M | str:
    """The artifact nearest to the far end of a history, or why there is none. Pure.

    A history that is younger than its window is only as long as it is old.

    Args:
        artifacts: of one database, in any order.
        reach: of the history.
        now: aware.
    """
    began = reach.since if reach.grows else max(_far_end(reach, now), reach.since or _far_end(reach, now))
    inside = [each for each in artifacts if began is None or each.captured_at >= began]
    if not inside:
        return f"no artifact was taken within the history window of {duration(reach.window_seconds)}"
    oldest = min(inside, key=lambda each: (each.captured_at, each.artifact_id))
    reaches_back = now - (began or oldest.captured_at)
    if now - oldest.captured_at < _FAR_SHARE * reaches_back:
        age, back = (each.total_seconds() for each in (now - oldest.captured_at, reaches_back))
        return (
            f"the oldest artifact is only {duration(age)} old, but the history reaches back {duration(back)}"
        )
    return oldest


def _far_end(reach: Reach, now: datetime) -> datetime:
    return now - timedelta(seconds=reach.window_seconds) + _MARGIN


def tables_to_compare(
    manifest: PostgresManifest, key_tables: Sequence[KeyTable]
) -> tuple[TableEvidence, ...]:
    """Key tables that have rows, or else the smallest tables that have any. Pure."""
    unlogged = {table.name for table in manifest.inventory.tables if table.unlogged}
    filled = [table for table in manifest.tables if table.rows > 0 and table.name not in unlogged]
    key = {name_of(each.table) for each in key_tables}
    chosen = [table for table in filled if table.name in key]
    smallest = sorted(filled, key=lambda table: (table.rows, table.name))[:_TABLES_COMPARED]
    return tuple(chosen or smallest)


def _artifacts(protected: Protected) -> list[Manifest]:
    stores = protected.known_stores
    return [each for store in stores for each in catalog.read(store, protected.name).artifacts]


def _opened(protected: Protected, artifact: Manifest) -> PostgresManifest | str:
    """All that an artifact says, or why it can't be told."""
    problem = ""
    for store in protected.known_stores:
        try:
            return of_postgres(opened(protected, store, artifact).manifest)
        except OpsError as error:
            problem = error.what
    return f"{artifact.artifact_id} is encrypted: {problem}"


def _look_back(
    protected: Protected, history: History, source: ConnectionTarget, manifest: PostgresManifest
) -> Check:
    policy = protected.policy
    tables = tables_to_compare(manifest, policy.key_tables)
    if not tables:
        return _unknown(f"{manifest.artifact_id} has no table with rows")
    try:
        unfit = _unfit(history, source, manifest, asked_for=policy.dump_from == "branch")
    except TargetRefused as error:
        return _unknown(f"{error.what} {error.next_step}")
    if unfit:
        return _unknown(unfit)
    run_id = new_id(datetime.now(UTC))
    when = f"{manifest.captured_at:%Y-%m-%d %H:%M:%S} UTC"
    with kept_alive(source, run_id):
        try:
            opened = history.opened(
                purpose=HISTORY_CHECK,
                run=run_id,
                point=AtLsn(manifest.lsn),
                expires_at=datetime.now(UTC) + _EXPIRES_AFTER,
            )
            with opened as copy:
                past = _compared(
                    copy, replace(manifest, tables=tables), when, history.traits, jobs=policy.dump.jobs
                )
                return replace(past, summary=" ".join((past.summary, *copy.warnings)))
        except PointGone as error:
            # A plan limit says nothing against the history; a position that is gone does.
            traits = history.traits
            what = f"{traits.keeper} makes no {traits.copy} as of {when}, inside its window: {error.what}"
            return _past(False, what)


def _past(passed: bool, summary: str) -> Check:
    return decided(HOLDS_THE_PAST.name, passed=passed, summary=summary)


def _unknown(reason: str) -> Check:
    return not_measured(HOLDS_THE_PAST.name, reason)


def _unfit(history: History, source: ConnectionTarget, manifest: PostgresManifest, *, asked_for: bool) -> str:
    """Why a copy at an artifact's position does harm, or is no proof, as a clause; "" where neither."""
    with (
        translated_errors(source, "Looking at the source"),
        connect(source, application_name=_APPLICATION, settings=SHORT_SETTINGS) as connection,
    ):
        live = source_catalog.read_source(connection)
        acting = hazards.acting(connection, source) if history.traits.copies_act else ()
    hazards.require_asked_for(acting, asked_for=asked_for, meaning="The history was not tried out.")
    if history.main() is None:
        return history.not_main()
    return other_timeline(manifest.inventory.source, live)


def _compared(
    copy: RecoveredSource, manifest: PostgresManifest, when: str, traits: HistoryTraits, *, jobs: int
) -> Check:
    with (
        translated_errors(copy.target, f"Looking at the {traits.copy}"),
        connect(copy.target, application_name=_APPLICATION) as connection,
    ):
        there = source_catalog.read_catalog(connection)
        if reason := other_history(manifest.inventory.source, there.source):
            return _unknown(reason)
        if reason := other_moment(connection, copy.lsn, manifest):
            return _unknown(reason)
    digests = table_digest.digest_tables(
        copy.target, evidenced_tables(manifest, there), jobs=jobs, on_progress=ignore
    )
    findings = table_findings(manifest, digests)
    names = ", ".join(f"{table.name} ({table.rows:,})" for table in manifest.tables)
    if findings:
        return _past(
            False,
            f"A {traits.copy} as of {when} is not what {manifest.artifact_id} held: "
            + "; ".join(
                f"{each.subject}: expected {each.expected}, observed {each.observed}" for each in findings
            ),
        )
    return _past(True, f"A {traits.copy} as of {when} opened and has exactly the rows of {names}.")
