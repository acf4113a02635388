"""The command that writes a first configuration: it looks at the database, asks, writes, and ends in a preflight."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.looked import exit_code, show_parts
from hackorda_ops.concerns import concerns_in
from hackorda_ops.config import file as config_file
from hackorda_ops.config.expectations import KeyTable
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.engines.suggested import Suggested
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, UsageError
from hackorda_ops.given import given
from hackorda_ops.local.example import example_file
from hackorda_ops.own_folders import private_folder
from hackorda_ops.preflight.preflight import preflight as look_at_everything
from hackorda_ops.setup.answers import Answers, databases_yaml, env_example, sane_name
from hackorda_ops.setup.application import MigrateProposal, propose_migrate
from hackorda_ops.setup.files import write_new

_DAGSTER: Final[Mapping[str, str]] = {
    "DAGSTER_HOME": "An absolute folder that holds dagster.yaml: Dagster keeps there what it needs. This one will do.",
    "DAGSTER_PG_HOST": "Dagster's own Postgres database, never a protected one: its host.",
    "DAGSTER_PG_PORT": "Its port.",
    "DAGSTER_PG_DATABASE": "Its name.",
    "DAGSTER_PG_USER": "The role that logs in.",
    "DAGSTER_PG_PASSWORD": "The role's password.",
}
_SCHEMES: Final = {"postgres": ("postgresql://", "postgres://"), "redis": ("redis://", "rediss://")}
_NEON_VARIABLES: Final = ("NEON_PROJECT_ID", "NEON_API_KEY")
_SUGGESTED: Final = "DATABASE_URL"

Ask = Callable[[str, str], str]


def init(
    name: Annotated[str | None, typer.Option("--name", help="What the database is called here.")] = None,
    url_env: Annotated[
        str | None,
        typer.Option("--url-env", help="The variable with its connection string; DATABASE_URL by default."),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", help="Where the nights go: a folder, or s3://bucket/prefix.")
    ] = None,
    offsite: Annotated[
        str | None,
        typer.Option("--offsite", metavar="s3://BUCKET/PREFIX", help="The copy in another account."),
    ] = None,
    scratch: Annotated[
        str | None, typer.Option("--scratch", metavar="neon|server", help="Where a drill restores.")
    ] = None,
    app: Annotated[
        Path, typer.Option("--app", help="The application's repository: its migrations are looked for there.")
    ] = Path(),
    migrate: Annotated[
        str | None, typer.Option("--migrate", help='The command that applies its migrations; "" for none.')
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Of the schedules; this machine's by default.")
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Where the files are written.")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what is proposed.")] = False,
) -> None:
    """Write a first configuration from a look at the database, and check everything it names.

    The connection string is read from an environment variable; nothing secret is asked for or written. It writes
    databases.yaml, .env.example, workspace.yaml and dagster.yaml, and overwrites nothing. The database is only read.

    Exit code 0: a night can be taken (`hackorda-ops dump`), even if a copy or a drill needs more. Example:

    DATABASE_URL=postgresql://… hackorda-ops init --yes
    """
    path = folder.absolute() / config_file.DEFAULT_FILE
    if path.exists() or path.is_symlink():
        raise UsageError(
            f"There is already a configuration: {path}.",
            meaning="Nothing was written: init overwrites nothing.",
            next_step="Add a database to that file (`hackorda-ops config keys` lists every key), or name another "
            "--folder.",
        )
    ask = _asker(yes=yes)
    variable, engine = _source(url_env)
    seen = _look(variable, engine)
    terminal.err.print(f"  {seen.seen}", markup=False, soft_wrap=True)
    found = propose_migrate(app.absolute(), seen.tools) if engine == "postgres" else None
    answers = _answers(
        ask,
        seen,
        found,
        Answers(
            name=name or "",
            engine=engine,
            url_env=variable,
            store=store or "",
            offsite=offsite or "",
            scratch=scratch or "",
            timezone=timezone or "",
        ),
        migrate=migrate,
        folder=path.parent,
    )
    _write(path, answers)
    protected = Protected(answers.name, config_file.load(path).databases[answers.name], dict(os.environ))
    parts = look_at_everything(protected)
    show_parts(f"{answers.name}, before a night or a drill", parts)
    where = "" if path.parent == Path.cwd() else f"cd {path.parent} && "
    stopped = [part for part in parts if concerns_in((part,), "stops the night")]
    if stopped:
        terminal.out.print("A night can't be taken yet: fix what stops it, then run preflight.", markup=False)
        raise typer.Exit(exit_code(stopped, otherwise=1))
    terminal.out.print(f"A night can be taken now: {where}hackorda-ops dump", markup=False, soft_wrap=True)


def _asker(*, yes: bool) -> Ask:
    """What asks a question, given the proposal; or takes that where nobody is asked."""
    if yes:
        return lambda _question, proposed: proposed
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "There is no terminal to ask questions in.",
            meaning="Nothing was looked at or written.",
            next_step="Add --yes to take what is proposed, with options for what should differ: "
            "hackorda-ops init --help lists them.",
        )

    def ask(question: str, proposed: str) -> str:
        answer: str = typer.prompt(question, default=proposed, err=True)
        return answer.strip()

    return ask


def _source(url_env: str | None) -> tuple[str, str]:
    """The variable with the connection string, and the engine that its scheme names."""
    variable = url_env or _SUGGESTED
    url = given(os.environ, variable)
    if not url:
        others = sorted(
            each
            for each, value in os.environ.items()
            if value.strip("\"' ").startswith(tuple(start for some in _SCHEMES.values() for start in some))
        )
        hint = f", or name another with --url-env (set here: {', '.join(others)})" if others else ""
        raise UsageError(
            f"The variable {variable} is not set.",
            meaning="There is no database to look at; nothing was written.",
            next_step=f"export {variable}='postgresql://USER:PASSWORD@HOST/DATABASE'{hint}.",
        )
    engine = next((each for each, starts in _SCHEMES.items() if url.lower().startswith(starts)), "postgres")
    return variable, engine


def _look(variable: str, engine: str) -> Suggested:
    policy = Policy.model_validate({"engine": engine, "source": {"url_env": variable}})
    protected = Protected("init", policy, dict(os.environ))
    with private_folder() as private:
        return engine_of(policy).suggest(protected, private_folder=private)


def _answers(
    ask: Ask,
    seen: Suggested,
    found: MigrateProposal | None,
    told: Answers,
    *,
    migrate: str | None,
    folder: Path,
) -> Answers:
    """The answers: what an option says is not asked for."""
    postgres = told.engine == "postgres"
    name = told.name or ask("What shall the database be called here?", sane_name(seen.database))
    store = told.store or ask("Where do the nights go? (a folder, or s3://bucket/prefix)", "backups")
    offsite = told.offsite or ask(
        "Where does the copy off-site go? (s3://bucket/prefix; - to set OFFSITE_BUCKET later)", "-"
    )
    scratch = told.scratch
    if postgres and not scratch:
        on_neon = seen.provider == "neon" or all(given(os.environ, each) for each in _NEON_VARIABLES)
        scratch = ask("Where does a drill restore? (neon or server)", "neon" if on_neon else "server")
    key_tables = _key_tables(ask, seen) if postgres else ()
    command = migrate
    if command is None and postgres:
        proposed = found.command if found else ""
        command = ask(
            f"Which command applies the migrations?{f' ({found.tool} was found)' if found else ''} (- for none)",
            proposed or "-",
        )
    command = "" if command in (None, "-") else str(command)
    return Answers(
        name=sane_name(name),
        engine=told.engine,
        url_env=told.url_env,
        store=store,
        offsite="" if offsite == "-" else offsite,
        scratch=scratch,
        timezone=told.timezone or ask("In which time zone?", local_timezone(os.environ)),
        key_tables=key_tables,
        migrate=command,
        migrate_in=_relative(found.folder, folder) if found and command else "",
        tool=found.tool if found else "",
    )


def _key_tables(ask: Ask, seen: Suggested) -> tuple[KeyTable, ...]:
    proposed = {each.table: each for each in seen.key_tables}
    names = ask(
        "Which tables matter most? (separated by commas; - for none)", ", ".join(proposed) or "-"
    ).split(",")
    wanted = [each.strip() for each in names if each.strip() not in ("", "-")]
    return tuple(proposed.get(each) or KeyTable(table=each) for each in wanted)


def _relative(folder: Path, start: Path) -> str:
    relative = os.path.relpath(folder, start)
    return "" if relative == "." else relative


def local_timezone(environ: Mapping[str, str], localtime: Path = Path("/etc/localtime")) -> str:
    """This machine's time zone, by its IANA name; "UTC" where it has none.

    Args:
        environ: the environment.
        localtime: the link that names it.
    """
    for name in _zones(environ, localtime):
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
        return name
    return "UTC"


def _zones(environ: Mapping[str, str], localtime: Path) -> Iterator[str]:
    yield environ.get("TZ", "").removeprefix(":")
    _, zoneinfo, name = os.path.realpath(localtime).partition("/zoneinfo/")
    if zoneinfo:
        yield name.removeprefix("posix/")


def _write(path: Path, answers: Answers) -> None:
    text = databases_yaml(answers)
    with private_folder() as private:
        tried = private / path.name
        tried.write_text(text, encoding="utf-8")
        try:
            config, written = config_file.checked(tried)
        except ConfigError as error:
            raise UsageError(
                "These answers make no configuration:\n" + "\n".join(error.what.splitlines()[1:]),
                meaning="Nothing was written.",
                next_step="Run init again with other answers; `hackorda-ops config keys` lists what each may be.",
            ) from None
    texts = {
        path.name: text,
        ".env.example": env_example(config, written, dagster=_DAGSTER),
        **{
            each: example_file(each).read_text(encoding="utf-8")
            for each in ("workspace.yaml", "dagster.yaml")
        },
    }
    for file in write_new(path.parent, texts):
        said = "written" if file.is_new else "was there, and is as it was"
        terminal.out.print(f"  {file.path}: {said}", markup=False, soft_wrap=True)
