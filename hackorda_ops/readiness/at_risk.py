"""What is at risk: how old the last proven restore point is, in a sentence or two."""

from datetime import UTC, datetime

from hackorda_ops.readiness.standing import Standing
from hackorda_ops.words import duration


def at_risk(standing: Standing) -> str:
    """What is at risk, in a sentence or two: the last proven restore point and its age. Pure."""
    return f"{_point(standing)}{_not_proven(standing)}"


def _not_proven(standing: Standing) -> str:
    """What keeps nights from being proven, where nobody has asked for it, so that it's nowhere else."""
    proof = standing.last_proof
    if proof is None or proof.verdict != "ERROR" or proof.demanded:
        return ""
    return f" The night of {proof.night} could not be proven: {proof.about} {proof.next_step}"


def _point(standing: Standing) -> str:
    sound = max(
        (each for each in (standing.newest_sound_night, standing.newest_copy) if each is not None),
        key=lambda artifact: artifact.captured_at,
        default=None,
    )
    newest = f"The newest sound backup is from {_aged(sound.captured_at, standing.at)}." if sound else ""
    proven = standing.newest_proven
    if proven is not None and proven.kept:
        said = f"The last proven restore point is from {_aged(proven.captured_at, standing.at)}."
        return f"{said} {newest}" if sound and sound.captured_at > proven.captured_at else said
    if proven is not None:
        lost = f"The last proven restore point, from {_aged(proven.captured_at, standing.at)}, is no longer there."
        return f"{lost} {newest or 'There is no other sound backup.'}"
    if sound is not None:
        return f"No restore point has ever been proven. {newest}"
    if standing.unreadable:
        return "No restore point was found, and not all places could be read."
    return "There is no restore point: whatever the database loses now is lost."


def _aged(when: datetime, now: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {_age((now - when).total_seconds())} old"


def _age(seconds: float) -> str:
    days = int(seconds // 86_400)
    return f"{days:,} days" if days > 1 else duration(max(seconds, 0))
