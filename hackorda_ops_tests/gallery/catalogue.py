"""All damages of the gallery."""

from typing import Final

from hackorda_ops_tests.gallery import (
    altering_tools,
    definitions,
    files,
    migrations,
    objects,
    production,
    refusals,
    rows,
    tools,
)
from hackorda_ops_tests.gallery.damages import Damage

# In the order of a backup's life, which is also that of docs/proof.md.
DAMAGES: Final[tuple[Damage, ...]] = (
    *production.BEFORE_A_NIGHT,
    *tools.DUMPS,
    *altering_tools.DUMPS,
    *definitions.DUMPS,
    *files.DAMAGES,
    *definitions.IN_THE_ARTIFACT,
    *rows.IN_THE_ARTIFACT,
    *tools.RESTORES,
    *rows.IN_THE_COPY,
    *objects.DAMAGES,
    *migrations.DAMAGES,
    *production.AFTER_THE_NIGHT,
    *refusals.DAMAGES,
)
