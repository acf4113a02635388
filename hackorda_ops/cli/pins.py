"""The commands that keep an artifact whatever retention's plan says: pin, unpin."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from hackorda_ops.artifacts.ids import is_id
from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath
from hackorda_ops.cli.named import Asked, Named, ask
from hackorda_ops.cli.printing import note, print_json
from hackorda_ops.errors import UsageError
from hackorda_ops.receipts.record import recorded
from hackorda_ops.safekeeping import pins
from hackorda_ops.safekeeping.pins import Pin
from hackorda_ops.stores.locks import locking
from hackorda_ops.words import counted

_MOST_CHARACTERS = 500


def pin(
    named: Named = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why it's kept, for whoever wants to delete it; no secrets.")
    ] = "",
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The last day on which it's kept (UTC)."),
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Keep an artifact until a date, whatever retention's plan says; in a bucket that locks files, by a legal hold.

    It's kept in every place, also where it's copied to later. The weekly retention lifts a pin that is over. Pinning it
    again changes reason and date. Example:

    hackorda-ops pin 20261108T020000Z-1a2b3c --reason "Audit of 2026" --until 2027-03-31
    """
    now = datetime.now(UTC)
    ends_at = _end_of(until, now)
    said = reason.strip()
    if not said or len(said) > _MOST_CHARACTERS:
        raise UsageError(
            f"--reason needs between 1 and {_MOST_CHARACTERS} characters.",
            meaning="Nothing was pinned.",
            next_step="Say why the artifact is kept; whoever finds it in a year has nothing else.",
        )
    asked, artifact_id = _named(named, config)
    made = Pin(asked.protected.name, artifact_id, said, ends_at, now)
    stores = asked.protected.known_stores
    with recorded("pin", asked.protected, subject=artifact_id) as line:
        notes = pins.pin(stores, made)
        line.detail = f"{artifact_id} {made.sentence}"
    for each in notes:
        note(each)
    holding = [store.describe() for store in stores if locking(store)]
    if as_json:
        print_json({**vars(made), "notes": notes})
        return
    terminal.out.print(
        f"{artifact_id} is {made.sentence}. Retention keeps it in {counted(len(stores), 'place')}"
        + (f"; held by {', '.join(holding)} as well." if holding and not notes else "."),
        markup=False,
        soft_wrap=True,
    )


def unpin(named: Named = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Keep an artifact no longer than retention's plan says, and lift its legal hold.

    Nothing is deleted now: the next run of retention decides. A lock that the bucket gave it stays until its date.
    """
    asked, artifact_id = _named(named, config)
    stores = asked.protected.known_stores
    with recorded("unpin", asked.protected, subject=artifact_id):
        notes = pins.unpin(stores, asked.protected.name, artifact_id)
    for each in notes:
        note(each)
    if as_json:
        print_json({"database": asked.protected.name, "artifact_id": artifact_id, "notes": notes})
        return
    terminal.out.print(f"{artifact_id} is pinned no longer.", markup=False)


def _end_of(day: datetime | None, now: datetime) -> datetime:
    if day is None:
        raise UsageError(
            "--until names no day.",
            meaning="Nothing was pinned.",
            next_step="Give the last day on which it's kept, as --until 2027-03-31. It can be pinned again.",
        )
    ends_at = day.replace(tzinfo=UTC) + timedelta(days=1)
    if ends_at <= now:
        raise UsageError(
            f"--until {day:%Y-%m-%d} is over already.",
            meaning="Nothing was pinned.",
            next_step="Give a day to come.",
        )
    return ends_at


def _named(words: list[str] | None, config: Path | None) -> tuple[Asked, str]:
    """The artifact, which has to be named, and to be there."""
    if not any(is_id(each) for each in words or ()):
        raise UsageError(
            "The command names no artifact.",
            meaning="Nothing was changed.",
            next_step="Name its id; `hackorda-ops backups` lists them.",
        )
    asked = ask(words, config, None)
    return asked, asked.held(asked.ids[0])[0].manifest.artifact_id
