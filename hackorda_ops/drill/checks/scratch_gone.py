"""Whatever the drill made is taken down again, and is gone."""

from contextlib import ExitStack
from typing import Final

from hackorda_ops.drilling.declaration import DrillCheck
from hackorda_ops.drilling.record import Record
from hackorda_ops.errors import OpsError

CHECK: Final = DrillCheck(
    name="scratch_gone",
    title="What the drill made is gone again",
    description="Everything that the drill made was taken down, and is gone.",
    essential=True,
    about_itself=True,
)


def take_down(made: ExitStack, record: Record) -> None:
    """Takes down a scratch, which looks for itself whether it's gone."""
    try:
        with record.stage("take down"):
            made.close()
    except OpsError as error:
        record.decided(CHECK.name, False, f"{error.what} {error.next_step}")
    else:
        record.decided(CHECK.name, True, "The scratch was taken down, and is no longer listed.")
