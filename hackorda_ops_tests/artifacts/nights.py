"""Manifests of nights in November 2026."""

from datetime import UTC, date, datetime, timedelta

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.findings import Finding
from hackorda_ops_tests.builders import manifest

FINDING = Finding("table emptied", "public.users", "10 rows", "0 rows", "Look.")


def of_night(day: int, *, hour: int = 21, sound: bool = True) -> Manifest:
    captured = datetime(2026, 11, day, hour, tzinfo=UTC) - timedelta(days=1)
    return manifest(
        artifact_id=f"{captured:%Y%m%dT%H%M%SZ}-{day:02x}{hour:02x}00",
        night=date(2026, 11, day),
        captured_at=captured,
        findings=() if sound else (FINDING,),
    )
