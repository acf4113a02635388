"""Reads databases.yaml and reports every problem in it at once, each with its key and remedy."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hackorda_ops import local_trouble
from hackorda_ops.config.encryption import is_file_of_recipients
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.config.text.problems import described
from hackorda_ops.config.text.written import Written, read
from hackorda_ops.errors import ConfigError
from hackorda_ops.given import given

CONFIG_VARIABLE = "HACKORDA_OPS_CONFIG"
DEFAULT_FILE = "databases.yaml"


def locate(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration file: the one given, else $HACKORDA_OPS_CONFIG, else ./databases.yaml."""
    return (path or Path(given(environ, CONFIG_VARIABLE) or DEFAULT_FILE)).absolute()


def load(path: Path) -> Config:
    """Reads and checks a configuration file; relative folders in it are relative to it.

    Raises:
        ConfigError: with every problem found, each with its line, key and remedy.
        LocalTrouble: this machine fails to read it.
    """
    return checked(path)[0]


def checked(path: Path) -> tuple[Config, Written]:
    """The configuration, and the file as it's written.

    Raises:
        ConfigError: as `load`.
    """
    try:
        written = read(path)
    except OSError as error:
        # Whoever may not read it has named the wrong file, or runs it as the wrong user.
        if not isinstance(error, PermissionError) and (trouble := local_trouble.of_exception(error)):
            raise trouble from None
        raise ConfigError(
            f"{path}: {error.strerror or 'cannot be read'}.",
            meaning="Without a configuration, nothing is protected.",
            next_step="Write the file: `databases: {NAME: {}}` is a whole one, and `hackorda-ops config keys` lists "
            f"what it may say. Or point ${CONFIG_VARIABLE} at yours.",
        ) from None
    content = written.content
    try:
        config = Config.model_validate(content if isinstance(content, dict) else {})
    except ValidationError as error:
        problems = described(error, written)
    else:
        problems = [f"  {each}" for each in written.misread]
    if problems:
        raise ConfigError(
            f"{path} has {len(problems)} problem(s):\n" + "\n".join(problems),
            meaning="Nothing in the file was used.",
            next_step="Fix each line above; `hackorda-ops config keys` lists every key, with its default.",
        )
    return anchored(config, path.parent), written


def anchored(config: Config, folder: Path) -> Config:
    """The same configuration with its relative folders made absolute.

    Args:
        config: as it's written.
        folder: what they are relative to.
    """

    def at(place: Path) -> Path:
        return folder / place.expanduser()

    def one(database: Policy) -> Policy:
        changes: dict[str, Any] = {
            "source": database.source.model_copy(
                update={"client_folders": tuple(map(at, database.source.client_folders))}
            ),
            "store": database.store.anchored(at),
            "dump": database.dump.model_copy(update={"work_folder": at(database.dump.work_folder)}),
            "receipts": database.receipts.anchored(at),
        }
        if database.encrypt_to:
            changes["encrypt_to"] = tuple(
                str(at(Path(each))) if is_file_of_recipients(each) else each for each in database.encrypt_to
            )
        if database.identity and database.identity.file:
            changes["identity"] = database.identity.model_copy(update={"file": at(database.identity.file)})
        if database.history:
            changes["history"] = database.history.anchored(at)
        if database.cutover:
            changes["cutover"] = database.cutover.anchored(at)
        if database.migrate:
            changes["migrate"] = database.migrate.model_copy(
                update={"working_directory": at(database.migrate.working_directory)}
            )
        hooks = database.recover.hooks
        found = {
            name: hook.model_copy(update={"working_directory": at(hook.working_directory)})
            for name, hook in hooks.in_order()
        }
        changes["recover"] = database.recover.model_copy(update={"hooks": hooks.model_copy(update=found)})
        if database.exercise.report_folder is not None:
            changes["exercise"] = database.exercise.model_copy(
                update={"report_folder": at(database.exercise.report_folder)}
            )
        return database.model_copy(update=changes)

    databases = {name: one(database) for name, database in config.databases.items()}
    metrics_file = at(config.metrics_file) if config.metrics_file else None
    return config.model_copy(update={"databases": databases, "metrics_file": metrics_file})
