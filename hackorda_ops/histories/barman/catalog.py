"""What Barman says of a server, parsed: its base backups, its retention, and which backup leads to a point."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hackorda_ops.errors import HistoryRefused

T = TypeVar("T", bound=BaseModel)

_BACKUP_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}")
_DAYS: Final = {"DAYS": 1, "WEEKS": 7, "MONTHS": 31}
_WINDOW: Final = re.compile(r"RECOVERY WINDOW OF (\d+) (DAYS|WEEKS|MONTHS)", re.IGNORECASE)
_NEXT_STEP: Final = (
    "Run the same command by hand, and update Barman if its output looks sound (3.4 or later)."
)


class _Listed(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    backup_id: str
    status: str
    end_time_timestamp: int | None = None


class _BaseInformation(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    end_lsn: str
    end_time_timestamp: int
    backup_size_bytes: int | None = None


class _Tablespace(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    name: str


class _ShownBase(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    backup_id: str
    base_backup_information: _BaseInformation
    system_id: str | None = None
    tablespaces: list[_Tablespace] = []


class _Checked(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    status: str
    hint: str = ""


@dataclass(frozen=True)
class BarmanBase:
    """A finished base backup.

    Attributes:
        backup_id: Barman's.
        ended_at: when it ended: the first time that it leads to.
        end_lsn: where it ended: the first position that it leads to.
        system_id: of the server that it is of; None where Barman doesn't say.
        tablespaces: the names of the tablespaces beside the cluster's own folder.
        size_bytes: what it takes up; None where Barman doesn't say.
    """

    backup_id: str
    ended_at: datetime
    end_lsn: str
    system_id: str | None
    tablespaces: tuple[str, ...]
    size_bytes: int | None


@dataclass(frozen=True)
class BarmanRetention:
    """What Barman removes.

    Attributes:
        window_seconds: the recovery window that it keeps; None where it counts backups, or removes nothing.
        removes: whether it removes anything.
    """

    window_seconds: int | None
    removes: bool


def finished(text: str, server: str) -> tuple[tuple[str, datetime], ...]:
    """The ids and ends of the finished base backups, from the output of `list-backups`, newest first. Pure.

    Raises:
        HistoryRefused: it's not what Barman prints.
    """
    found = [
        (each.backup_id, datetime.fromtimestamp(each.end_time_timestamp, UTC))
        for each in _all_of(_Listed, _of_server(text, server))
        if each.status == "DONE"
        and each.end_time_timestamp is not None
        and _BACKUP_ID.fullmatch(each.backup_id)
    ]
    return tuple(sorted(found, reverse=True))


def shown(text: str, server: str) -> BarmanBase:
    """A base backup, from the output of `show-backup`. Pure.

    Raises:
        HistoryRefused: it's not what Barman prints.
    """
    [of_backup] = _all_of(_ShownBase, [_of_server(text, server)])
    information = of_backup.base_backup_information
    return BarmanBase(
        of_backup.backup_id,
        datetime.fromtimestamp(information.end_time_timestamp, UTC),
        information.end_lsn,
        of_backup.system_id,
        tuple(each.name for each in of_backup.tablespaces),
        information.backup_size_bytes,
    )


def retention(text: str, server: str) -> BarmanRetention:
    """What Barman removes, from the output of `show-server`. Pure.

    Raises:
        HistoryRefused: it's not what Barman prints.
    """
    of_server = _of_server(text, server)
    policy = of_server.get("retention_policy") if isinstance(of_server, dict) else None
    if not isinstance(policy, str) or not policy.strip():
        return BarmanRetention(None, removes=False)
    window = _WINDOW.search(policy)
    if window is None:
        return BarmanRetention(None, removes=True)
    return BarmanRetention(int(window[1]) * _DAYS[window[2].upper()] * 86_400, removes=True)


def failed_checks(text: str, server: str) -> tuple[str, ...]:
    """What `barman check` found wrong, in its words. Pure.

    Raises:
        HistoryRefused: it's not what Barman prints.
    """
    of_server = _of_server(text, server)
    if not isinstance(of_server, dict):
        raise _not_understood("check")
    # Where Barman gave up in the middle, what it hadn't checked yet isn't known to be well.
    if gave_up := _ended_by(text):
        return gave_up
    if not of_server:
        raise _not_understood("check")
    checks = zip(of_server, _all_of(_Checked, list(of_server.values())), strict=True)
    return tuple(
        name.replace("_", " ") + (f" ({each.hint})" if each.hint else "")
        for name, each in checks
        if each.status != "OK"
    )


def _ended_by(text: str) -> tuple[str, ...]:
    said = [json.loads(text).get(each, []) for each in ("_EXCEPTION", "_ERROR")]
    return tuple(" ".join(str(each).split()) for lines in said if isinstance(lines, list) for each in lines)


def _of_server(text: str, server: str) -> Any:
    try:
        return json.loads(text)[server]
    except (ValueError, KeyError, TypeError):
        raise _not_understood(server) from None


def _all_of(model: type[T], values: Sequence[Any]) -> list[T]:
    try:
        return [model.model_validate(each) for each in values]
    except (ValidationError, TypeError):
        raise _not_understood(model.__name__.strip("_").lower()) from None


def _not_understood(what: str) -> HistoryRefused:
    return HistoryRefused(
        f"Barman's answer about {what} is not understood.",
        meaning="What it keeps is unknown.",
        next_step=_NEXT_STEP,
    )
