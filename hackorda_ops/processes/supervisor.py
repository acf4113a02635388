"""The small process between this product and a tool it runs, which stops the tool when we die.

Run as a script by `hackorda_ops.processes.child`, never imported: it must start in a hundredth of a second
and must not need the package. Hence it imports only what is part of the interpreter itself, or nearly. It
lives in a session of its own, so that Ctrl-C at a terminal, or a signal to our process group, doesn't kill it
too. The tool runs below it in a process group of its own, together with the workers that the tool forks.

It holds the read end of a pipe whose write end only our process has. However our process ends, SIGKILL
included, the kernel closes the write end; the supervisor then sends the stop signal to the tool's group,
waits for the grace period, and kills what is left. The same happens to workers that outlive their tool. Only a
daemon that leaves the group on purpose is left alone.

What the tool must not have in its environment, which every process of the same user can read while the
tool runs, it gets as files readable by their owner only. They are created here because this process lives as
long as the tool: they are removed when the tool ends, even if our process was killed.

Arguments: the number of the life pipe's descriptor and of the report pipe's. Standard input, output and
error are the tool's. On the life pipe comes the order: a line with its length, then a dictionary as marshal writes
it (`arguments`, `environment`, `secret_files`, `secret_paths`, `working_directory`, `user`, `stop_signal`,
`grace_seconds`); after that, any byte or the end of the file
means "stop". On the report pipe go `started PID`, then `ended RETURNCODE`; or `refused STEP ERRNO`.
"""

import _signal as signal  # type: ignore[import-not-found] # what `signal` wraps in enums, which take long to import
import errno
import marshal
import os
import select
import sys
import time
import warnings  # noqa: F401 - os.execvpe does it, as a user who may not be allowed to read Python's own files

TYPE_CHECKING = False  # `typing` has it, and takes long to import
if TYPE_CHECKING:
    from typing import Any, NoReturn

# A process that isn't our child (macOS) can't be waited for, only looked for.
_LOOK_AGAIN_MILLISECONDS = 50
# The parent's end shows at once through the pipe; this is for a pipe that a forked copy of the parent holds open.
_PARENT_CHECK_MILLISECONDS = 1000
# SIGKILL takes effect when a process leaves the kernel; a hung disk may keep it there forever.
_KILL_SECONDS = 10.0
# The defaults that a shell would give a program: the tool must not inherit our handlers or what our parent ignored.
_SIGNALS_AT_DEFAULT = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGPIPE,
    signal.SIGCHLD,
    signal.SIGXFSZ,
)
_PR_SET_CHILD_SUBREAPER = 36


def main(life: int, report: int) -> None:
    """Run one tool as ordered on the life pipe, and report its end.

    Args:
        life: descriptor to read orders from; its end means that the parent died.
        report: descriptor to write the reports to.
    """
    parent = os.getppid()
    for descriptor in (life, report):
        os.set_inheritable(descriptor, False)
    wake, wake_write = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # The handler does nothing: what counts is the byte on the wake-up pipe. A request to end means
        # stopping the tool first, never leaving it running.
        signal.signal(number, _noticed)
    order = _read_order(life)
    if order is None:
        return  # The parent died before it said what to run.
    _adopt_orphans()
    written: list[str] = []
    try:
        try:
            _write_secret_files(order, written)
        except OSError as problem:
            _tell(report, f"refused secret {problem.errno or errno.EIO}")
            return
        tool = _launch(order, report)
        if tool is None:
            return
        _tell(report, f"started {tool}")
        returncode = _watch(tool, order, life=life, wake=wake, parent=parent)
    finally:
        for path in written:
            with _Ignored(OSError):
                os.unlink(path)  # noqa: PTH108 - pathlib takes longer to import than the rest of this script
    _tell(report, f"ended {returncode}")


def _noticed(_number: int, _frame: object) -> None:
    pass


class _Ignored:
    """`contextlib.suppress`, which takes long to import."""

    def __init__(self, *kinds: type[Exception]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, self._kinds)


def _read_order(descriptor: int) -> "dict[str, Any] | None":
    """What to run; None if the pipe ended before all of it had come."""
    gathered = b""
    while True:
        length, line_end, order = gathered.partition(b"\n")
        if line_end and len(order) >= int(length):
            read: dict[str, Any] = marshal.loads(order)  # noqa: S302 - from the process that started this one
            return read
        block = os.read(descriptor, 65536)
        if not block:
            return None
        gathered += block


def _tell(report: int, message: str) -> None:
    with _Ignored(BrokenPipeError):  # The parent died; nobody is listening.
        os.write(report, message.encode() + b"\n")


def _adopt_orphans() -> None:
    """On Linux, become the parent of the tool's orphans, so as to reap them.

    In a container whose first process reaps nothing they would stay zombies, and a group of zombies looks
    alive. Elsewhere the system's own first process does it.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415 - only here, and macOS starts faster without it

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _write_secret_files(order: "dict[str, Any]", written: list[str]) -> None:
    """Write the order's secret files, and name each in the tool's environment; `written` gets the paths."""
    for variable, text in order["secret_files"].items():
        path = order["secret_paths"][variable]
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        written.append(path)
        with open(file, "wb") as stream:  # noqa: PTH123 - pathlib takes long to import
            if order["user"] is not None:
                os.fchown(file, order["user"][1], order["user"][2])
            stream.write(text.encode("utf-8", "surrogateescape"))
        order["environment"][variable] = path


def _launch(order: "dict[str, Any]", report: int) -> int | None:
    """Start the tool in a process group of its own; None where it could not be started (reported)."""
    # A single-threaded process can fork and then do anything, unlike the parent with its threads.
    trouble_read, trouble_write = os.pipe()
    tool = os.fork()
    if tool == 0:
        _become(order, trouble_write)
    os.close(trouble_write)
    # Both sides do it: whichever is first, the group exists before anyone signals it. Ours is refused
    # once the tool has called exec, after its own.
    with _Ignored(OSError):
        os.setpgid(tool, tool)
    trouble = os.read(trouble_read, 1000)
    os.close(trouble_read)
    if trouble:
        os.waitpid(tool, 0)
        _tell(report, f"refused {trouble.decode()}")
        return None
    return tool


def _become(order: "dict[str, Any]", trouble: int) -> "NoReturn":
    """In the forked process: become the tool, or write to `trouble` which step failed and its errno."""
    step = "group"
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS_AT_DEFAULT:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.umask(0o077)
        if order["user"] is not None:
            step = "user"
            name, user_id, group_id = order["user"]
            os.initgroups(name, group_id)
            os.setgid(group_id)
            os.setuid(user_id)
        if order["working_directory"] is not None:
            step = "folder"
            os.chdir(order["working_directory"])
        step = "program"
        os.execvpe(order["arguments"][0], order["arguments"], order["environment"])  # noqa: S606 - no shell is wanted
    except (OSError, ValueError) as problem:  # ValueError: a NUL in an argument or a variable
        os.write(trouble, f"{step} {getattr(problem, 'errno', None) or errno.EINVAL}".encode())
    finally:
        os._exit(127)


def _watch(tool: int, order: "dict[str, Any]", *, life: int, wake: int, parent: int) -> int:
    """Wait for the tool's end or for a reason to end it; return its return code once its group is gone."""
    poll = select.poll()
    poll.register(life, select.POLLIN)
    poll.register(wake, select.POLLIN)
    returncode: int | None = None
    while returncode is None:
        ready = {descriptor for descriptor, _ in poll.poll(_PARENT_CHECK_MILLISECONDS)}
        told = wake in ready and set(os.read(wake, 1000)) & {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        returncode = _reap(tool)
        if life in ready or told or os.getppid() != parent:
            break

    poll.unregister(life)
    for number, patience_seconds in (
        (order["stop_signal"], order["grace_seconds"]),
        (signal.SIGKILL, _KILL_SECONDS),
    ):
        if not _group_signalled(tool, number):
            break
        until = time.monotonic() + patience_seconds
        while time.monotonic() < until and _group_signalled(tool, 0):
            if poll.poll(_LOOK_AGAIN_MILLISECONDS):
                os.read(wake, 1000)
            ended = _reap(tool)
            returncode = ended if returncode is None else returncode
    if returncode is None:
        returncode = _reap(tool)
    # A tool that not even SIGKILL stops hangs in the kernel; report the signal it was sent.
    return -signal.SIGKILL if returncode is None else returncode


def _reap(tool: int) -> int | None:
    """Reap all that ended; the tool's return code (negative: the signal that killed it) if it is among them."""
    returncode = None
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return returncode
        if process == 0:
            return returncode
        if process == tool:
            returncode = os.waitstatus_to_exitcode(status)


def _group_signalled(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS answers "not permitted" for a group of zombies
        return False
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
