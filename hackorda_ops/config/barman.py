"""Barman, which keeps the base backups and the WAL of a server of one's own."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from hackorda_ops.config.choice import HistorySection
from hackorda_ops.config.values import Cron, Section, VariableName
from hackorda_ops.given import given


def _server_name(value: str) -> str:
    # It is an argument of Barman's: never an option, never a path.
    if (
        value == "all"
        or not value[:1].isalnum()
        or not all(each.isalnum() or each in "._-" for each in value)
    ):
        raise ValueError("needs the name of one of Barman's servers, as `barman list-servers` shows it")
    return value


def _slot_name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,63}", value):
        raise ValueError("needs the name of a replication slot: lower-case letters, digits, underscores")
    return value


def _absolute(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("needs an absolute path, such as /etc/barman.conf")
    return value


class BarmanRun(Section):
    """Barman as it is run here: `hackorda-ops history receive` receives the WAL, a schedule takes base backups.

    How long both are kept follows from `objectives.history_days`.

    Attributes:
        folder: where base backups and WAL are kept, on another disk than the source's.
        base_backup: when a base backup is taken, in the time zone of `schedule`.
        slot: the replication slot on the source; hackorda_ops_NAME where it's not given.
        slot_without_bound: whether the slot is made although the source's max_slot_wal_keep_size is -1: it then holds
            WAL until the source's disk is full, should nobody receive.
        url_env: variable with the connection string of a role that may replicate; the source's own role where it's
            not given.
    """

    folder: Path = Path("history")
    base_backup: Cron = "30 0 * * 0"
    slot: Annotated[
        Annotated[str, AfterValidator(_slot_name)] | None, Field(examples=["hackorda_ops_shop"])
    ] = None
    slot_without_bound: bool = False
    url_env: Annotated[VariableName | None, Field(examples=["SHOP_RECEIVE_URL"])] = None


class BarmanSection(HistorySection):
    """A server that Barman keeps on this machine: its base backups, and its WAL. Without `server`, Barman is run here.

    Attributes:
        server: its name in the configuration of a Barman that the team runs by itself.
        config: that Barman's configuration file; Barman's own default where it's not given.
        run: how Barman is run here, where there's no `server`.
        command: the program: a name on the PATH, or a path.
        deadline_hours: after which a recovery or a base backup is stopped.
    """

    server: Annotated[Annotated[str, AfterValidator(_server_name)] | None, Field(examples=["main"])] = None
    config: Annotated[
        Annotated[Path, AfterValidator(_absolute)] | None, Field(examples=["/etc/barman.conf"])
    ] = None
    run: BarmanRun | None = None
    command: str = "barman"
    deadline_hours: Annotated[float, Field(gt=0)] = 12

    @model_validator(mode="after")
    def _of_one_barman(self) -> Self:
        if self.server is not None and self.run is not None:
            raise ValueError("give either server, of a Barman that you run, or run, to have Barman run here")
        if self.server is None and self.config is not None:
            raise ValueError(
                "config is that of a Barman that you run: server has to say which of its servers is meant"
            )
        if self.server is None and self.run is None:
            # A default that depends on another key; frozen from here on.
            object.__setattr__(self, "run", BarmanRun())
        return self

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `KindSection.missing`."""
        variable = self.run.url_env if self.run else None
        if variable and not given(environ, variable):
            yield f"{at}.run.url_env: set {variable} to the connection string of a role that may replicate"

    def anchored(self, at: Callable[[Path], Path]) -> Self:
        """See `HistorySection.anchored`."""
        if self.run is None:
            return self
        run = self.run.model_copy(update={"folder": at(self.run.folder)})
        return self.model_copy(update={"run": run})
