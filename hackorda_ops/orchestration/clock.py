"""The one place where schedules and sensors read the clock, so that a test can be at any time."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, aware."""
    return datetime.now(UTC)
