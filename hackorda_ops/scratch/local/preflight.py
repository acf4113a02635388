"""Whether a server of our own could take a database, and what the restored database would find on this machine."""

from pathlib import Path

from hackorda_ops.artifacts import room
from hackorda_ops.concerns import Concern, Looked, concern_of
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import DiskFull, OpsError
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.servers import programs
from hackorda_ops.scratch.local.scratch import OF_ITS_OWN_BYTES, scratch_of
from hackorda_ops.words import size


def look_at_local(protected: Protected, inventory: Inventory) -> Looked:
    """Whether the proof of a night has what it needs on this machine; starts nothing.

    Args:
        protected: the database.
        inventory: of the source, or of the newest artifact.
    """
    policy, scratch = protected.policy, scratch_of(protected)
    major = inventory.source.server_version_number // 10_000
    try:
        folder = programs.find(major, folders=scratch.folders, environ=scratch.environ)
    except OpsError as error:
        return Looked("proof", "", (_weighed(concern_of(error, "stops the proof"), policy, protected),))
    lying_in = _there(policy.dump.work_folder)
    free, needed = room.free_bytes(lying_in), inventory.size_bytes + OF_ITS_OWN_BYTES
    seen = f"server programs of Postgres {major} in {folder}, {size(free)} free"
    if free >= needed:
        return Looked("proof", seen)
    lacking = Concern(
        "stops the proof",
        f"{lying_in} has {size(free)} free, and the restored database needs about {size(needed)} beside its artifact.",
        "A night couldn't be restored on this machine, so it wouldn't be proven.",
        "Free some room on that disk, put dump.work_folder on a larger one, or set proof.where to scratch.",
        DiskFull,
    )
    return Looked("proof", seen, (_weighed(lacking, policy, protected),))


def _there(folder: Path) -> Path:
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


def _weighed(concern: Concern, policy: Policy, protected: Protected) -> Concern:
    """Nothing is stopped where nobody asked for proofs, or where they have another place."""
    elsewhere = policy.proof.where is None and protected.has("scratch")
    if policy.proof.demanded and not elsewhere:
        return concern
    return Concern(
        "worth knowing",
        concern.what,
        "Nights are proven where drills restore instead." if elsewhere else concern.meaning,
        concern.next_step,
        concern.kind,
    )
