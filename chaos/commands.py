"""The commands that are tried: what each starts from, and what it must have come to in the end."""

import io
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

import hackorda_ops.engines.registry  # noqa: F401  # whose engines read manifests
from chaos.world import BUCKET, DATABASE, World
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, digest_of, from_bytes, to_bytes
from hackorda_ops.local.postgres import create_database
from hackorda_ops.stores.folder import FolderStore

LEFT_BEHIND: Final = "hackorda_ops_drill_shop_dead"
_OLD_NIGHTS: Final = range(9, 19)


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: as reports call it.
        arguments: of hackorda-ops.
        starts_from: the state that is kept by this name.
        prepare: what is made for each case, beside that state.
        refused_again: whether a second run of it, once it's done, is refused rather than repeated.
        of: the database that it is about.
    """

    name: str
    arguments: tuple[str, ...]
    starts_from: str = "ready"
    prepare: Callable[[World], None] = lambda _: None
    refused_again: bool = False
    of: str = DATABASE


def _left_behind(world: World) -> None:
    create_database(world.scratch, LEFT_BEHIND)
    label = {"app": "hackorda_ops", "database": DATABASE, "drill": "20261108T060000Z-dead00"}
    with psycopg.connect(world.scratch.url(), autocommit=True) as connection:
        connection.execute(f"COMMENT ON DATABASE {LEFT_BEHIND} IS '{json.dumps(label)}'")


COMMANDS: Final = (
    Command("night", ("dump",)),
    Command("copy", ("copy",)),
    Command("proof", ("prove", "--seed", "1")),
    Command("drill", ("drill", "--seed", "1")),
    Command("restore", ("restore",), refused_again=True),
    Command("verify", ("verify",)),
    Command("prune", ("prune", "--delete"), starts_from="old"),
    Command("sweep", ("sweep",), prepare=_left_behind),
)
ON_NEON: Final = (
    Command("drill on Neon", ("drill", "--seed", "1"), starts_from="neon"),
    Command("exercise", ("exercise",), starts_from="neon"),
)
OF_REDIS: Final = (
    Command("night of Redis", ("dump",), starts_from="redis", of="cache"),
    Command("drill of Redis", ("drill", "--seed", "1"), starts_from="redis", of="cache"),
)
EVERY: Final = {each.name: each for each in (*COMMANDS, *ON_NEON, *OF_REDIS)}


def policy(world: World, **changes: Any) -> dict[str, Any]:
    """The configuration of the database."""
    return {
        "store": str(world.case / "store"),
        "offsite": {"bucket": BUCKET},
        # Its administrator is a superuser, which a drill uses only where it is named.
        "scratch": {"server": {"superuser": "postgres"}},
        # A client tool that waits for a silent server is ended by these alone.
        "dump": {"work_folder": str(world.case / "work"), "deadline_hours": 0.02},
        "proof": {"within_minutes": 1.5},
        "retention": {"store": {"nights": 7, "weeks": 0, "months": 0, "years": 0}},
        **changes,
    }


def make_state(world: World, name: str) -> None:
    """Makes and keeps a state that commands start from, unless it is there."""
    if (world.folder / "kept" / name).exists():
        return
    if name == "old":
        make_state(world, "ready")
        world.back_to("ready")
        _age(world)
    else:
        _empty(world)
        if name == "neon":
            world.neon()
            world.write_config({DATABASE: policy(world, scratch={"neon": {}}, dump_from="source")})
        elif name == "redis":
            world.redis()
            cache = policy(world, engine="redis", source={"url_env": "REDIS_URL"}, scratch={"redis": {}})
            world.write_config({"cache": cache})
        else:
            world.write_config({DATABASE: policy(world)})
        for arguments in (["dump"], ["copy"], ["drill"], ["dump"]):
            ran = world.run(arguments)
            if ran.code != 0:
                raise RuntimeError(f"{arguments[0]} without a fault ended with {ran.code}:\n{ran.output}")
    world.keep(name)


def _empty(world: World) -> None:
    for each in ("store", "work", "tmp", ".cache"):
        _remove(world.case / each)
    (world.case / "tmp").mkdir()
    client = world.s3.client()
    for key in world.objects():
        client.delete_object(Bucket=BUCKET, Key=key)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _age(world: World) -> None:
    """Adds nights of some weeks ago, made of the newest one."""
    store = FolderStore(world.case / "store")
    newest = max((world.case / "store" / DATABASE).glob(f"2*/{MANIFEST_NAME}"))
    manifest = from_bytes(newest.read_bytes(), origin=str(newest))
    for days in _OLD_NIGHTS:
        moment = datetime.now(UTC) - timedelta(days=days)
        old = replace(manifest, artifact_id=new_id(moment), captured_at=moment, night=moment.date())
        for path in [*(entry.path for entry in manifest.files), MANIFEST_NAME]:
            data = to_bytes(old) if path == MANIFEST_NAME else (newest.parent / path).read_bytes()
            store.put(f"{old.prefix}/{path}", io.BytesIO(data), size_bytes=len(data), sha256=digest_of(data))


def chosen(names: Sequence[str], every: Mapping[str, Command] = EVERY) -> list[Command]:
    """The commands of these names; all without any."""
    return [every[name] for name in names] if names else list(every.values())
