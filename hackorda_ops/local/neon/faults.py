"""How to make the local control plane misbehave, as Neon's own sometimes does."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Fault:
    """One call answered wrongly, once or several times in a row.

    Attributes:
        call: the operationId of Neon's API description ("createProjectBranch").
        status: answered instead of the call's own answer; None closes the connection without an answer.
        carried_out: whether the call is carried out anyway.
        message: of the error body.
        code: of the error body.
        retry_after: the `Retry-After` header.
        after: how many such calls are answered correctly before it.
        times: how many such calls are then answered wrongly.
    """

    call: str
    status: int | None
    carried_out: bool = False
    message: str = "injected fault"
    code: str = ""
    retry_after: str | None = None
    after: int = 0
    times: int = 1


@dataclass(frozen=True)
class Slow:
    """One call carried out and answered correctly, but late.

    Attributes:
        call: the operationId of Neon's API description.
        seconds: how late.
        after: as for `Fault`.
    """

    call: str
    seconds: float
    after: int = 0


@dataclass(frozen=True)
class Garbled:
    """One call carried out, with its answer cut off in the middle of the JSON.

    Attributes:
        call: the operationId of Neon's API description.
        after: as for `Fault`.
    """

    call: str
    after: int = 0


Misbehaviour = Fault | Slow | Garbled


@dataclass(frozen=True)
class ProjectPlan:
    """What the project allows, and how its work ends.

    Attributes:
        branches_limit: branches in all, the default one included.
        stores_passwords: without, connection URIs have an empty password.
        operations_end_as: by action ("start_compute"): the status its operations end as instead of "finished";
            "running" never ends.
        takes_expiry: without, an `expires_at` is refused with 412, as a setting that the plan does not have.
        branches_become_ready: without, a branch is reported in the state "init" forever.
        pooled_hosts: connection URIs name the pooler although the direct host was requested.
        wrong_in_uris: what connection URIs have instead of the right "role", "password" or "database".
        wrong_echoes: what is reported instead of a branch's own "parent_lsn" or "parent_timestamp"; None
            leaves it out.
        protects_branches: without, a branch can't be protected.
    """

    branches_limit: int = 10
    stores_passwords: bool = True
    operations_end_as: Mapping[str, str] = field(default_factory=dict)
    takes_expiry: bool = True
    branches_become_ready: bool = True
    pooled_hosts: bool = False
    wrong_in_uris: Mapping[str, str] = field(default_factory=dict)
    wrong_echoes: Mapping[str, str | None] = field(default_factory=dict)
    protects_branches: bool = True


class Script:
    """The faults still pending. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Misbehaviour] = []

    def add(self, faults: tuple[Misbehaviour, ...]) -> None:
        """Queues faults; each is used up by the next call that it is meant for."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> int:
        """Drops the pending faults, and returns how many there were."""
        with self._lock:
            left = len(self._faults)
            self._faults.clear()
        return left

    def take(self, call: str) -> Misbehaviour | None:
        """The fault for this call, if one is due."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.call != call:
                    continue
                if fault.after > 0:
                    self._faults[index] = replace(fault, after=fault.after - 1)
                elif isinstance(fault, Fault) and fault.times > 1:
                    self._faults[index] = replace(fault, times=fault.times - 1)
                    return fault
                else:
                    return self._faults.pop(index)
        return None
