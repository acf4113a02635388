"""What assets, jobs, schedules and sensors are called in Dagster: by their database, below a prefix where there's one.

A prefix keeps them apart from what else is in a project that these definitions are a part of. The databases themselves
have none: in stores, messages and commands they are called what databases.yaml calls them.
"""

from typing import Final

from dagster import AssetKey

from hackorda_ops.config.models import Config

NO_PREFIX: Final = ""


class PrefixedDatabase(str):
    """A database's name, which knows what stands before it in Dagster.

    As a text it is the name alone: it finds what belongs to the database, and is shown, as any other would be.

    Attributes:
        prefix: what stands before it; "" for nothing.
    """

    __slots__ = ("prefix",)
    prefix: str

    def __new__(cls, name: str, prefix: str) -> "PrefixedDatabase":
        """A name with its prefix."""
        made = super().__new__(cls, name)
        made.prefix = prefix
        return made


def prefixed(config: Config, prefix: str) -> Config:
    """The same configuration, whose databases know the prefix.

    Args:
        config: of every protected database.
        prefix: letters, digits and underscores; "" for none.
    """
    databases = {PrefixedDatabase(name, prefix): policy for name, policy in config.databases.items()}
    return config.model_copy(update={"databases": databases})


def prefix_of(whose: Config | str) -> str:
    """What stands before the names of a database, or of all of a configuration's.

    Args:
        whose: a database's name as the configuration has it, or the configuration.
    """
    name = whose if isinstance(whose, str) else next(iter(whose.databases), NO_PREFIX)
    return name.prefix if isinstance(name, PrefixedDatabase) else NO_PREFIX


def called(database: str, what: str) -> str:
    """The name of what belongs to one database: a job, a schedule, an op.

    Args:
        database: its name as the configuration has it.
        what: it is or does.
    """
    return for_all(database, f"{database}_{what}")


def for_all(whose: Config | str, what: str) -> str:
    """The name of what serves all databases: a job, a schedule, a sensor.

    Args:
        whose: the configuration, or the name of one of its databases.
        what: it is or does.
    """
    prefix = prefix_of(whose)
    return f"{prefix}_{what}" if prefix else str(what)


def key(whose: Config | str, asset: str) -> AssetKey:
    """An asset's key: of one database, or of all.

    Args:
        whose: a database's name as the configuration has it; the configuration for what is of all.
        asset: what it is.
    """
    prefix = prefix_of(whose)
    database = [str(whose)] if isinstance(whose, str) else []
    return AssetKey([*([prefix] if prefix else []), *database, asset])
