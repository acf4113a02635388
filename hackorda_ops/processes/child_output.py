"""What a child process writes: split into lines, without terminal codes, redacted and bounded, however much it is."""

from collections import deque
from collections.abc import Callable

from hackorda_ops.errors import ToolFailed
from hackorda_ops.redaction.plain_text import plain

# A line is cut here, so that a tool that never ends its line can't fill our memory.
_LINE_LIMIT_BYTES = 1024 * 1024
# A secret split by the cut would not be recognized, so this much before the cut is dropped too.
_CUT_MARGIN_BYTES = 4096
_CAPTURE_LIMIT_BYTES = 64 * 1024 * 1024
_TAIL_LINES = 50
_TAIL_LINE_CHARACTERS = 2000


class LineCutter:
    """Blocks of bytes in, whole lines out."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, block: bytes) -> list[str]:
        """Take the next bytes and return the lines that they complete, without their line ends."""
        first, *others = block.split(b"\n")
        self._pending += first
        lines = []
        for other in others:
            lines.append(self._line())
            self._pending += other
        # One byte over the limit stays, to distinguish a line that was cut from one that just fits.
        del self._pending[_LINE_LIMIT_BYTES + 1 :]
        return lines

    def finish(self) -> list[str]:
        """Return the last line if it has no line end; otherwise an empty list."""
        return [self._line()] if self._pending else []

    def _line(self) -> str:
        line = bytes(self._pending)
        self._pending.clear()
        if len(line) > _LINE_LIMIT_BYTES:
            line = line[: _LINE_LIMIT_BYTES - _CUT_MARGIN_BYTES] + b" [...]"
        return line.decode("utf-8", "replace").removesuffix("\r")


class Output:
    """One output stream of a child: passes on its lines as plain text, keeps the last of them, or captures the bytes.

    Args:
        on_line: called with each line, redacted; None if not needed.
        on_block: called with the bytes as they come; None if not needed.
        redact: removes secrets from a line.
        capture: keep the bytes as they came, up to 64 MiB.
        keep_tail: keep the last 50 lines, redacted.
    """

    def __init__(
        self,
        *,
        on_line: Callable[[str], None] | None,
        redact: Callable[[str], str],
        capture: bool,
        keep_tail: bool,
        on_block: Callable[[bytes], None] | None = None,
    ) -> None:
        self._on_line = on_line
        self._on_block = on_block
        self._redact = redact
        self._capture = capture
        self._captured = bytearray()
        self._tail: deque[str] | None = deque(maxlen=_TAIL_LINES) if keep_tail else None
        self._cutter = LineCutter()

    def feed(self, block: bytes) -> None:
        """Take the next bytes.

        Raises:
            ToolFailed: there were more than 64 MiB to capture.
        """
        if self._capture:
            self._captured += block
            if len(self._captured) > _CAPTURE_LIMIT_BYTES:
                self._captured.clear()
                raise ToolFailed(
                    f"A tool wrote more than {_CAPTURE_LIMIT_BYTES} bytes where a short answer was expected.",
                    meaning="Its output was discarded, so nothing was done with it.",
                    next_step="Report this with the tool's name and the size of the database's schema.",
                )
        if self._on_block is not None:
            self._on_block(block)
        if self._on_line is not None or self._tail is not None:
            self._pass_on(self._cutter.feed(block))

    def finish(self) -> None:
        """Signal the end of the stream: a last line without a line end is passed on too."""
        self._pass_on(self._cutter.finish())

    @property
    def captured(self) -> bytes:
        """The bytes as they came; empty unless capturing was requested."""
        return bytes(self._captured)

    @property
    def tail(self) -> str:
        """The last 50 lines, redacted, each cut to 2,000 characters; empty unless requested."""
        # Once more in one piece: a secret may be folded over lines.
        return self._redact("\n".join(self._tail)) if self._tail else ""

    def _pass_on(self, lines: list[str]) -> None:
        for line in lines:
            safe = self._redact(plain(line))
            if self._tail is not None:
                self._tail.append(safe[:_TAIL_LINE_CHARACTERS])
            if self._on_line is not None:
                self._on_line(safe)
