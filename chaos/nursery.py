"""Runs commands as processes that are forked from one that has everything loaded: `python -m chaos.nursery`.

Started with files.c preloaded. It takes an order a line on standard input, as JSON, and answers each with the process
id of the command, and when that has ended with how it did.
"""

import ctypes
import importlib
import json
import os
import pkgutil
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

from chaos.faults import Fault, Meeting, Position, labelled

_NOT_LOADED: Final = ("hackorda_ops.orchestration", "hackorda_ops.definitions", "hackorda_ops.component")
_CHILD_FAULT: Final = Path(__file__).with_name("child_fault.py")


def main() -> None:
    """Takes orders until standard input ends."""
    import hackorda_ops  # noqa: PLC0415  # in this process alone

    for module in pkgutil.walk_packages(hackorda_ops.__path__, "hackorda_ops."):
        if not module.name.startswith(_NOT_LOADED) and not module.name.endswith(("__main__", "build_hook")):
            importlib.import_module(module.name)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(order)
        _say({"pid": pid})
        _, status = os.waitpid(pid, 0)
        _say({"code": os.waitstatus_to_exitcode(status)})


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def _run(order: dict[str, Any]) -> None:
    os.setsid()
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.argv = ["hackorda-ops", *order["arguments"]]
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    planned = order["planned"] and Fault(Position(*order["planned"][:3]), order["planned"][3])
    if order.get("kill_after_seconds") is not None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        _kill_after(order["kill_after_seconds"])
    _count_children(log, planned, Path(order["marker"]))
    _arm_files(order, log, planned)
    import hackorda_ops.cli  # noqa: PLC0415  # in this process alone

    code = 3
    try:
        hackorda_ops.cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException as problem:  # noqa: BLE001  # as the interpreter would end
        print(f"Traceback: {problem!r}", file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # As an interpreter ends: threads that still run don't hold it up, and children end with it.
    os._exit(code)


def _kill_after(seconds: float) -> None:
    killer = os.fork()
    if killer == 0:
        time.sleep(seconds)
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(0)


def _arm_files(order: dict[str, Any], log: int, planned: Fault | None) -> None:
    library = ctypes.CDLL(order["library"])
    mine = planned if planned is not None and planned.position.boundary == "file" else None
    library.chaos_arm(
        order["root"].encode(),
        log,
        (mine.position.label if mine else "").encode(),
        mine.position.occurrence if mine else 0,
        (mine.kind if mine else "").encode(),
        order["marker"].encode(),
    )


def _count_children(log: int, planned: Fault | None, marker: Path) -> None:
    """Counts every child as it is started, and has the planned one started below `child_fault.py`."""
    from hackorda_ops.processes import child  # noqa: PLC0415  # in this process alone

    start = child.start
    meeting = Meeting(planned)

    def counted(arguments: Any, **options: Any) -> child.Child:
        label = child_label([str(each) for each in arguments])
        os.write(log, f"child\t{label}\n".encode())
        fault = meeting.meet("child", label)
        if fault is None:
            return start(arguments, **options)
        marker.touch()
        return start([sys.executable, "-I", "-S", _CHILD_FAULT, fault, *arguments], **options)

    child.start = counted


def child_label(arguments: list[str]) -> str:
    """A child by its program and options, without paths."""
    name = Path(arguments[0]).name
    if "worker" in " ".join(arguments) or "-m" in arguments:
        return labelled(
            " ".join([name, *(each for each in arguments[1:] if each.startswith(("hackorda", "chaos")))])
        )
    options = [each.split("=")[0] for each in arguments[1:] if each.startswith("-") and len(each) < 40]
    return labelled(" ".join([name, *options]))


if __name__ == "__main__":
    main()
