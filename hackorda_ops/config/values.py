"""What the values in databases.yaml have to look like, whatever key they belong to."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict


def _variable_name(value: str) -> str:
    # A value that is no variable name is most likely the secret itself: never echo it.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError(
            "takes the NAME of an environment variable (letters, digits, underscores), not the value; "
            "put the value into the environment and its variable's name here"
        )
    return value


def _cron(value: str) -> str:
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f'takes a cron expression of five fields, such as "0 2 * * *" ({error})') from None
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('takes an IANA time zone name, such as "Asia/Almaty" or "UTC"') from None
    return value


VariableName = Annotated[str, AfterValidator(_variable_name)]
Cron = Annotated[str, AfterValidator(_cron)]
TimeZoneName = Annotated[str, AfterValidator(_timezone)]
TlsMode = Literal["verify", "require", "no-verify", "allow", "disable"]


class Section(BaseModel):
    """A mapping of databases.yaml: unknown keys are refused, and a refusal never repeats a value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True
    )
