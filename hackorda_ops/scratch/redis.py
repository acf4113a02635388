"""Scratch for Redis: a server of our own on this machine, made for a drill, never saving, gone afterwards."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Looked, looked
from hackorda_ops.config.scratch import RedisSection
from hackorda_ops.environment import Protected
from hackorda_ops.redis.server import Program, find_program, running
from hackorda_ops.redis.target import RedisTarget
from hackorda_ops.scratch.place import Place
from hackorda_ops.scratch.provider import Provider


def program_of(protected: Protected) -> Program:
    """The redis-server that reads snapshots of a database, and that its drills restore on.

    Raises:
        ClientMissing: there is none.
    """
    return find_program(section_of(protected).program_folder, protected.environ.get("PATH"))


def section_of(protected: Protected) -> RedisSection:
    """What databases.yaml says of it; the defaults where there is no databases.yaml."""
    section = protected.policy.scratch.section
    return section if isinstance(section, RedisSection) else RedisSection()


class RedisScratch:
    """See `Scratch`. Its servers end with this process, so that none is ever left behind."""

    def __init__(self, program: Program, memory_bytes: int) -> None:
        self.program = program
        self.memory_bytes = memory_bytes

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:  # noqa: ARG002  # there's no server to ask
        """See `Scratch.left_behind`."""
        return ()

    def sweep(self) -> tuple[str, ...]:
        """See `Scratch.sweep`."""
        return ()

    @contextmanager
    def opened(self, manifest: Manifest, drill_id: str) -> Iterator[Place]:  # noqa: ARG002  # any server is like it
        """See `Scratch.opened`."""
        with ExitStack() as servers:

            def new_database(purpose: str) -> RedisTarget:  # noqa: ARG001  # each has a server of its own
                return servers.enter_context(running(self.program, memory_bytes=self.memory_bytes))

            yield Place(
                description=f"redis-server {self.program.version} of our own on this machine",
                new_database=new_database,
                branch=None,
                interrupt=servers.close,
            )


@contextmanager
def _opened(
    section: RedisSection,
    protected: Protected,
    source: RedisTarget,  # noqa: ARG001  # a server of our own can't be the source
    budget_seconds: float | None,  # noqa: ARG001  # there is no API
) -> Iterator[RedisScratch]:
    yield RedisScratch(program_of(protected), section.memory_bytes)


def _look(section: RedisSection, protected: Protected, wanted: object) -> Iterator[Looked]:  # noqa: ARG001  # the night looks for the program
    def start() -> str:
        program = program_of(protected)
        with running(program, memory_bytes=section.memory_bytes):
            return f"redis-server {program.version}, at most {section.memory_mb:,} MB; one was started, and stopped"

    yield looked("scratch", "stops the drill", start)


PROVIDER = Provider(RedisSection, "drill", _opened, _look, outlives=False)
