"""Every error this product raises on purpose, in one tree.

::

    OpsError                     what happened, what it means, what to do next
    ├── WrongUse                 exit code 2: nothing was attempted
    │   ├── ConfigError          databases.yaml or the environment is wrong (all problems at once)
    │   └── UsageError           a command was called in a way that cannot work
    ├── PermanentError           exit code 3: trying again changes nothing until somebody acts
    │   ├── LoginRefused         wrong password, unknown role or database, TLS refused
    │   ├── RightsMissing        the role lacks the right to read or create what it must
    │   ├── ClientMissing        no pg_dump, pg_restore or psql of the server's major version
    │   ├── SnapshotUnavailable  the source cannot export a snapshot (a pooler, a standby)
    │   ├── PreflightFailed      several problems at once, all of them listed
    │   ├── LocalTrouble         this machine has no memory, no open files, or a disk that can't be used
    │   │   └── DiskFull         a local disk has no room
    │   ├── StoreRefused         bucket missing, access denied, a write that was not kept
    │   ├── ArtifactMissing      no artifact fits what was asked for
    │   ├── ArtifactDamaged      an artifact's bytes or rows are not what its manifest says
    │   ├── IdentityMissing      it takes an identity to read what an artifact holds
    │   ├── IdentityRefused      the identity given doesn't open an encrypted artifact
    │   ├── PartitionGone        a past night cannot be dumped from the present
    │   ├── PointGone            a history does not hold the point that was asked for
    │   ├── PromotionIncomplete  a recovered branch became the primary in part
    │   ├── HistoryRefused       a history can't be used, or gave back something else
    │   ├── TargetRefused        a restore target that is, or might be, something to keep
    │   ├── ToolFailed           a Postgres client tool or a migration command failed
    │   │   └── RestoreRefused   the server rejects a dump's data or its definitions
    │   └── NeonRefused          Neon's API refused the request
    └── RetryableError           exit code 3: the same call may succeed later
        ├── ServerUnreachable    refused or timed-out connection
        ├── ConnectionLost       a connection broke while it was in use
        ├── LockHeld             another dump of the same database is running
        ├── LockLost             the lock's connection broke; another dump may have begun
        ├── StoreUnreachable     the store did not answer, or answered "try later"
        ├── Stalled              a child process or a wait ran past its deadline
        │   └── SourceBusy       another session needed, locked or changed what was being read
        └── NeonUnavailable      Neon's API did not answer, or answered "try later"

A message never contains a secret: the code that raises it has redacted it first
(`hackorda_ops.postgres.sessions.connection.redact`), because Dagster stores exception text verbatim.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Problem:
    """What an error says, as a value that holds no secret.

    Attributes:
        what: what happened.
        meaning: what follows from it for the backups.
        next_step: what the reader should do now.
    """

    what: str
    meaning: str
    next_step: str


class OpsError(Exception):
    """What happened, what it means and what to do next, as three sentences or groups of them.

    Args:
        what: what happened, with the names of the things concerned and no secret.
        meaning: what follows from it for the backup.
        next_step: what the reader should do now.
    """

    exit_code: ClassVar[int] = 3
    retryable: ClassVar[bool] = False

    def __init__(self, what: str, *, meaning: str, next_step: str) -> None:
        self.what = what
        self.meaning = meaning
        self.next_step = next_step
        super().__init__(what)

    @property
    def problem(self) -> Problem:
        """What it says, to be kept."""
        return Problem(self.what, self.meaning, self.next_step)

    def __str__(self) -> str:
        return f"{self.what}\n  What it means: {self.meaning}\n  Next step: {self.next_step}"

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword-only arguments do not survive pickling by default, and
        # Dagster as well as process pools pickle them.
        return (_rebuild, (type(self), self.what, self.meaning, self.next_step))


def _rebuild(kind: type[OpsError], what: str, meaning: str, next_step: str) -> OpsError:
    return kind(what, meaning=meaning, next_step=next_step)


class WrongUse(OpsError):
    """Nothing was attempted: the call or the configuration has to change first."""

    exit_code = 2


class ConfigError(WrongUse):
    """databases.yaml or the environment is wrong; `what` lists every problem found."""


class UsageError(WrongUse):
    """A command was called in a way that cannot work."""


class PermanentError(OpsError):
    """Trying again changes nothing until somebody acts."""


class LoginRefused(PermanentError):
    """The server answered and refused the login: password, role, database or TLS."""


class RightsMissing(PermanentError):
    """The role lacks the right to read or create what it must."""


class ClientMissing(PermanentError):
    """No Postgres client tool of the server's major version was found."""


class SnapshotUnavailable(PermanentError):
    """The source cannot export a snapshot: a pooler in between, or a standby."""


class PreflightFailed(PermanentError):
    """Several problems of different kinds must be fixed first; `what` and `next_step` list them all."""


class LocalTrouble(PermanentError):
    """This machine lacks memory, open files, a right or a disk that works; the backup is not at fault."""


class DiskFull(LocalTrouble):
    """A local disk has no room."""


class StoreRefused(PermanentError):
    """The store refused: bucket missing, access denied, or a write that was not kept."""


class ArtifactMissing(PermanentError):
    """No artifact fits what was asked for."""


class ArtifactDamaged(PermanentError):
    """An artifact's bytes or rows are not what its manifest says."""


class IdentityMissing(PermanentError):
    """It takes an identity to read what an encrypted artifact holds."""


class IdentityRefused(PermanentError):
    """The identity that is given here doesn't open an encrypted artifact."""


class PartitionGone(PermanentError):
    """A past night cannot be dumped from the present."""


class PointGone(PermanentError):
    """A history does not hold the point that was asked for, or no longer does."""


class HistoryRefused(PermanentError):
    """A history can't be used as it is, or gave back something else than was asked for."""


class TargetRefused(PermanentError):
    """A restore target is, or might be, something that must be kept."""


class ToolFailed(PermanentError):
    """A Postgres client tool or a migration command ended with an error."""


class RestoreRefused(ToolFailed):
    """A server rejects what a dump holds: the dump's data or definitions are at fault, not the server."""


class PromotionIncomplete(PermanentError):
    """A recovered branch and the primary have changed places in part: some steps are done, others are not."""


class NeonRefused(PermanentError):
    """Neon's API refused the request.

    Args:
        what: see `OpsError`.
        meaning: see `OpsError`.
        next_step: see `OpsError`.
        code: what the refusal is about, one of `neon.refusals.RefusalCode`; "" where no answer of Neon's was refused.
    """

    def __init__(self, what: str, *, meaning: str, next_step: str, code: str = "") -> None:
        super().__init__(what, meaning=meaning, next_step=next_step)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (*super().__reduce__(), {"code": self.code})


class RetryableError(OpsError):
    """The same call may succeed later."""

    retryable = True


class ServerUnreachable(RetryableError):
    """No server answered: refused or timed-out connection, a resolver that gave no answer."""


class ConnectionLost(RetryableError):
    """A connection broke while it was in use."""


class LockHeld(RetryableError):
    """Another dump of the same database is running."""


class LockLost(RetryableError):
    """The lock's connection broke, so another dump may have begun."""


class StoreUnreachable(RetryableError):
    """The store did not answer, or answered "try later"."""


class Stalled(RetryableError):
    """A child process or a wait ran past its deadline."""


class SourceBusy(Stalled):
    """Another session needed, locked or changed what was being read, so the read was given up."""


class NeonUnavailable(RetryableError):
    """Neon's API did not answer, or answered "try later"."""
