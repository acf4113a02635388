"""The answers to init's questions, and the files that follow from them. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hackorda_ops.config.expectations import KeyTable
from hackorda_ops.config.models import Config
from hackorda_ops.config.reference import page
from hackorda_ops.config.reference.origins import origins
from hackorda_ops.config.text.written import Written
from hackorda_ops.environment import Need, Protected
from hackorda_ops.errors import ConfigError

_NEEDS: Final[tuple[Need, ...]] = ("source", "store", "offsite", "scratch", "history")


@dataclass(frozen=True)
class Answers:
    """What a first configuration says.

    Attributes:
        name: of the database.
        engine: its key.
        url_env: variable with its connection string.
        store: where the nights go: a folder, or s3://bucket/prefix.
        offsite: s3://bucket/prefix; "" to take the bucket from $OFFSITE_BUCKET.
        scratch: where a drill restores: a provider's key.
        timezone: of the schedules.
        key_tables: the tables that a drill compares with production.
        migrate: the team's command; "" for none.
        migrate_in: where it runs, as databases.yaml has it; "" for its own folder.
        tool: the migration tool that was found; "" for none.
    """

    name: str
    engine: str
    url_env: str
    store: str
    offsite: str
    scratch: str
    timezone: str
    key_tables: tuple[KeyTable, ...] = ()
    migrate: str = ""
    migrate_in: str = ""
    tool: str = ""


def sane_name(text: str) -> str:
    """A name that databases.yaml accepts, made of any other."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_") or "database"


def databases_yaml(answers: Answers) -> str:
    """The text of databases.yaml."""
    return "\n".join(_lines(answers)) + "\n"


def _lines(answers: Answers) -> Iterator[str]:
    yield "# Written by `hackorda-ops init`. `hackorda-ops config keys` lists every key; `hackorda-ops config check`"
    yield "# finds mistakes. Keys that end in _env name environment variables; no secret belongs in this file."
    yield "databases:"
    yield f"  {_scalar(answers.name)}:"
    if answers.engine != "postgres":
        yield f"    engine: {_scalar(answers.engine)}"
    yield "    source:"
    yield f"      url_env: {_scalar(answers.url_env)}"
    yield f"    store: {_scalar(answers.store)} # a folder, best not on the database's machine; or s3://bucket/prefix"
    if answers.offsite:
        yield f"    offsite: {_scalar(answers.offsite)} # in another account or at another provider"
    else:
        yield "    offsite: # in another account or at another provider"
        yield "      bucket_env: OFFSITE_BUCKET"
    if answers.key_tables:
        yield "    key_tables: # what a drill also compares with production"
        for each in answers.key_tables:
            written = {"table": each.table, "timestamp": each.timestamp}
            yield f"      - {_scalar(written)}"
    if answers.migrate:
        found = f"; {answers.tool} was found" if answers.tool else ""
        yield f"    migrate: # run on the restored copy, with its URL in DATABASE_URL{found}"
        yield f"      command: {_scalar(answers.migrate)}"
        if answers.migrate_in:
            yield f"      working_directory: {_scalar(answers.migrate_in)}"
    elif answers.tool:
        yield f"    # migrate: {{command: …}} # {answers.tool} was found: name the command that applies its migrations"
    if answers.engine == "postgres":
        yield "    scratch: # where a drill restores"
        yield f"      {_scalar(answers.scratch)}: {{}}"
    yield "    schedule:"
    yield f"      timezone: {_scalar(answers.timezone)} # a night at two, a copy on Sundays, a drill each quarter"


def _scalar(value: Any) -> str:
    return page.as_yaml(value)


def env_example(config: Config, written: Written, *, dagster: Mapping[str, str]) -> str:
    """The text of .env.example: every variable that a configuration names, with what it's for.

    Args:
        config: the configuration.
        written: the file that says so.
        dagster: further variables, each with what it's for.
    """
    needed = set(_needed(config))
    named: dict[str, str] = {}
    for origin in origins(config, written, {}):
        for variable in origin.variables:
            named.setdefault(variable, _about(origin.path))
    lines = [
        "# Copy this to .env, fill it in, and let nobody else read it (chmod 600). Never put it into a repository.",
        "# Before a command: set -a; . ./.env; set +a",
        "# Single quotes keep a $ in a value as it is. What begins with # may stay unset.",
    ]
    for variable, what in named.items():
        lines += ["", f"# {what}", f"{variable}=" if variable in needed else f"# {variable}="]
    for variable, what in dagster.items():
        lines += ["", f"# {what}", f"{variable}="]
    return "\n".join(lines) + "\n"


def _needed(config: Config) -> Iterator[str]:
    for name, policy in config.databases.items():
        try:
            Protected(name, policy, {}).require(*_NEEDS)
        except ConfigError as error:
            yield from re.findall(r": set (\w+) to ", error.what)


def _about(path: tuple[str | int, ...]) -> str:
    known = {re.sub(r" \(.*?\)", "", each.path): each.about for each in page.lines()}
    written = [str(each) for each in path if not isinstance(each, int)]
    if written[0] == "databases":
        written[1] = "NAME"
    key = ".".join(written)
    return f"{key}: {known.get(key, '')}".rstrip(": ")
