"""WAL positions, as numbers of bytes and as Postgres writes them."""


def lsn_text(position: int) -> str:
    """A WAL position in bytes as Postgres writes it, "0/1A2B3C4D"."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def lsn_bytes(text: str) -> int:
    """The WAL position in bytes of "0/1A2B3C4D".

    Raises:
        ValueError: it isn't one.
    """
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)
