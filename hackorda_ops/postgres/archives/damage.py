"""The error for a dump that can't be used."""

from hackorda_ops.errors import ArtifactDamaged


def unusable(what: str, *, meaning: str) -> ArtifactDamaged:
    """The error for a dump that lacks something, or can't be read.

    Args:
        what: is wrong with it.
        meaning: what a restore of it would lack.
    """
    return ArtifactDamaged(what, meaning=meaning, next_step="Take a new dump, or use another artifact.")
