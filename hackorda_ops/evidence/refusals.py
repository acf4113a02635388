"""Why no artifact is made of a dump."""

from hackorda_ops.errors import ArtifactDamaged, RetryableError


def schema_changed(what: str) -> RetryableError:
    """The error for a dump that differs from the source after a change of the source's schema.

    Args:
        what: differs, as the end of a sentence.
    """
    return RetryableError(
        f"The schema changed during the night, and {what}.",
        meaning="It's unclear whether the schema change or the dump caused the difference, so no artifact was "
        "made of it.",
        next_step="Run the backup again when the schema change is finished.",
    )


def not_what_was_there(what: str, *, next_step: str) -> ArtifactDamaged:
    """The error for a dump that lacks something of the database, or has something else.

    Args:
        what: differs, as the end of a sentence.
        next_step: where to look for the cause.
    """
    return ArtifactDamaged(
        f"The dump does not match the database: {what}.",
        meaning="No artifact was made of it: it could not restore the database.",
        next_step=next_step,
    )
