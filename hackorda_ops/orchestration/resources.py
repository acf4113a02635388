"""What assets and sensors are given: the environment, from which secrets are read at run time only."""

import os
from typing import Final

import dagster as dg

ENVIRON: Final = "environ"

# databases.yaml names variables. Their values never become part of a definition, or the UI would show them.
# (A ConfigurableResource has nothing to configure here, and trips over newer releases of pydantic.)
PROCESS_ENVIRONMENT: Final = dg.ResourceDefinition(
    resource_fn=lambda _: dict(os.environ),
    description="The environment variables of the process that runs this, read when it runs.",
)
