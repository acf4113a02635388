"""The one list of engines. To add one: a folder of its own beside `postgres/`, and a line at the end."""

from typing import Final

from hackorda_ops.artifacts import manifest as manifests
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config import engines as config_engines
from hackorda_ops.config.models import Policy
from hackorda_ops.engines import postgres, redis
from hackorda_ops.engines.engine import Engine

ENGINES: Final[dict[str, Engine]] = {}


def register(key: str, engine: Engine) -> None:
    """Makes an engine known, to databases.yaml and to whoever reads manifests as well.

    Args:
        key: its name there (`engine: KEY`), and in manifests.
        engine: what it brings along.
    """
    ENGINES[key] = engine
    config_engines.KNOWN.add(key)
    manifests.register(key, engine.manifest)


def engine_of(policy: Policy) -> Engine:
    """The engine that a database's configuration names."""
    return ENGINES[policy.engine]


def engine_that_wrote(manifest: Manifest) -> Engine:
    """The engine of an artifact."""
    return ENGINES[manifest.engine]


register("postgres", postgres.ENGINE)
register("redis", redis.ENGINE)
