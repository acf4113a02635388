"""What `restore --dry-run` shows: which artifact would be restored, why, and whether the target may take it."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import source_if_known
from hackorda_ops.cli.looked import documents, exit_code, show_parts
from hackorda_ops.cli.printing import print_json, summary
from hackorda_ops.engines.engine import Target
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.judgement.choosing import ToRestore
from hackorda_ops.own_folders import private_folder
from hackorda_ops.recovery.outlook import look_at_restore
from hackorda_ops.stores.store import PlaceName, Store


def conclude_outlook(
    protected: Protected,
    places: Mapping[PlaceName, Store],
    choice: ToRestore,
    target: Target,
    *,
    with_access: bool,
    tables: Sequence[str],
    as_json: bool,
) -> NoReturn:
    """Looks at a restore without doing it, shows what was seen, and ends the command.

    Args:
        protected: the database.
        places: the stores that answered.
        choice: what would be restored.
        target: the database that it would be restored into.
        with_access: whether roles, owners and grants are to come back as well.
        tables: only these; none for everything.
        as_json: whether to print JSON instead of text.
    """
    first = choice.candidates[0]
    with private_folder() as private:
        parts = look_at_restore(
            protected,
            places[first.place],
            first.manifest,
            target,
            source=source_if_known(engine_that_wrote(first.manifest), protected, private),
            with_access=with_access,
            tables=tables,
        )
    code = exit_code(parts)
    if as_json:
        document = {
            **summary(first.manifest),
            "location": first.location,
            "why": choice.why,
            "passed_over": [each.location for each in choice.passed_over],
            "only_tables": list(tables) or None,
            "would_restore": not code,
            "parts": documents(parts),
        }
        print_json(document)
    else:
        show_parts(f"{first.location}, before a restore", parts)
        can = "It can be restored." if not code else "It can't be restored like this."
        terminal.out.print(f"Nothing was changed. {can}", markup=False)
    raise typer.Exit(code)
