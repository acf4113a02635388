"""Barman, which keeps the base backups and the WAL of a server of one's own."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from hackorda_ops.config.choice import HistorySection


def _server_name(value: str) -> str:
    # It is an argument of Barman's: never an option, never a path.
    if (
        value == "all"
        or not value[:1].isalnum()
        or not all(each.isalnum() or each in "._-" for each in value)
    ):
        raise ValueError("needs the name of one of Barman's servers, as `barman list-servers` shows it")
    return value


def _absolute(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("needs an absolute path, such as /etc/barman.conf")
    return value


class BarmanSection(HistorySection):
    """A server that Barman keeps on this machine: its base backups, and its WAL.

    Attributes:
        server: its name in Barman's configuration.
        config: Barman's configuration file; Barman's own default where it's not given.
        command: the program: a name on the PATH, or a path.
        deadline_hours: after which a recovery is stopped.
    """

    server: Annotated[str, AfterValidator(_server_name), Field(examples=["main"])]
    config: Annotated[
        Annotated[Path, AfterValidator(_absolute)] | None, Field(examples=["/etc/barman.conf"])
    ] = None
    command: str = "barman"
    deadline_hours: Annotated[float, Field(gt=0)] = 12
