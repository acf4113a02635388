"""The link to a run, for alarms and reports."""

from hackorda_ops.config.alerts import Alerts
from hackorda_ops.orchestration.runs import link, ui_url_of


def test_a_run_is_a_link_where_the_web_server_is_known_and_its_id_where_not() -> None:
    assert link("c0ffee00", "https://dagster.example/") == "https://dagster.example/runs/c0ffee00"
    assert link("c0ffee00", None) == "c0ffee00"


def test_the_configuration_says_where_the_web_server_is_or_else_a_variable() -> None:
    environ = {"DAGSTER_UI_URL": "https://of-the-variable.example"}
    assert ui_url_of(Alerts(ui_url="https://written.example"), environ) == "https://written.example"
    assert ui_url_of(Alerts(), environ) == "https://of-the-variable.example"
    assert ui_url_of(Alerts(), {}) is None
