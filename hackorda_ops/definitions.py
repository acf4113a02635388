"""The code location that Dagster loads: the databases of databases.yaml (or $HACKORDA_OPS_CONFIG)."""

from hackorda_ops.config import file as config_file
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.first_seen import since_first_seen

defs = build_defs(since_first_seen(config_file.load(config_file.locate())))
