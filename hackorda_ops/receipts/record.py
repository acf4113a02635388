"""Records what is done, however it ends: a line of the operations log for people, a receipt as evidence."""

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, cast

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Part
from hackorda_ops.artifacts.operations_log import EventKind, LogLine, logged
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ConfigError, OpsError, WrongUse
from hackorda_ops.findings import Finding
from hackorda_ops.proof.verdict import Verdict
from hackorda_ops.receipts import draft as drafts
from hackorda_ops.receipts.chain import Appended, ChainWriter
from hackorda_ops.receipts.draft import Draft, ReceiptKind
from hackorda_ops.receipts.keys import SigningKey, signing_key
from hackorda_ops.receipts.outbox import UnsentReceipt, UnsentReceipts
from hackorda_ops.receipts.verify import Head
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import Store
from hackorda_ops.unforeseen import described

_VERDICTS: Final[dict[str, Verdict]] = {
    "success": "PASS",
    "failure": "ERROR",
    "PASS": "PASS",
    "FAIL": "FAIL",
    "ERROR": "ERROR",
}
# `hackorda-ops show` has these, beside the artifact that they are of.
NOT_LOGGED: Final = ("verification",)
_log = logging.getLogger(__name__)


@dataclass
class Line(LogLine):
    """What is said of work that is being recorded; the work fills it in.

    Attributes:
        findings: what was found; a receipt tells their kinds alone.
        tables: what was read of each table, where that isn't what the manifest says.
        files: other files that it made, by their place in the store.
        deleted: the artifacts that were deleted.
        receipt: the number and hash of its receipt; None until then, and where it couldn't be chained yet.
    """

    findings: Sequence[Finding] = ()
    tables: Sequence[Part] | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    deleted: Sequence[str] = ()
    receipt: Head | None = None
    _artifact: tuple[Store, str] | None = None

    def saw(self, store: Store, prefix: str) -> None:
        """Says which artifact it is about.

        Args:
            store: where it lies.
            prefix: "<database>/<artifact id>" there.
        """
        self._artifact = (store, prefix)

    def said_in(self, draft: Draft, verdict: Verdict, error: str | None) -> Draft:
        """The draft of a receipt with all that is known in the end.

        Args:
            draft: as it began.
            verdict: PASS, FAIL or ERROR.
            error: the type of what was raised; None where nothing was.
        """
        done = drafts.ended(draft, verdict, about=self.subject, findings=self.findings, error=error)
        if self._artifact is not None:
            store, prefix = self._artifact
            manifest = None
            with suppress(OpsError):
                manifest = store.with_patience(SOON).read_small(f"{prefix}/{MANIFEST_NAME}")
            done = drafts.about_artifact(done, prefix, store.describe(), manifest)
        if self.tables is not None:
            done = drafts.with_tables(done, self.tables)
        if self.deleted:
            done = replace(done, said={**done.said, "deleted": list(self.deleted)})
        made = {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}
        return replace(done, subjects={**done.subjects, **made})


@contextmanager
def recorded(
    kind: ReceiptKind, protected: Protected, *, subject: str, stores: Sequence[Store] | None = None
) -> Iterator[Line]:
    """Records what the block does, however it ends, and never changes how it ends.

    Usage errors aren't recorded: nothing was attempted.

    Args:
        kind: what is done.
        protected: the database.
        subject: what it is about, until the block sets it.
        stores: that keep the operations log; all that are known by default.

    Yields:
        What is said of it, for the block to fill in.
    """
    line = Line(subject)
    receipt = _Receipt(kind, protected, line)
    known = protected.known_stores if stores is None else stores
    log = nullcontext() if kind in NOT_LOGGED else logged(cast(EventKind, kind), known, protected.name, line)
    try:
        with log:
            yield line
    except WrongUse:
        receipt.dropped()
        raise
    except BaseException as error:
        # What a drill or a night says about the backup stays; what kept it from judging doesn't count against it.
        receipt.written("FAIL" if isinstance(error, ArtifactDamaged) else "ERROR", type(error).__name__)
        raise
    receipt.written(_VERDICTS[line.outcome], None)


class _Receipt:
    """A receipt on its way; whatever keeps it from its chain goes to Python's log, and stops nothing."""

    def __init__(self, kind: ReceiptKind, protected: Protected, line: Line) -> None:
        self._protected, self._line = protected, line
        self._draft = drafts.begun(kind, protected.name, line.subject, datetime.now(UTC))
        self._waiting: UnsentReceipt | None = None
        self._held: int | None = None
        self._wanted = False
        with self._quietly("its receipt could not be prepared"):
            self._wanted = _takes_part(protected, kind)
            if self._wanted:
                self._waiting = outbox_of(protected).new(self._draft)
                self._held = self._waiting.hold()

    def written(self, verdict: Verdict, error: str | None) -> None:
        """Writes it, and sends all that wait."""
        if not self._wanted:
            return
        kept = False
        with self._quietly("its receipt could not be kept on this machine"):
            self._draft = self._line.said_in(self._draft, verdict, error)
            if self._waiting is not None:
                self._waiting.draft = self._draft
                self._waiting.save()
                kept = True
        if kept:
            self._released()
        else:
            self.dropped()
        with self._quietly(f"its receipt {'waits on this machine' if kept else 'is lost'}"):
            alone = None if kept else self._draft
            for draft, appended in send(self._protected, alone):
                if draft.receipt_id == self._draft.receipt_id:
                    self._line.receipt = appended.head

    def dropped(self) -> None:
        """Forgets it: nothing was done."""
        if self._waiting is not None:
            with suppress(OSError):
                self._waiting.sent()
        self._released()

    def _released(self) -> None:
        if self._held is not None:
            with suppress(OSError):
                os.close(self._held)

    @contextmanager
    def _quietly(self, then: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  # evidence that fails must not fail what it's of
            why = f"{error.what} {error.next_step}" if isinstance(error, OpsError) else f"{described(error)}."
            _log.warning("%s of %s: %s. %s", self._draft.kind, self._draft.database, then, why)


def outbox_of(protected: Protected) -> UnsentReceipts:
    """Where a database's receipts wait on this machine."""
    return UnsentReceipts(protected.policy.dump.work_folder / "receipts" / protected.name)


def send(protected: Protected, alone: Draft | None = None) -> Iterator[tuple[Draft, Appended]]:
    """Chains every receipt that waits on this machine, oldest first, and copies the chain to every place.

    Args:
        protected: the database.
        alone: one that could not be kept on this machine.

    Yields:
        Each, with its place in the chain.

    Raises:
        ConfigError: there's no key, or not the chain's own.
        OpsError: the store didn't accept one; it, and those after it, go on waiting.
        OSError: this machine's folder can't be used.
    """
    with outbox_of(protected).to_send() as waiting:
        chain: ChainWriter | None = None
        for each in waiting:
            chain = chain or open_chain(protected)
            yield each.draft, chain.append(each.draft, each.tried, partial(_trying, each))
            each.sent()
        if alone is not None:
            chain = chain or open_chain(protected)
            yield alone, chain.append(alone, None, lambda _: None)
        if chain is not None:
            chain.copy()
            for problem in chain.problems:
                _log.warning("The receipts of %s are not copied to every place. %s", protected.name, problem)


def _trying(waiting: UnsentReceipt, number: int) -> None:
    waiting.tried = number
    waiting.save()


def open_chain(protected: Protected, *, key: SigningKey | None = None) -> ChainWriter:
    """A database's chain, to be continued.

    Args:
        protected: the database.
        key: what receipts are signed with; the configured key by default.

    Raises:
        ConfigError: there's no key, or the store's variables are not set.
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    store = protected.store
    copies = [each for each in protected.known_stores if each.location() != store.location()]
    return ChainWriter(
        protected.name,
        store.with_patience(SOON),
        [each.with_patience(SOON) for each in copies],
        key or signing_key(protected.policy.receipts, protected.environ),
    )


def _takes_part(protected: Protected, kind: ReceiptKind) -> bool:
    """Whether the store is one that nights go to: on a machine that only rescues, the default folder isn't."""
    if kind == "night":
        return True
    try:
        return any(protected.store.with_patience(SOON).folders(f"{protected.name}/"))
    except ConfigError:
        return False
    except OpsError:
        return True
