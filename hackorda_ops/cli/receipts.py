"""The commands about receipts: receipts key, verify, rotate."""

from pathlib import Path
from typing import Annotated

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_database, choose_databases
from hackorda_ops.cli.printing import print_json
from hackorda_ops.errors import UsageError
from hackorda_ops.receipts.verify import Head

app = typer.Typer(
    help="The receipts of every verdict: check them, make the key that signs them, change it.",
    no_args_is_help=True,
)


@app.command()
def verify(
    database: DatabaseName = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            "--key", metavar="FILE", help="A public key that you trust: the first one, or one after a loss."
        ),
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option("--head", metavar="SEQUENCE:SHA256", help="A head that was noted earlier, elsewhere."),
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Check every receipt in the store and off-site: signatures, order, nothing missing, all places equal.

    Trusted are the keys of --key and of receipts.trusted_keys; with neither, the first key in the chain is taken on
    trust, and shown. A missing end shows where one place still has it, or where --head names a receipt that was there.
    Exit code 0: whole. 1: something speaks against it, or a place could not be read.
    """
    from hackorda_ops.receipts import reading  # noqa: PLC0415  # loads cryptography
    from hackorda_ops.receipts.keys import trusted_ids  # noqa: PLC0415

    heads = [_head(text) for text in head or ()]
    whole = True
    found = []
    for protected in choose_databases(config, database):
        trusted = trusted_ids(protected.policy.receipts, key or ())
        with terminal.progress_shown() as on_progress:
            checked = reading.check(protected, trusted=trusted, heads=heads, on_progress=on_progress)
        whole = whole and checked.whole
        found.append(
            {
                "database": checked.database,
                "whole": checked.whole,
                "problems": [*checked.differences, *checked.unread, *checked.chain.problems],
                "head": str(checked.chain.head) if checked.chain.head else None,
                "receipts": len(checked.chain.receipts),
                "unsigned": checked.chain.unsigned,
                "first_key": checked.chain.first_key,
                "trusted": checked.chain.trusted,
                "places": checked.places,
                "waiting": checked.waiting,
            }
        )
        if not as_json:
            for line in (
                f"{checked.database}:",
                *(f"  {each}" for each in "\n".join(checked.told).split("\n")),
            ):
                terminal.out.print(line, markup=False, soft_wrap=True)
    if as_json:
        print_json(found)
    raise typer.Exit(0 if whole else 1)


@app.command()
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the private key.")],
) -> None:
    """Make a pair of keys: the private one in a file for you alone, the public one beside it.

    Nothing is changed by it: the key signs once databases.yaml names it.
    """
    from hackorda_ops.receipts import keys  # noqa: PLC0415  # loads cryptography

    made = keys.make_pair(file)
    for line in (
        f"The private key is in {file}, which only you can read.",
        "  Keep a copy where a lost machine doesn't take it along, such as a password manager.",
        f"  Let databases.yaml name it: receipts: {{key_file: {file.absolute()}}}, or key_env, or key_command.",
        f"The public key is in {keys.public_file(file)}, for everybody who checks receipts.",
        f"Its id, to be noted outside of this machine: {made.public.id}",
    ):
        terminal.out.print(line, markup=False, soft_wrap=True)


@app.command()
def rotate(
    database: Annotated[
        str, typer.Argument(metavar="DATABASE", help="The database's name in databases.yaml.")
    ],
    new: Annotated[Path, typer.Option("--to", metavar="FILE", help="The new private key (`receipts key`).")],
    lost: Annotated[
        bool,
        typer.Option(
            "--old-key-is-lost", help="Nothing vouches for the new key then; whoever checks has to name it."
        ),
    ] = False,
    config: ConfigPath = None,
) -> None:
    """Change the key: a receipt that the old key signs names the new one.

    Let databases.yaml name the new key afterwards. Until it does, receipts wait on this machine.
    """
    from hackorda_ops.receipts.rotation import rotate as rotated  # noqa: PLC0415  # loads cryptography

    appended = rotated(choose_database(config, database), new, lost=lost)
    introduced = appended.receipt.key
    for line in (
        f"Receipt {appended.head.sequence} of {database} introduces the key {introduced.id if introduced else ''}.",
        "Now let databases.yaml name the new key, here and where Dagster runs; until then receipts wait.",
        f"Head, to keep elsewhere: {appended.head}",
    ):
        terminal.out.print(line, markup=False, soft_wrap=True)


def _head(text: str) -> Head:
    try:
        return Head.parsed(text)
    except ValueError as error:
        raise UsageError(
            f"--head {error}.",
            meaning="Nothing was checked.",
            next_step="Copy the whole head, as `receipts verify` or Dagster shows it.",
        ) from None
