"""A night: what an engine reads, writes, reads back and proves, published as an artifact."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from hackorda_ops.age.data_key import new_data_key
from hackorda_ops.age.recipients import read_recipients
from hackorda_ops.artifacts.copying import CopyResult
from hackorda_ops.artifacts.manifest import Manifest, summary
from hackorda_ops.artifacts.publish import publish
from hackorda_ops.engines.orders import PATIENCE, Attempts, NightOrder
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.night import preflight
from hackorda_ops.own_folders import private_folder
from hackorda_ops.progress import OnProgress, ignore, timed
from hackorda_ops.receipts.record import recorded
from hackorda_ops.receipts.verify import Head
from hackorda_ops.safekeeping.locks import LocksReadBack, read_back
from hackorda_ops.sealing import last_night
from hackorda_ops.sealing.seal import seal


@dataclass(frozen=True)
class Night:
    """A finished night.

    Attributes:
        manifest: the new artifact's.
        location: where it is stored, as people would name it.
        compared_with: the artifact id of the previous night, which it was compared with; None for the first.
        copy: what was written to a bucket and read back from it; None where the store is a folder.
        stored: the manifest as it lies in the store; where the artifact is encrypted, the part that isn't sealed.
        notes: what the operator should know beside that, a sentence each.
        locks: of the files there, read back; None where the store isn't to lock any.
        receipt: the number and hash of its receipt; None where that waits.
    """

    manifest: Manifest
    location: str
    compared_with: str | None
    copy: CopyResult | None
    stored: Manifest
    notes: tuple[str, ...] = ()
    locks: LocksReadBack | None = None
    receipt: Head | None = None


def take_night(
    protected: Protected,
    *,
    night: date | None = None,
    reason: Literal["night", "on demand"] = "night",
    new_source: bool = False,
    on_progress: OnProgress = ignore,
    patience: Attempts = PATIENCE,
) -> Night:
    """Dumps a database, proves the dump, and publishes it as an artifact.

    Args:
        protected: the database.
        night: the partition; None for the source's own today.
        reason: why it's taken, for the manifest.
        new_source: an operator says that the source may differ from the previous night's.
        on_progress: called at every stage, from more than one thread.
        patience: how often it starts over if it had to give way to others; how long it may keep
            them waiting is configured.

    Raises:
        OpsError: one of its tree, with nothing published and nothing left behind.
    """
    seconds: dict[str, float] = {}
    protected.require("source", "store")
    if protected.policy.dump_from == "branch":
        protected.require("history")
    with (
        recorded("night", protected, subject=str(night or "tonight")) as line,
        private_folder() as private,
        timed(seconds, "night"),
    ):
        preflight.require_store(protected, private_folder=private)
        # Before anything is read: without a recipient, an artifact would be in the clear.
        recipients = read_recipients(protected.policy.encrypt_to) if protected.policy.encrypt_to else ()
        key = new_data_key() if recipients else None
        order = NightOrder(
            protected=protected,
            night=night,
            reason=reason,
            new_source=new_source,
            private_folder=private,
            seconds=seconds,
            on_progress=on_progress,
            patience=patience,
            data_recipient=key.recipient if key else None,
        )
        with engine_of(protected.policy).night(order) as taken:
            manifest = stored = taken.manifest
            if key is not None:
                stored = seal(
                    protected,
                    taken.staged,
                    manifest,
                    key,
                    recipients,
                    already=taken.encrypted,
                    on_progress=on_progress,
                )
            taken.before_publishing()
            copied = publish(
                protected.store,
                taken.staged,
                stored,
                lasting=taken.lasting if key is None else (),
                on_progress=on_progress,
            )
        notes = last_night.remember(protected, manifest) if key else ()
        line.subject, line.outcome = str(manifest.night), "success" if manifest.sound else "FAIL"
        line.detail, line.findings = summary(manifest), manifest.findings
        line.saw(protected.store, manifest.prefix)
    return Night(
        manifest,
        f"{protected.store.describe()}/{manifest.prefix}",
        taken.compared_with,
        copied,
        stored,
        notes,
        read_back(protected.store, stored, now=datetime.now(UTC)),
        line.receipt,
    )
