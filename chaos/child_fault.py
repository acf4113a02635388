"""Runs a program with a fault: `python -I -S child_fault.py FAULT PROGRAM ARGUMENTS…`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

NOISE = b"\xff\x00\xfe\x80" * 4


def main(fault: str, *command: str) -> int:
    """Runs it; returns its exit code, or what the fault makes of it."""
    if fault == "error":
        print("chaos: refused to start", file=sys.stderr)
        return 1
    if fault == "hang":
        while True:
            time.sleep(3600)
    if Path(command[0]).name in {"postgres", "redis-server"} and "--version" not in command:
        started = subprocess.Popen(command)
        time.sleep(0.7)
        started.kill()
        started.wait()
        os.kill(os.getpid(), signal.SIGKILL)
    given = b"" if sys.stdin is None else sys.stdin.buffer.read()
    written = [each.partition("=")[2] for each in command if each.startswith("--file=")]
    ended = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=False)
    output = ended.stdout
    if fault == "twice":
        again = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=False)
        output += again.stdout
        ended = again
    if fault in {"cut", "garbled"} and not output and written:
        _spoil(Path(written[0]), fault)
    output = (
        output[: len(output) // 2] if fault == "cut" else _garbled(output) if fault == "garbled" else output
    )
    sys.stdout.buffer.write(output)
    sys.stdout.flush()
    if fault == "lost":
        os.kill(os.getpid(), signal.SIGKILL)
    return ended.returncode


def _spoil(written: Path, fault: str) -> None:
    files = [written] if written.is_file() else [each for each in written.rglob("*") if each.is_file()]
    for each in sorted(files, key=lambda file: file.stat().st_size)[-1:]:
        data = each.read_bytes()
        each.write_bytes(data[: len(data) // 2] if fault == "cut" else _garbled(data))


def _garbled(data: bytes) -> bytes:
    middle = max(0, len(data) // 2 - len(NOISE) // 2)
    return data[:middle] + NOISE[: len(data) - middle] + data[middle + len(NOISE) :]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
