"""Whether Dagster has what it needs in this environment: its folder, its settings, its own database."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from hackorda_ops.concerns import Concern, Looked, concern_of
from hackorda_ops.errors import OpsError
from hackorda_ops.given import given
from hackorda_ops.postgres.sessions.assembled import assemble
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops.postgres.sessions.session import connect
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

HOME_VARIABLE: Final = "DAGSTER_HOME"
SETTINGS_FILE: Final = "dagster.yaml"
_PART: Final = "Dagster"
_APPLICATION_NAME: Final = "hackorda_ops preflight"
_RETRY_BUDGET_SECONDS: Final = 10
_NOTHING_RUNS: Final = "Dagster can't start, so no schedule runs."
_UNSET: Final = "The commands work without it; the schedules don't, where Dagster is started from here."


def look_at_dagster(environ: Mapping[str, str], *, source: object = None) -> Looked:
    """Checks the folder and the settings that Dagster would find here, and that its own database answers.

    Args:
        environ: where its variables are looked up.
        source: the protected database, where it answered: Dagster's storage must be another one.
    """
    home = given(environ, HOME_VARIABLE)
    if not home:
        concern = Concern(
            "worth knowing",
            f"{HOME_VARIABLE} is not set here.",
            _UNSET,
            f"Set {HOME_VARIABLE} to an absolute folder that holds {SETTINGS_FILE}, where Dagster runs; "
            "`hackorda-ops init` writes that file.",
        )
        return Looked(_PART, "", (concern,))
    concerns = tuple(_home_concerns(Path(home)))
    if concerns:
        return Looked(_PART, "", concerns)
    return _look_at_settings(Path(home) / SETTINGS_FILE, environ, source)


def _home_concerns(home: Path) -> Iterator[Concern]:
    if not home.is_absolute():
        yield _stops(f"{HOME_VARIABLE} is not an absolute path: {home}.", "Give it the folder's whole path.")
    elif not home.is_dir():
        yield _stops(
            f"{HOME_VARIABLE} names {home}, which is not a folder.", "Create it, or correct the variable."
        )
    elif not (home / SETTINGS_FILE).is_file():
        yield _stops(
            f"{home} has no {SETTINGS_FILE}.",
            "Copy this product's dagster.yaml into it: without it, runs are kept in files, and one at a time is "
            "not assured.",
        )
    elif not os.access(home, os.W_OK | os.X_OK):
        yield _stops(
            f"This user can't write to {home}.", "Give the user that runs Dagster write access to it."
        )


def _stops(what: str, next_step: str) -> Concern:
    return Concern("stops the night", what, _NOTHING_RUNS, next_step)


def _look_at_settings(path: Path, environ: Mapping[str, str], source: object) -> Looked:
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return Looked(_PART, "", (_stops(f"{path} can't be read as YAML.", "Correct the file."),))
    unset = [name for name in dict.fromkeys(_variables(settings)) if name not in environ]
    if unset:
        what = f"{path} names variables that are not set: {', '.join(unset)}."
        return Looked(_PART, "", (_stops(what, "Set them where Dagster runs."),))
    try:
        target = _storage(settings, environ)
        if target is None:
            return Looked(_PART, f"{path}; runs and events are not kept in Postgres")
        with connect(
            target,
            application_name=_APPLICATION_NAME,
            settings=SHORT_SETTINGS,
            retry_budget_seconds=_RETRY_BUDGET_SECONDS,
        ):
            pass
    except OpsError as error:
        return Looked(_PART, "", (concern_of(error, "stops the night"),))
    return Looked(_PART, f"{path}, its storage at {target.describe()}", tuple(_shared(target, source)))


def _shared(storage: ConnectionTarget, source: object) -> Iterator[Concern]:
    if isinstance(source, ConnectionTarget) and (storage.host, storage.port, storage.database) == (
        source.host,
        source.port,
        source.database,
    ):
        yield Concern(
            "stops the night",
            f"Dagster's own storage is in the protected database: {storage.describe()}.",
            "Dagster would write its tables into it, and be lost with it: just when it's needed.",
            "Give Dagster a database of its own, best on another server (DAGSTER_PG_DATABASE).",
        )


def _variables(settings: Any) -> Iterator[str]:
    """The variables that Dagster's settings name: `{env: NAME}` in place of a value."""
    if isinstance(settings, dict):
        if set(settings) == {"env"} and isinstance(settings["env"], str):
            yield settings["env"]
            return
        for each in settings.values():
            yield from _variables(each)
    elif isinstance(settings, list):
        for each in settings:
            yield from _variables(each)


def _storage(settings: Any, environ: Mapping[str, str]) -> ConnectionTarget | None:
    """Dagster's own database, as far as its settings say it in the usual way.

    Raises:
        ConfigError: the parts make no connection.
    """
    storage = settings.get("storage") if isinstance(settings, dict) else None
    postgres = storage.get("postgres") if isinstance(storage, dict) else None
    if not isinstance(postgres, dict):
        return None

    def value(written: Any) -> str:
        named = written.get("env") if isinstance(written, dict) else None
        return given(environ, named) if isinstance(named, str) else str(written or "")

    if "postgres_url" in postgres:
        return parse(
            value(postgres["postgres_url"]), origin=f"storage.postgres.postgres_url in {SETTINGS_FILE}"
        )
    parts = postgres.get("postgres_db")
    if not isinstance(parts, dict):
        return None
    return assemble(
        host=value(parts.get("hostname")),
        port=value(parts.get("port")),
        user=value(parts.get("username")),
        database=value(parts.get("db_name")),
        password=value(parts.get("password")),
        origin=f"storage.postgres.postgres_db in {SETTINGS_FILE}",
    )
