"""The branches of a Neon project, and which of them is the primary: its default branch."""

import json
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from hackorda_ops.errors import NeonRefused, PointGone, TargetRefused
from hackorda_ops.history.base import Reach
from hackorda_ops.history.labels import APPLICATION, RECOVERY, Label, source_id
from hackorda_ops.history.points import AtTime
from hackorda_ops.history.primary import LiveCopy
from hackorda_ops.neon import branches
from hackorda_ops.neon.branches import ScratchBranch
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.models import LabelledBranch
from hackorda_ops.neon.operations import operations_of, wait_for
from hackorda_ops.neon.refusals import RefusalCode
from hackorda_ops.neon.transport import AnswerLost
from hackorda_ops.postgres.sessions.connection import ConnectionTarget


@dataclass(frozen=True)
class NeonPrimary:
    """See `Primary`.

    Attributes:
        name: the protected database's name in databases.yaml.
        client: of the project.
        source: the live database, which need not answer.
        by_hand_url: of the project, for commands that people run themselves.
        key: the variable with the API key, for the same.
    """

    name: str
    client: NeonClient
    source: ConnectionTarget
    by_hand_url: str
    key: str

    def reach(self) -> Reach:
        """See `Primary.reach`."""
        project = self.client.project()
        return Reach(project.history_retention_seconds, project.created_at)

    def now(self) -> tuple[LiveCopy, ...]:
        """See `Primary.now`."""
        return tuple(_live(found) for found in self.client.branches())

    def is_source(self, copy: LiveCopy) -> bool:
        """See `Primary.is_source`."""
        return branches.is_compute_of(self.client, copy.copy_id, self.source.host)

    def make(self, run: str, time: datetime) -> LiveCopy:
        """See `Primary.make`. It doesn't expire: a branch that does can't become the default one."""
        at = time.astimezone(UTC).isoformat()
        label = Label(self.name, source_id(self.source), run, RECOVERY, time=at)
        try:
            made = branches.create_branch(self.client, label=label, point=AtTime(time), expires_at=None)
        except NeonRefused as error:
            if error.code == RefusalCode.POSITION_GONE:
                raise PointGone(error.what, meaning=error.meaning, next_step=error.next_step) from None
            raise
        return LiveCopy(
            made.branch_id,
            made.name,
            default=False,
            protected=False,
            parent_id=made.parent_id,
            time=made.parent_timestamp,
            label=label.annotation(),
        )

    def target(self, copy: LiveCopy) -> ConnectionTarget:
        """See `Primary.target`."""
        found = self.client.databases(copy.copy_id)
        database = next((one for one in found if one.name == self.source.database), None)
        if database is None:
            raise TargetRefused(
                f"The branch {copy.name} has no database {self.source.database}.",
                meaning="It did not exist at that time, or the project isn't the source's.",
                next_step="Choose a later time, or correct the project's id.",
            )
        hosts = [one.host for one in self.client.endpoints(copy.copy_id) if one.type == "read_write"]
        if not hosts:
            raise TargetRefused(
                f"The branch {copy.name} has no read-write compute.",
                meaning="Nothing can connect to it.",
                next_step="Add a compute to it in the Neon console, then run the same command again.",
            )
        place = ScratchBranch(copy.copy_id, copy.name, hosts[0], copy.parent_id, None, copy.time, None)
        return branches.connection(self.client, place, database=database.name, role=database.owner_name)

    def rename(self, copy_id: str, name: str) -> None:
        """See `Primary.rename`."""
        wait_for(self.client, self.client.change_branch(copy_id, {"name": name}))

    def make_primary(self, copy_id: str) -> None:
        """See `Primary.make_primary`."""
        wait_for(self.client, self.client.set_default(copy_id))

    def protect(self, copy_id: str) -> None:
        """See `Primary.protect`."""
        wait_for(self.client, self.client.change_branch(copy_id, {"protected": True}))

    def replace(self, copy_id: str, *, by: str, keep_as: str, time: datetime | None = None) -> None:
        """See `Primary.replace`."""
        at = time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time else None
        try:
            started = self.client.restore_branch(copy_id, source_id=by, keep_as=keep_as, time=at)
        except AnswerLost:
            # Done where what was there has its new name; a second request would be refused for that name.
            if not any(found.branch.name == keep_as for found in self.client.branches(search=keep_as)):
                raise
            started = operations_of(self.client, copy_id)
        wait_for(self.client, started)

    def delete(self, copy_id: str) -> None:
        """See `Primary.delete`."""
        branches.delete_branch(self.client, copy_id)

    def rename_by_hand(self, copy_id: str, name: str) -> str:
        """See `Primary.rename_by_hand`."""
        body = json.dumps({"branch": {"name": name}})
        return f"{self._curl('PATCH')} -d {shlex.quote(body)} {self.by_hand_url}/branches/{copy_id}"

    def make_primary_by_hand(self, copy_id: str) -> str:
        """See `Primary.make_primary_by_hand`."""
        return f"{self._curl('POST')} {self.by_hand_url}/branches/{copy_id}/set_as_default"

    def _curl(self, method: str) -> str:
        return f'curl -fsS -X {method} -H "Authorization: Bearer ${self.key}" -H "Content-Type: application/json"'


def _live(found: LabelledBranch) -> LiveCopy:
    branch, label = found.branch, found.annotation
    ours = label.get("app") == APPLICATION
    return LiveCopy(
        branch.id,
        branch.name,
        default=branch.default,
        protected=branch.protected,
        parent_id=branch.parent_id,
        time=branch.parent_timestamp,
        made_at=branch.created_at,
        label=label if ours else None,
    )
