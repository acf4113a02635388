"""The commands on databases.yaml itself: whether it's sound, what applies, and every key there is."""

import os
import re
from typing import Annotated, Any, Final

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath
from hackorda_ops.cli.printing import print_json
from hackorda_ops.config import file as config_file
from hackorda_ops.config.reference import json_schema, page
from hackorda_ops.config.reference.origins import ValueOrigin, origins
from hackorda_ops.errors import UsageError
from hackorda_ops.redaction.passwords import without_passwords

app = typer.Typer(
    help="Check databases.yaml, show what applies and where it comes from, list every key.",
    no_args_is_help=True,
)

# Its values are whatever the team's hooks need: secrets, for all we know.
_VALUES_HIDDEN: Final = ("exercise", "environment")
_SECRET_OPTION: Final = re.compile(r"(--?[\w-]*(?:pass|token|secret|key)[\w-]*[ =])\S+", re.IGNORECASE)


@app.command()
def check(config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Report every problem of the file, each with its line and what to write. Needs no network and no variables.

    Exit code 2: there are problems. `hackorda-ops preflight` then checks what the file names.
    """
    path = config_file.locate(config, os.environ)
    names = list(config_file.load(path).databases)
    if as_json:
        print_json({"file": str(path), "databases": names, "sound": True})
    else:
        terminal.out.print(
            f"{path}: no problems; {len(names)} database(s): {', '.join(names)}", markup=False, soft_wrap=True
        )


@app.command()
def show(
    database: Annotated[
        str | None, typer.Argument(metavar="[DATABASE]", help="Only this database; all by default.")
    ] = None,
    config: ConfigPath = None,
    written: Annotated[
        bool, typer.Option("--written", help="Only what the file says, without the product's defaults.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show each value that applies and where it comes from; of a variable only whether it's set."""
    path = config_file.locate(config, os.environ)
    checked, text = config_file.checked(path)
    if database is not None and database not in checked.databases:
        raise UsageError(
            f"There's no database {database!r} in the configuration.",
            meaning="Nothing was shown.",
            next_step=f"Name one of: {', '.join(checked.databases)}.",
        )
    shown = [
        each
        for each in origins(checked, text, os.environ)
        if (database is None or each.path[:2] == ("databases", database))
        and (not written or each.comes in ("file", "defaults"))
    ]
    if as_json:
        print_json([_document(each) for each in shown])
        return
    terminal.table(
        str(path), ("key", "value", "comes from"), [(each.key, _value(each), _source(each)) for each in shown]
    )


@app.command()
def keys(
    word: Annotated[
        str, typer.Argument(metavar="[WORD]", help="Only keys with this in their path, as `schedule`.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List every key of databases.yaml: what it is, its values and its default."""
    found = [each for each in page.lines() if word.lower() in each.path.lower()]
    if as_json:
        print_json(found)
        return
    if not found:
        raise UsageError(
            f"No key has {word!r} in its path.",
            meaning="Nothing was listed.",
            next_step="List all of them: hackorda-ops config keys",
        )
    terminal.table(
        "Keys of databases.yaml",
        ("key", "value", "default", "what it is"),
        [(each.path, each.values, each.default, each.about) for each in found],
    )


@app.command()
def schema() -> None:
    """Print the JSON Schema of databases.yaml, for editors."""
    print(json_schema.text(), end="")


def _document(origin: ValueOrigin) -> dict[str, Any]:
    return {
        "key": origin.key,
        "value": _without_secrets(origin),
        "comes_from": origin.comes,
        "line": origin.line,
        "variables_set": origin.variables,
    }


def _without_secrets(origin: ValueOrigin) -> Any:
    if origin.path[-2:] == _VALUES_HIDDEN and isinstance(origin.value, dict):
        return dict.fromkeys(origin.value, "(not shown)")
    if isinstance(origin.value, list) and origin.value:
        # A command's words: a password may be one of them, after an option that says so.
        return _hidden(" ".join(map(str, origin.value))).split(" ")
    return _hidden(origin.value) if isinstance(origin.value, str) else origin.value


def _hidden(text: str) -> str:
    return _SECRET_OPTION.sub(r"\1***", without_passwords(text, ()))


def _value(origin: ValueOrigin) -> str:
    if origin.variables:
        return ", ".join(
            f"{name} ({'set' if is_set else 'not set'})" for name, is_set in origin.variables.items()
        )
    value = _without_secrets(origin)
    return "" if value in (None, [], {}) else page.as_yaml(value)


def _source(origin: ValueOrigin) -> str:
    line = "" if origin.line is None else f", line {origin.line}"
    return {"file": "file", "defaults": "defaults", "product": "default", "another key": "another key"}[
        origin.comes
    ] + line
