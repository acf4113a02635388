"""The formats of values in databases.yaml, whatever key they belong to."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

_VARIABLE: Final = "[A-Za-z_][A-Za-z0-9_]*"


def _variable_name(value: str) -> str:
    # A value that isn't a variable name is most likely the secret itself: never echo it.
    if not re.fullmatch(_VARIABLE, value):
        raise ValueError(
            "needs the NAME of an environment variable (letters, digits, underscores), not the value; "
            "put the value into the environment and its variable's name here"
        )
    return value


def _cron(value: str) -> str:
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f'needs a cron expression of five fields, such as "0 2 * * *" ({error})') from None
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('needs an IANA time zone name, such as "Asia/Almaty" or "UTC"') from None
    return value


# As Dagster takes them: what it doesn't take would keep the definitions from loading.
_OWNER: Final = r"team:[A-Za-z0-9_.-]+|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}"


def _owner(value: str) -> str:
    if not re.fullmatch(_OWNER, value):
        raise ValueError('needs an e-mail address, such as "ops@example.com", or a team as "team:ops"')
    return value


Owner = Annotated[str, AfterValidator(_owner), WithJsonSchema({"type": "string", "format": "owner"})]
VariableName = Annotated[
    str, AfterValidator(_variable_name), WithJsonSchema({"type": "string", "pattern": f"^{_VARIABLE}$"})
]
Cron = Annotated[str, AfterValidator(_cron), WithJsonSchema({"type": "string", "format": "cron"})]
TimeZoneName = Annotated[
    str, AfterValidator(_timezone), WithJsonSchema({"type": "string", "format": "time-zone"})
]
TlsMode = Literal["verify", "require", "no-verify", "allow", "disable"]


class Section(BaseModel):
    """A mapping of databases.yaml: unknown keys are rejected, and the error never repeats a value.

    Attributes:
        in_short: the other forms that it may be written in, as JSON Schemas.
    """

    in_short: ClassVar[tuple[Mapping[str, Any], ...]] = ()

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True
    )
