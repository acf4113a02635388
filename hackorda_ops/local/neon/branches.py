"""The branches of the local control plane, and the clones behind them."""

import re
import secrets
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hackorda_ops.local.neon.answers import BranchRecord, NeonRefusal
from hackorda_ops.local.neon.clone import history_of, running_clone
from hackorda_ops.local.neon.history import KeptHistory
from hackorda_ops.local.neon.positions import lsn_bytes, lsn_text
from hackorda_ops.local.neon.requests import BranchRestore
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.processes.server_user import ServerUser

MAIN = "main"


class Branches:
    """All branches with their running clones. Safe to use from several threads."""

    def __init__(self, history: KeptHistory, folder: Path, user: ServerUser | None) -> None:
        self._history = history
        self._folder = folder
        self._user = user
        self._lock = threading.Lock()
        self._clones: dict[str, tuple[PostgresServer, ExitStack]] = {}
        self.main = BranchRecord(
            branch_id=_identifier("br"),
            name=MAIN,
            parent_id=None,
            endpoint_id=_identifier("ep"),
            created_at=history.begins.time,
            state="ready",
            default=True,
        )
        self._records = {self.main.branch_id: self.main}
        self._histories = {self.main.branch_id: history}
        # Which branch the parent's own server belongs to: another one, once main was replaced.
        self._root = self.main.branch_id

    def all(self) -> list[BranchRecord]:
        """Every branch, newest first."""
        with self._lock:
            return list(reversed(self._records.values()))

    @property
    def default(self) -> BranchRecord:
        """The project's default branch."""
        return next(record for record in self.all() if record.default)

    def change(self, branch_id: str, changes: Mapping[str, Any]) -> BranchRecord:
        """Changes a branch's name or protection.

        Raises:
            Refusal: there is none (404), or the name is taken (409).
        """
        self.get(branch_id)
        with self._lock:
            taken = {record.name for record in self._records.values() if record.branch_id != branch_id}
            if changes.get("name") in taken:
                raise NeonRefusal(
                    409, f"branch with the name {changes['name']} already exists", "BRANCH_ALREADY_EXISTS"
                )
            self._records[branch_id] = replace(self._records[branch_id], **changes)
            return self._records[branch_id]

    def set_default(self, branch_id: str) -> BranchRecord:
        """Makes a branch the default one.

        Raises:
            Refusal: there is none (404), or it expires (400).
        """
        if self.get(branch_id).expires_at is not None:
            raise NeonRefusal(400, "a branch that expires can't be the default branch")
        with self._lock:
            for each in self._records.values():
                self._records[each.branch_id] = replace(each, default=each.branch_id == branch_id)
            return self._records[branch_id]

    def hold(self, branch_id: str, wanted: BranchRestore, *, limit: int) -> BranchRecord:
        """Moves what a branch holds, and its children, to a new one; `start` then makes the branch anew.

        Unlike at Neon the branch's connection string changes with it: each clone is a server of its own.

        Args:
            branch_id: the branch.
            wanted: what it is to hold afterwards, and what the new one is called.
            limit: see `add`.

        Raises:
            Refusal: the request can't be fulfilled (400, 404, 409, 422).
        """
        record = self.get(branch_id)
        if not wanted.preserve_under_name and (
            self.has_children(branch_id) or wanted.source_branch_id == branch_id
        ):
            raise NeonRefusal(400, "preserve_under_name is required")
        place = {"parent_lsn": wanted.source_lsn, "parent_timestamp": wanted.source_timestamp}
        source = {"parent_id": wanted.source_branch_id, "name": record.name} | {
            name: value for name, value in place.items() if value is not None
        }
        new = self.new(source, with_endpoint=True, annotation=dict(record.annotation))
        held = replace(
            record,
            branch_id=_identifier("br"),
            endpoint_id=_identifier("ep"),
            name=wanted.preserve_under_name or f"{record.name}_old",
            default=False,
        )
        self.add(held, limit=limit)
        with self._lock:
            if self._root == branch_id:
                self._root = held.branch_id
            if branch_id in self._clones:
                self._clones[held.branch_id] = self._clones.pop(branch_id)
            if branch_id in self._histories:
                self._histories[held.branch_id] = self._histories.pop(branch_id)
            for each in list(self._records.values()):
                if each.parent_id == branch_id:
                    self._records[each.branch_id] = replace(each, parent_id=held.branch_id)
            self._records[branch_id] = replace(
                record,
                parent_id=held.branch_id if wanted.source_branch_id == branch_id else new.parent_id,
                lsn=new.lsn,
                time=new.time,
                state="resetting",
            )
            return self._records[branch_id]

    def get(self, branch_id: str) -> BranchRecord:
        """One branch.

        Raises:
            Refusal: there is none (404).
        """
        with self._lock:
            record = self._records.get(branch_id)
        if record is None:
            raise NeonRefusal(404, "branch not found")
        return record

    def server(self, branch_id: str) -> PostgresServer:
        """The server behind a branch; main's is the parent itself, until main is replaced.

        Raises:
            Refusal: the branch has none that is running (404).
        """
        with self._lock:
            if branch_id == self._root:
                return self._history.parent
            clone = self._clones.get(branch_id)
        if clone is None:
            raise NeonRefusal(404, "read-write endpoint not found")
        return clone[0]

    def add(self, record: BranchRecord, *, limit: int) -> None:
        """Adds a branch to the list; `start` makes its clone.

        Raises:
            Refusal: the name is taken (409), or the limit reached (422).
        """
        with self._lock:
            if any(other.name == record.name for other in self._records.values()):
                raise NeonRefusal(
                    409, f"branch with the name {record.name} already exists", "BRANCH_ALREADY_EXISTS"
                )
            if len(self._records) >= limit:
                raise NeonRefusal(422, f"branches limit exceeded, limit: {limit}", "BRANCHES_LIMIT_EXCEEDED")
            self._records[record.branch_id] = record

    def new(self, wanted: dict[str, str], *, with_endpoint: bool, annotation: dict[str, str]) -> BranchRecord:
        """A branch as a request describes it, at a position or time that its parent's history has.

        Args:
            wanted: the request's `branch`.
            with_endpoint: whether it gets a compute.
            annotation: its annotation's value.

        Raises:
            Refusal: the request can't be fulfilled (400).
        """
        parent = self.get(wanted.get("parent_id", self.default.branch_id))
        if parent.expires_at is not None:
            raise NeonRefusal(400, "a branch that expires can't have children")
        if "parent_lsn" in wanted and "parent_timestamp" in wanted:
            raise NeonRefusal(400, "parent_lsn and parent_timestamp are mutually exclusive")
        with self._lock:
            history = self._histories.get(parent.branch_id)
        if history is None:
            raise NeonRefusal(422, "parent branch not ready yet")
        lsn, time = _place(history, wanted)
        expires = wanted.get("expires_at")
        identifier = _identifier("br")
        return BranchRecord(
            branch_id=identifier,
            name=wanted.get("name", identifier),
            parent_id=parent.branch_id,
            endpoint_id=_identifier("ep") if with_endpoint else None,
            created_at=datetime.now(UTC),
            state="init" if with_endpoint else "ready",
            lsn=lsn,
            time=time,
            expires_at=None if expires is None else _time(expires),
            annotation=annotation,
        )

    def start(self, branch_id: str) -> None:
        """Makes a branch's clone, and waits until it is up."""
        record = self.get(branch_id)
        until = record.time if record.time is not None else record.lsn
        if until is None:
            raise AssertionError("a branch has a position or a time")
        with self._lock:
            history = self._histories[record.parent_id or self._root]
        # As at Neon: a branch that expires can't have children.
        branched = record.expires_at is None
        with ExitStack() as stack:
            clone = stack.enter_context(
                running_clone(
                    history,
                    self._folder / f"{branch_id}-{secrets.token_hex(2)}",
                    self._user,
                    until=until,
                    branched=branched,
                )
            )
            with self._lock:
                lsn = clone.lsn if record.lsn is None else record.lsn
                if branched:
                    self._histories[branch_id] = history_of(clone, history, begins_at=datetime.now(UTC))
                self._records[branch_id] = replace(record, state="ready", lsn=lsn)
                self._clones[branch_id] = (clone.server, stack.pop_all())

    def remove(self, branch_id: str) -> None:
        """Stops a branch's clone, deletes its files, and takes the branch off the list."""
        with self._lock:
            clone = self._clones.pop(branch_id, None)
            self._histories.pop(branch_id, None)
        if clone is not None:
            clone[1].close()
        with self._lock:
            self._records.pop(branch_id, None)

    def has_children(self, branch_id: str) -> bool:
        """Whether branches made of this one still exist."""
        return any(record.parent_id == branch_id for record in self.all())

    def close(self) -> None:
        """Removes every branch but main."""
        for record in self.all():
            self.remove(record.branch_id)


def _place(history: KeptHistory, wanted: dict[str, str]) -> tuple[int | None, datetime | None]:
    now = history.mark()
    begins = history.begins
    if "parent_timestamp" in wanted:
        time = _time(wanted["parent_timestamp"])
        if time > now.time:
            raise NeonRefusal(400, "parent_timestamp is in the future")
        if time < begins.time:
            raise NeonRefusal(400, "parent_timestamp is before the beginning of the history")
        return None, time
    lsn = _position(wanted["parent_lsn"]) if "parent_lsn" in wanted else now.lsn
    if lsn > now.lsn:
        raise NeonRefusal(400, f"parent_lsn {lsn_text(lsn)} has not been reached yet")
    if lsn < begins.lsn:
        # The wording of Neon's storage.
        raise NeonRefusal(400, f"invalid branch start lsn: less than latest GC cutoff {lsn_text(begins.lsn)}")
    return lsn, None


def _identifier(kind: str) -> str:
    return f"{kind}-local-{secrets.token_hex(6)}"


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise NeonRefusal(400, f"{text} is not a time") from None
    if time.tzinfo is None:
        raise NeonRefusal(400, f"{text} has no time zone")
    return time


def _position(text: str) -> int:
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}", text):
        raise NeonRefusal(400, f"{text} is not a WAL position")
    return lsn_bytes(text)
