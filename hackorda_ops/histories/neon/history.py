"""The history of a Neon project."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, assert_never

from hackorda_ops.errors import NeonRefused, OpsError, PointGone
from hackorda_ops.histories.neon import leftovers
from hackorda_ops.history.base import HistoryMain, HistoryTraits, Reach, RecoveredSource
from hackorda_ops.history.labels import NIGHT, Label, source_id
from hackorda_ops.history.points import AtHead, AtLsn, AtTime, HistoryPoint
from hackorda_ops.neon import own_branch
from hackorda_ops.neon.branches import branches_under
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.own_branch import CORRECT_THE_PROJECT
from hackorda_ops.neon.refusals import RefusalCode
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

TRAITS: Final = HistoryTraits(
    keeper="Neon",
    kind="a Neon project",
    copy="branch",
    lengthen="Lengthen it in the Neon console, as far as the plan allows",
    correct=CORRECT_THE_PROJECT,
    copies_act=True,
    every_night=True,
)


@dataclass(frozen=True)
class NeonHistory:
    """See `History`. Its copies are branches.

    Attributes:
        name: the protected database's name in databases.yaml.
        client: of the project.
        source: the live database.
    """

    name: str
    client: NeonClient
    source: ConnectionTarget

    @property
    def traits(self) -> HistoryTraits:
        """See `History.traits`."""
        return TRAITS

    def reach(self) -> Reach:
        """See `History.reach`."""
        project = self.client.project()
        return Reach(project.history_retention_seconds, project.created_at)

    def problems(self) -> tuple[str, ...]:
        """See `History.problems`: Neon sees to it."""
        return ()

    def main(self) -> HistoryMain | None:
        """The project's default branch, if the source is its read-write compute."""
        main = own_branch.find_main(self.client, self.source)
        if main is None:
            return None
        # Where a branch has a parent, the history continues in the parent.
        return HistoryMain(main.name, main.created_at if main.parent_id is None else None)

    def not_main(self) -> str:
        """See `History.not_main`."""
        return own_branch.not_main(self.source)

    @contextmanager
    def opened(
        self,
        *,
        purpose: str,
        run: str,
        point: HistoryPoint,
        expires_at: datetime | None,
        parent: RecoveredSource | None = None,
        on_left: Callable[[str, OpsError], None] | None = None,
    ) -> Iterator[RecoveredSource]:
        """See `History.opened`. A branch that expires can't have branches of its own."""
        parent_id = parent.copy_id if parent is not None else None
        branch = own_branch.opened(
            self.client,
            self.source,
            label=self._label(purpose, run),
            point=point,
            expires_at=expires_at,
            parent_id=parent_id,
            on_left=None if on_left is None else lambda left, error: on_left(left.name, error),
        )
        with ExitStack() as made:
            try:
                own = made.enter_context(branch)
            except NeonRefused as error:
                if error.code == RefusalCode.POSITION_GONE:
                    raise PointGone(error.what, meaning=error.meaning, next_step=error.next_step) from None
                raise
            yield RecoveredSource(
                copy_id=own.branch.branch_id,
                name=own.branch.name,
                target=own.target,
                lsn=own.branch.parent_lsn,
                time=own.branch.parent_timestamp,
                call=_call(point, parent_id),
                warnings=own.warnings,
            )

    def still_there(self, *, purpose: str, run: str) -> tuple[str, ...]:
        """See `History.still_there`."""
        return branches_under(self.client, self._label(purpose, run))

    def delete_nights(self) -> Iterator[str]:
        """See `History.delete_nights`."""
        left = own_branch.made_for(self.client, self.name, self.source, {NIGHT})
        return own_branch.delete_each(self.client, left)

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        """See `History.left_behind`."""
        return leftovers.names(self.client, self.name, self.source, retry_budget_seconds=retry_budget_seconds)

    def sweep(self) -> tuple[str, ...]:
        """See `History.sweep`."""
        return leftovers.sweep(self.client, self.name, self.source)

    def _label(self, purpose: str, run: str) -> Label:
        return Label(self.name, source_id(self.source), run, purpose)


def _call(point: HistoryPoint, parent_id: str | None) -> str:
    """The call of Neon's API that makes such a branch."""
    fields = [f"parent_id={parent_id}"] if parent_id is not None else []
    match point:
        case AtLsn(lsn):
            fields.append(f"parent_lsn={lsn}")
        case AtTime(time):
            fields.append(f"parent_timestamp={time.astimezone(UTC).isoformat()}")
        case AtHead():
            pass
        case _:
            assert_never(point)
    return " ".join(["POST /projects/{project}/branches ", *fields]).strip()
