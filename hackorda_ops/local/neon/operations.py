"""Work that continues after an answer, in threads, one piece at a time per branch."""

import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from hackorda_ops.errors import OpsError
from hackorda_ops.local.neon.answers import NeonRefusal, OperationRecord

_THREADS = 4


class Operations:
    """All operations of the project, newest last. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, OperationRecord] = {}
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="local-neon")
        self._work: dict[str, Future[None]] = {}

    def start(
        self, branch_id: str, actions: Sequence[str], work: Callable[[], None], *, ends: Callable[[str], str]
    ) -> list[OperationRecord]:
        """Starts work on a branch.

        Args:
            branch_id: of the branch.
            actions: the names of the work: one operation each, which all end with it.
            work: done in another thread.
            ends: by action, the status that it ends as once the work has succeeded.

        Raises:
            Refusal: other work on the branch is still running (423).
        """
        now = datetime.now(UTC)
        records = [
            OperationRecord(str(uuid.uuid4()), branch_id, action, "running", now, now) for action in actions
        ]
        with self._lock:
            going_on = self._work.get(branch_id)
            if going_on is not None and not going_on.done():
                raise NeonRefusal(423, "project already has running conflicting operations")
            self._records |= {record.operation_id: record for record in records}
            self._work[branch_id] = self._pool.submit(self._carry_out, records, work, ends)
        return records

    def get(self, operation_id: str) -> OperationRecord | None:
        """One operation."""
        with self._lock:
            return self._records.get(operation_id)

    def newest(self, count: int) -> list[OperationRecord]:
        """The newest operations, newest first."""
        with self._lock:
            return list(reversed(self._records.values()))[:count]

    def close(self) -> None:
        """Waits for the work that has started; none starts afterwards."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for future in self._work.values():
            if not future.cancelled():
                # Unexpected errors must not get lost in a thread.
                future.result()

    def _carry_out(
        self, records: Sequence[OperationRecord], work: Callable[[], None], ends: Callable[[str], str]
    ) -> None:
        problem = ""
        try:
            work()
        except OpsError as error:
            problem = error.what
        now = datetime.now(UTC)
        with self._lock:
            for record in records:
                status = "failed" if problem else ends(record.action)
                self._records[record.operation_id] = replace(
                    record, status=status, updated_at=now, error=problem
                )
