"""One running child: its streams and its end."""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_futures
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO

from hackorda_ops.errors import Stalled
from hackorda_ops.processes.child_output import Output
from hackorda_ops.processes.hand_over import hand_over, supervisor_lost

# What the supervisor may need beyond the grace period to kill and reap.
_STOP_MARGIN_SECONDS = 20.0
# More than a pipe holds, so that one read empties it.
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Finished:
    """How a child ended.

    Attributes:
        returncode: the child's own; -15 means that signal 15 killed it.
        stdout: what it wrote to standard output, as it came; empty unless capture_stdout was asked for.
        stderr_tail: the last 50 lines of its standard error, redacted.
        seconds: from its start until its whole process group was gone.
    """

    returncode: int
    stdout: bytes
    stderr_tail: str
    seconds: float


class Child:
    """A running child; made by `start`.

    Attributes:
        name: the program's name, for messages.
        pid: the child's process id, which is its process group's too.
    """

    def __init__(
        self,
        name: str,
        supervisor: subprocess.Popen[bytes],
        life: FileIO,
        report: FileIO,
        *,
        order: bytes,
        stdin: bytes,
        stdout: Output,
        stderr: Output,
        secret_paths: Sequence[str],
        grace_seconds: float,
    ) -> None:
        self.name = name
        self._supervisor = supervisor
        self._life = life
        self._report = report
        self._stdin = memoryview(stdin)
        self._stdout = stdout
        self._stderr = stderr
        self._secret_paths = secret_paths
        self._stop_seconds = grace_seconds + _STOP_MARGIN_SECONDS
        self._began = time.monotonic()
        self._problem: Exception | None = None
        self._end: Future[Finished] = Future()
        self._life_lock = threading.Lock()
        try:
            self.pid, reported = hand_over(self.name, order, life=life, report=report)
            # A daemon thread, so that an interpreter that exits without stopping its children takes them along.
            threading.Thread(
                target=self._follow, args=(reported,), name=f"output of {name}", daemon=True
            ).start()
        except BaseException:
            self._release()
            raise

    @property
    def running(self) -> bool:
        """Whether any process of the child's group is still there."""
        return not self._end.done()

    @property
    def stderr_tail(self) -> str:
        """The last 50 lines of standard error so far, redacted."""
        return self._stderr.tail

    def ended_within(self, seconds: float | None) -> bool:
        """Wait up to this many seconds (forever if None); returns whether the child has ended by then."""
        return bool(wait_for_futures([self._end], seconds).done)

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Have this called once the child has ended, from another thread; at once if it has."""
        self._end.add_done_callback(lambda _: callback())

    def wait(self, timeout_seconds: float | None = None) -> Finished:
        """Wait for the child's end, and raise what a line callback raised.

        Raises:
            Stalled: it has not ended within `timeout_seconds`; it continues to run.
            ToolFailed: its supervisor was killed, and the child with it.
        """
        if not self.ended_within(timeout_seconds):
            raise Stalled(
                f"{self.name} has not ended within {timeout_seconds:g} seconds.",
                meaning="It is still running, and ends at the latest with this process.",
                next_step="Wait longer, or stop it.",
            )
        return self._end.result()

    def stop(self) -> None:
        """End the child and its whole process group, and wait until they are gone; harmless if it has already ended.

        Not for a line callback: raise there instead.
        """
        self._ask_to_stop()
        if not self.ended_within(self._stop_seconds):
            # The supervisor itself hangs, or was suspended.
            self._kill_group()
            self._supervisor.kill()
            self.ended_within(_STOP_MARGIN_SECONDS)

    def _follow(self, reported: bytes) -> None:
        """In a thread of its own: move the child's streams until it has ended, then report how."""
        try:
            finished = self._move_streams(reported)
        except Exception as problem:  # noqa: BLE001 - raised again by wait()
            self._release()
            self._end.set_exception(problem)
        else:
            self._release()
            self._end.set_result(finished)

    def _move_streams(self, reported: bytes) -> Finished:
        outputs = {
            stream.fileno(): output
            for stream, output in (
                (self._supervisor.stdout, self._stdout),
                (self._supervisor.stderr, self._stderr),
            )
            if stream is not None
        }
        report = self._report.fileno()
        with selectors.DefaultSelector() as selector:
            for descriptor in (report, *outputs):
                selector.register(descriptor, selectors.EVENT_READ)
            stdin = self._supervisor.stdin
            if stdin is not None:
                os.set_blocking(stdin.fileno(), False)
                selector.register(stdin, selectors.EVENT_WRITE)
            supervised = True
            while supervised:
                for key, _ in selector.select():
                    if stdin is not None and key.fileobj is stdin:
                        self._feed(stdin, selector)
                        continue
                    block = os.read(key.fd, _BLOCK_BYTES)
                    if key.fd == report:
                        reported += block
                        supervised = bool(block)
                    elif block:
                        self._take(outputs[key.fd], block)
                    else:
                        selector.unregister(key.fd)
        # The group is gone: one read empties each pipe. Waiting for the streams' end could take forever, as
        # a daemon that the child left behind may hold them open.
        for descriptor, output in outputs.items():
            os.set_blocking(descriptor, False)
            with suppress(BlockingIOError):
                self._take(output, os.read(descriptor, _BLOCK_BYTES))
            self._take(output, b"", last=True)
        return self._conclude(reported)

    def _feed(self, stdin: IO[bytes], selector: selectors.BaseSelector) -> None:
        try:
            self._stdin = self._stdin[os.write(stdin.fileno(), self._stdin) :]
        except BrokenPipeError:
            self._stdin = self._stdin[
                :0
            ]  # The child doesn't read the rest; its return code shows whether that's bad.
        if not self._stdin:
            selector.unregister(stdin)
            stdin.close()

    def _take(self, output: Output, block: bytes, *, last: bool = False) -> None:
        if self._problem is not None:
            return  # Only keep reading, so that the child isn't blocked while it is being stopped.
        try:
            output.feed(block)
            if last:
                output.finish()
        except Exception as problem:  # noqa: BLE001 - raised again by wait()
            self._problem = problem
            self._ask_to_stop()

    def _conclude(self, reported: bytes) -> Finished:
        word, _, returncode = reported.decode().strip().partition(" ")
        if word != "ended":
            self._kill_group()
        if self._problem is not None:
            raise self._problem
        if word != "ended":
            raise supervisor_lost(self.name)
        return Finished(
            returncode=int(returncode),
            stdout=self._stdout.captured,
            stderr_tail=self._stderr.tail,
            seconds=time.monotonic() - self._began,
        )

    def _ask_to_stop(self) -> None:
        with self._life_lock:
            if not self._life.closed:
                # A byte in addition to the pipe's end: a forked copy of this process may hold the pipe open.
                with suppress(OSError):
                    os.write(self._life.fileno(), b"\n")
                self._life.close()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _release(self) -> None:
        """Release everything held for this child; the supervisor stops it if it is still running."""
        self._ask_to_stop()
        try:
            self._supervisor.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        # The supervisor removes them, unless it was killed.
        for path in self._secret_paths:
            with suppress(OSError):
                Path(path).unlink()
        for stream in (
            self._report,
            self._supervisor.stdin,
            self._supervisor.stdout,
            self._supervisor.stderr,
        ):
            if stream is not None:
                stream.close()
