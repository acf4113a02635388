"""Metrics, as Prometheus itself reads them."""

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hackorda_ops.config.models import Policy
from hackorda_ops.config.scratch import ScratchPlace
from hackorda_ops.errors import StoreRefused
from hackorda_ops.readiness.metrics import metrics_text, write_metrics
from hackorda_ops.readiness.standing import Overdue
from hackorda_ops_tests.readiness.kept import utc
from hackorda_ops_tests.readiness.test_judgement import COPY, IN_ORDER, NIGHT, NOW, PROOF

Samples = dict[tuple[str, str | None, str | None], float]
NOTHING = replace(
    IN_ORDER,
    database="empty",
    newest_night=None,
    newest_sound_night=None,
    newest_copy=None,
    last_proven=None,
    last_drill=None,
    judged=("night", "quarter"),
    problems=("Off-site can't be read.",),
    unreadable=("Off-site can't be read.",),
    overdue=(Overdue("night", date(2026, 11, 20), utc(11, 20, 2), timedelta(hours=10), "Not taken."),),
)
DATABASES = {"hackorda": Policy(), "empty": Policy(scratch=ScratchPlace.model_validate({"server": {}}))}


def samples(text: str) -> Samples:
    return {
        (sample.name, sample.labels.get("database"), sample.labels.get("kind")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_number_is_there_with_its_help_and_type() -> None:
    text = metrics_text((IN_ORDER, NOTHING), DATABASES, NOW).decode()
    read = samples(text)

    assert {
        name: value for (name, database, kind), value in read.items() if database != "empty" and not kind
    } == {
        "hackorda_ops_last_night_timestamp_seconds": NIGHT.captured_at.timestamp(),
        "hackorda_ops_last_copy_timestamp_seconds": COPY.captured_at.timestamp(),
        "hackorda_ops_last_proven_drill_timestamp_seconds": PROOF.drilled_at.timestamp(),
        "hackorda_ops_last_proven_restore_point_timestamp_seconds": PROOF.captured_at.timestamp(),
        "hackorda_ops_hours_since_proven": (IN_ORDER.at - PROOF.drilled_at).total_seconds() / 3600,
        "hackorda_ops_recovery_seconds": 134,
        "hackorda_ops_recovery_time_objective_seconds": 1_800,
        "hackorda_ops_recovery_point_objective_seconds": 86_400,
        "hackorda_ops_night_size_bytes": 10,
        "hackorda_ops_problems": 0,
        "hackorda_ops_ready": 1,
        "hackorda_ops_readiness_timestamp_seconds": NOW.timestamp(),
    }
    overdue = {key[1:]: value for key, value in read.items() if key[0] == "hackorda_ops_overdue"}
    assert overdue == {
        **{("hackorda", kind): 0 for kind in ("night", "week", "quarter", "year")},
        # What wasn't judged, nobody may take for being in order.
        **{("empty", kind): float(kind == "night") for kind in ("night", "quarter")},
    }
    for family in text_string_to_metric_families(text):
        assert (family.type, bool(family.documentation)) == ("gauge", True)


def test_what_is_not_known_has_no_sample_rather_than_a_wrong_one() -> None:
    read = samples(metrics_text((NOTHING,), DATABASES, NOW).decode())
    assert {name for name, database, kind in read if database and not kind} == {
        "hackorda_ops_recovery_time_objective_seconds",
        "hackorda_ops_recovery_point_objective_seconds",
        "hackorda_ops_problems",
        "hackorda_ops_ready",
    }
    assert (read["hackorda_ops_ready", "empty", None], read["hackorda_ops_problems", "empty", None]) == (0, 1)


def test_the_file_is_replaced_whole_and_can_be_read_by_another_user(tmp_path: Path) -> None:
    path = tmp_path / "hackorda_ops.prom"
    path.write_text("old", encoding="utf-8")
    earlier = os.umask(0o077)
    try:
        write_metrics(path, (IN_ORDER,), DATABASES, NOW)
    finally:
        os.umask(earlier)

    assert path.read_bytes() == metrics_text((IN_ORDER,), DATABASES, NOW)
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="write the metrics"):
        write_metrics(tmp_path / "nowhere" / "hackorda_ops.prom", (IN_ORDER,), DATABASES, NOW)
