"""Whether the provider's history reaches as far back as the policy says, and really opens there.

What is known of that time is in a past artifact's manifest: a branch at the artifact's WAL position must hold
exactly its rows. A setting alone proves nothing.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.config.models import KeyTable
from hackorda_ops.engines.postgres.drill.comparisons.branch import other_moment
from hackorda_ops.engines.postgres.drill.comparisons.key_tables import name_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import NeonRefused, TargetRefused
from hackorda_ops.evidence.comparison import evidenced_tables, table_findings
from hackorda_ops.evidence.manifest import PostgresManifest, TableEvidence, of_postgres
from hackorda_ops.evidence.same_source import other_history, other_timeline
from hackorda_ops.neon import hazards
from hackorda_ops.neon.creation import AtLsn
from hackorda_ops.neon.labels import HISTORY_CHECK
from hackorda_ops.neon.own_branch import OwnBranch
from hackorda_ops.neon.refusals import RefusalCode
from hackorda_ops.postgres.archives import table_digest
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.progress import ignore
from hackorda_ops.proof.check import Check, Declaration, decided, not_measured
from hackorda_ops.scratch import registry
from hackorda_ops.scratch.alive import kept_alive
from hackorda_ops.scratch.history import ProviderHistory, Reach

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
    description="The project's history window is at least objectives.history_days.",
)
HOLDS_THE_PAST: Final = Declaration(
    name="history_holds_the_past",
    title="holds the past",
    description="A branch near the far end of the window opens, and holds exactly what a past artifact's manifest "
    "recorded of that time.",
)
CHECKS: Final = (LONG_ENOUGH, HOLDS_THE_PAST)


@dataclass(frozen=True)
class HistoryCheck:
    """What the history is, and what it gave back.

    Attributes:
        window_seconds: the project's history window.
        long_enough: whether that is what the policy says.
        holds_the_past: whether a branch near its far end holds the rows that a manifest recorded.
        reach_seconds: how far back that branch was; None where none was made.
    """

    window_seconds: int
    long_enough: Check
    holds_the_past: Check
    reach_seconds: float | None

    @property
    def checks(self) -> tuple[Check, Check]:
        """Both checks."""
        return self.long_enough, self.holds_the_past


def check_history(protected: Protected) -> HistoryCheck:
    """Checks the project's history window, and opens one branch near its far end; the branch is always deleted.

    Args:
        protected: the database; only some providers of scratch keep one.

    Raises:
        ConfigError: no history is kept, or variables are missing.
        OpsError: Neon, the source or a store can't be reached, or the branch is not gone.
    """
    registry.require_history(
        protected,
        why="only a Neon project has a history",
        meaning="Nothing was checked.",
        by_hand="look at your provider's own history by hand",
    )
    protected.require("source", "scratch", "store", "offsite")
    with tempfile.TemporaryDirectory(prefix="hackorda_ops-") as private:
        source = protected.source(private_folder=Path(private))
        with registry.history_of(protected, source) as history:
            reach, now = history.reach(), datetime.now(UTC)
            long_enough = judge_window(reach.window_seconds, protected.policy.objectives.history_days)
            manifest = farthest(_artifacts(protected), reach, now=now)
            if isinstance(manifest, str):
                past, reach_seconds = _unknown(manifest), None
            else:
                history.sweep()
                past = _look_back(protected, history, source, manifest)
                reach_seconds = (now - manifest.captured_at).total_seconds()
    return HistoryCheck(reach.window_seconds, long_enough, past, reach_seconds)


def judge_window(window_seconds: int, policy_days: float) -> Check:
    """Whether a history window is as long as the policy says. Pure."""
    window = timedelta(seconds=window_seconds)
    policy = timedelta(days=policy_days)
    if window >= policy:
        summary = f"The project's history window is {window}; the policy asks for {policy}."
        return decided(LONG_ENOUGH.name, passed=True, summary=summary)
    return decided(
        LONG_ENOUGH.name,
        passed=False,
        summary=f"The project's history window is {window}, but the policy asks for {policy}. Extend it in the Neon "
        "console, or change objectives.history_days.",
    )


def farthest(artifacts: Sequence[PostgresManifest], reach: Reach, *, now: datetime) -> PostgresManifest | str:
    """The artifact nearest to the far end of a history, or why there is none. Pure.

    A history that is younger than its window is only as long as it is old.

    Args:
        artifacts: of one database, in any order.
        reach: of the history.
        now: aware.
    """
    window = timedelta(seconds=reach.window_seconds)
    end = now - window
    began = max(end + _MARGIN, reach.since) if reach.since else end + _MARGIN
    inside = [each for each in artifacts if each.captured_at >= began]
    if not inside:
        return f"no artifact was taken within the history window of {window}"
    oldest = min(inside, key=lambda each: (each.captured_at, each.artifact_id))
    if now - oldest.captured_at < _FAR_SHARE * (now - began):
        age, back = (
            timedelta(seconds=round((now - since).total_seconds())) for since in (oldest.captured_at, began)
        )
        return f"the oldest artifact is only {age} old, but the history reaches back {back}"
    return oldest


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


def _artifacts(protected: Protected) -> list[PostgresManifest]:
    stores = protected.known_stores
    return [of_postgres(each) for store in stores for each in catalog.read(store, protected.name).artifacts]


def _look_back(
    protected: Protected, history: ProviderHistory, source: ConnectionTarget, manifest: PostgresManifest
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
            with opened as branch:
                past = _compared(branch, replace(manifest, tables=tables), when, jobs=policy.dump.jobs)
                return replace(past, summary=" ".join((past.summary, *branch.warnings)))
        except NeonRefused as error:
            # A plan limit says nothing against the history; a position that is gone does.
            if error.code == RefusalCode.POSITION_GONE:
                return _past(False, f"Neon makes no branch as of {when}, inside its window: {error.what}")
            raise


def _past(passed: bool, summary: str) -> Check:
    return decided(HOLDS_THE_PAST.name, passed=passed, summary=summary)


def _unknown(reason: str) -> Check:
    return not_measured(HOLDS_THE_PAST.name, reason)


def _unfit(
    history: ProviderHistory, source: ConnectionTarget, manifest: PostgresManifest, *, asked_for: bool
) -> str:
    """Why a branch at an artifact's position does harm, or is no proof, as a clause; "" where neither."""
    with (
        translated_errors(source, "Looking at the source"),
        connect(source, application_name=_APPLICATION, settings=SHORT_SETTINGS) as connection,
    ):
        live, acting = source_catalog.read_source(connection), hazards.acting(connection, source)
    hazards.require_asked_for(acting, asked_for=asked_for, meaning="The history was not tried out.")
    if history.main() is None:
        return history.not_main()
    return other_timeline(manifest.inventory.source, live)


def _compared(branch: OwnBranch, manifest: PostgresManifest, when: str, *, jobs: int) -> Check:
    with (
        translated_errors(branch.target, "Looking at the branch"),
        connect(branch.target, application_name=_APPLICATION) as connection,
    ):
        there = source_catalog.read_catalog(connection)
        if reason := other_history(manifest.inventory.source, there.source):
            return _unknown(reason)
        if reason := other_moment(connection, branch.branch.parent_lsn, manifest):
            return _unknown(reason)
    digests = table_digest.digest_tables(
        branch.target, evidenced_tables(manifest, there), jobs=jobs, on_progress=ignore
    )
    findings = table_findings(manifest, digests)
    names = ", ".join(f"{table.name} ({table.rows:,})" for table in manifest.tables)
    if findings:
        return _past(
            False,
            f"A branch as of {when} is not what {manifest.artifact_id} held: "
            + "; ".join(
                f"{each.subject}: expected {each.expected}, observed {each.observed}" for each in findings
            ),
        )
    return _past(True, f"A branch as of {when} opened and has exactly the rows of {names}.")
