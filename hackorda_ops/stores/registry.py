"""The stores that a configuration can name: a line for each.

A store is a module with its section of databases.yaml (a `StoreSection`), its class (a `Store`, usually based on
`StoreBase`), and a function that opens the store from the section. Nothing else names a store.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from hackorda_ops.config.places import S3, STORE_SECTIONS, Folder, StoreSection
from hackorda_ops.stores import folder
from hackorda_ops.stores.store import Store

SectionT = TypeVar("SectionT", bound=StoreSection)

OPENERS: Final[dict[type[StoreSection], Callable[[Any, Mapping[str, str], Path], Store]]] = {}


def register(section: type[SectionT], opened: Callable[[SectionT, Mapping[str, str], Path], Store]) -> None:
    """Makes a store known to the configuration and to `open_store`.

    Args:
        section: such a store's section of databases.yaml.
        opened: opens it, given its section, the environment, and the folder where artifacts are built.
    """
    STORE_SECTIONS[section.key] = section
    OPENERS[section] = opened


def open_store(section: StoreSection, environ: Mapping[str, str], work_folder: Path) -> Store:
    """Opens the store that a section of databases.yaml names; its variables have already been checked.

    Args:
        section: its section of databases.yaml.
        environ: the environment.
        work_folder: where artifacts are built.
    """
    opener = next(OPENERS[kind] for kind in type(section).__mro__ if kind in OPENERS)
    return opener(section, environ, work_folder)


def _bucket(section: S3, environ: Mapping[str, str], work_folder: Path) -> Store:
    # boto3 takes longer to load than everything that a command does with a folder.
    from hackorda_ops.stores.s3 import configured  # noqa: PLC0415

    return configured.opened(section, environ, work_folder)


register(Folder, folder.opened)
register(S3, _bucket)
