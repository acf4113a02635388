"""The comparison sees what it's made to see: a change made on purpose, and rolled back."""

import secrets
from typing import Final

from hackorda_ops.drilling.declaration import SELF_TEST, DrillCheck
from hackorda_ops.engines.postgres.drill.comparisons.self_test import alter_and_compare
from hackorda_ops.engines.postgres.drill.copy import Copy
from hackorda_ops.postgres.sessions.session import translated_errors


def _alter(copy: Copy) -> None:
    record, seed = copy.drilling.record, copy.drilling.seed
    if copy.compared is None:
        record.not_measured(CHECK.name, "nothing was compared")
        return
    with record.stage("self-test"), translated_errors(copy.target, "Testing the comparison"):
        tested = alter_and_compare(
            copy.connection,
            copy.manifest,
            copy.compared.inventory,
            copy.compared.digests,
            seed=secrets.randbelow(2**32) if seed is None else seed,
        )
    if tested.noticed is None:
        record.not_measured(CHECK.name, tested.summary)
    else:
        record.decided(CHECK.name, tested.noticed, tested.summary)


CHECK: Final = DrillCheck(
    name=SELF_TEST,
    title="The comparison notices a change made on purpose",
    description="The comparison notices changes that were made on purpose: rows, a value, a sequence.",
    essential=True,
    about_itself=True,
    each_night=True,
    run=_alter,
)
