"""The scene: a copy off-site is damaged, the drill fails, and everybody says so in the same words.

In a terminal, in Dagster's own UI in a real browser, in the report, on the readiness page and in the alarm; `restore`
then brings the database back from elsewhere at the first attempt. HACKORDA_OPS_SCREENSHOTS=docs makes the documents'
pictures again.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from hackorda_ops.artifacts.manifest import Manifest, digest_of
from hackorda_ops.calendar import partitions
from hackorda_ops.config import file as config_file
from hackorda_ops.drill.consequences import CONSEQUENCES
from hackorda_ops.environment import Protected
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.dagster import running_dagster, storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server
from hackorda_ops.local.stack import running_stack
from hackorda_ops_tests.alerts.sink import Sink, running_sink
from hackorda_ops_tests.e2e.processes import ENVIRONMENT, until

pytestmark = [pytest.mark.server, pytest.mark.e2e]

NAME = "hackorda"
WORDS = CONSEQUENCES["copy"].headline
PAGE_MILLISECONDS = 300_000
SCREENSHOTS_VARIABLE = "HACKORDA_OPS_SCREENSHOTS"
# What differs from run to run, as a link that expires, is below.
_ABOVE_THE_METADATA = {"x": 0, "y": 0, "width": 1480, "height": 535}


@dataclass(frozen=True)
class Scene:
    """What is there once the drill has failed.

    Attributes:
        dagster: it ran the night, the week, the drill, and looked at readiness.
        folder: of databases.yaml and the store.
        environ: what the commands are run with.
        alarms: the webhook.
        run: of the drill.
        quarter: its partition.
        drill_id: as its report has it.
        artifact: what was damaged off-site.
        damaged: the path of its damaged file.
        server: where it's restored, and where the live database is.
        database_url: the live database's, which nobody changes.
    """

    dagster: RunningDagster
    folder: Path
    environ: Mapping[str, str]
    alarms: Sink
    run: str
    quarter: str
    drill_id: str
    artifact: Manifest
    damaged: str
    server: PostgresServer
    database_url: str

    @property
    def said(self) -> str:
        """What everybody says of the copy."""
        return f"{WORDS} (drill {self.drill_id})"

    def typed(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What somebody types, and what comes back."""
        return subprocess.run(
            [Path(sys.executable).parent / "hackorda-ops", *words],
            env={**self.environ, **variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self, *words: str) -> Any:
        """The same as a script asks."""
        done = self.typed(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def scene(server_folder: Path) -> Iterator[Scene]:
    folder = server_folder / "damaged copy"
    folder.mkdir()
    folder.chmod(0o711)
    config = Path(shutil.copy(example_file("databases.yaml"), folder))
    database = config_file.load(config).databases[NAME]
    night = partitions.night_of(datetime.now(UTC), database.schedule)
    quarter = str(partitions.quarter_of(night))
    # The example's migrate command is `python -m …`: it must be this Python.
    path = os.pathsep.join((str(Path(sys.executable).parent), ENVIRONMENT["PATH"]))
    with running_sink() as alarms, running_stack(folder / "stack", scale=0.05) as stack:
        environ = {**ENVIRONMENT, "PATH": path, **stack.environment(), "ALERT_WEBHOOK_URL": alarms.url}
        with running_dagster(
            folder / "dagster",
            config=config,
            storage=storage_variables(stack.dagster_url),
            environ=environ,
        ) as dagster:
            for asset, partition in (("nightly_dump", night), ("offsite_copy", partitions.week_of(night))):
                run = dagster.materialize(f"{NAME}/{asset}", str(partition))
                assert dagster.end_of(run) == "SUCCESS", dagster.messages(run)
            protected = Protected(NAME, database, environ)
            artifact, damaged = _damage(protected)
            run = dagster.materialize(f"{NAME}/restore_drill", quarter)
            assert dagster.end_of(run) == "FAILURE"
            look = dagster.materialize("readiness")
            assert dagster.end_of(look) == "SUCCESS", dagster.messages(look)
            [report] = (folder / "backups" / NAME / "drills").glob("*/report.html")
            yield Scene(
                dagster=dagster,
                folder=folder,
                environ={**environ, "HACKORDA_OPS_CONFIG": str(config)},
                alarms=alarms,
                run=run,
                quarter=quarter,
                drill_id=report.parent.name,
                artifact=artifact,
                damaged=damaged,
                server=stack.postgres,
                database_url=stack.hackorda_url,
            )
    delete_server(folder / "stack" / "postgres")


def _damage(protected: Protected) -> tuple[Manifest, str]:
    """Flips one bit of the users' file off-site."""
    offsite = protected.offsite
    [held] = choose(read_judged({"offsite": offsite}, NAME), None).candidates
    manifest = of_postgres(held.manifest)
    [path] = [each.file for each in manifest.tables if each.name.name == "users"]
    with offsite.open(f"{manifest.prefix}/{path}") as stream:
        data = stream.read()
    data = data[:-1] + bytes([data[-1] ^ 1])
    offsite.put(f"{manifest.prefix}/{path}", io.BytesIO(data), size_bytes=len(data), sha256=digest_of(data))
    return manifest, path


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_page(viewport={"width": 1480, "height": 900}, device_scale_factor=2) as page:
        page.set_default_timeout(PAGE_MILLISECONDS)
        expect.set_options(timeout=PAGE_MILLISECONDS)
        yield page


def _picture(page: Page, name: str, **options: Any) -> None:
    """A picture for the documents, where somebody asked for them."""
    if SCREENSHOTS_VARIABLE in os.environ:
        page.screenshot(path=Path(os.environ[SCREENSHOTS_VARIABLE], f"{name}.png"), scale="css", **options)


def test_the_alarm_says_it_in_its_first_line(scene: Scene) -> None:
    def told() -> list[str]:
        return [text for text in scene.alarms.texts if scene.run in text]

    until(lambda: bool(told()), "the webhook is told of the drill")

    [alarm] = told()
    title, _, rest = alarm.partition("\n")
    assert re.fullmatch(rf"FAILED: {NAME}, drill of \d{{4}}-Q\d: {WORDS}", title)
    assert scene.damaged in rest
    assert f"To restore until then: {scene.artifact.artifact_id} from {scene.folder}/backups/" in rest


def test_dagster_says_it_in_the_graph_in_the_checks_and_on_the_runs_page(scene: Scene, page: Page) -> None:
    verdicts = {each.name: each for each in scene.dagster.checks(f"{NAME}/drill_report")}
    assert verdicts["verdict"].passed is False
    assert WORDS in verdicts["verdict"].description
    assert verdicts["verdict"].metadata["verdict"] == f"{CONSEQUENCES['copy'].mark} FAIL: {WORDS}"
    # The daemon looks as well: while it does, nothing is evaluated.
    until(lambda: scene.dagster.checks("readiness")[0].passed is False, "the look at readiness has ended")
    [ready] = scene.dagster.checks("readiness")
    assert scene.said in ready.description

    page.goto(f"{scene.dagster.url}/locations/hackorda_ops/asset-groups/{NAME}/lineage")
    page.get_by_text("Hide navigation").click()
    page.reload()
    node = page.locator("foreignObject").filter(has=page.get_by_text("drill_report", exact=True)).first
    # Nine checks of the drill and its verdict: what wasn't reached isn't shown as passed.
    expect(node).to_contain_text("0 / 10 Passed")
    _picture(page, "failed-drill-graph")

    page.goto(f"{scene.dagster.url}/assets/{NAME}/drill_report?view=checks&checkDetail=verdict")
    expect(page.get_by_text(WORDS).filter(visible=True).first).to_be_visible()
    _picture(page, "failed-drill", clip=_ABOVE_THE_METADATA)
    page.goto(f"{scene.dagster.url}/assets/readiness?view=checks")
    expect(page.get_by_text(scene.said).filter(visible=True).first).to_be_visible()
    _picture(page, "readiness-check", clip=_ABOVE_THE_METADATA)
    page.goto(f"{scene.dagster.url}/runs/{scene.run}")
    expect(page.get_by_text(WORDS).filter(visible=True).first).to_be_visible()


def test_the_report_and_the_readiness_page_say_it_on_their_first_screen(scene: Scene, page: Page) -> None:
    backups = scene.folder / "backups"
    page.goto((backups / NAME / "drills" / scene.drill_id / "report.html").as_uri())
    expect(page.locator(".headline")).to_be_in_viewport()
    expect(page.locator(".headline")).to_have_text(WORDS)
    expect(page.get_by_role("banner")).to_contain_text(f"To restore until then: {scene.artifact.artifact_id}")
    ground = page.locator("header.verdict").evaluate("each => getComputedStyle(each).backgroundColor")
    red, green, blue = (int(CONSEQUENCES["copy"].colour[at : at + 2], 16) for at in (1, 3, 5))
    assert ground == f"rgb({red}, {green}, {blue})"
    _picture(page, "report")

    page.goto((backups / "readiness.html").as_uri())
    expect(page.locator(".about")).to_have_text(f"FAIL: {WORDS}")
    expect(page.get_by_text(scene.said).first).to_be_visible()
    _picture(page, "readiness")


def test_the_terminal_says_it_and_restore_brings_the_database_back_from_the_store_at_once(
    scene: Scene,
) -> None:
    listed = {each["place"]: each for each in scene.asked("backups", NAME)}
    assert (listed["offsite"]["judgement"]["sentence"], listed["offsite"]["sound"]) == (scene.said, False)
    assert listed["store"]["sound"]
    assert f"is damaged (drill {scene.drill_id})" in listed["store"]["judgement"]["sentence"]
    status = scene.typed("status", NAME)
    assert status.returncode == 1
    assert scene.said in status.stdout
    assert f"ended with FAIL: {WORDS} (drill {scene.drill_id})" in status.stdout
    [kept] = [each for each in scene.asked("prune", NAME)["artifacts"] if each["place"] == "offsite"]
    assert (kept["judgement"], kept["keep"]) == (scene.said, True)

    target = create_database(scene.server, "brought back")
    restored = scene.typed("restore", NAME, RESTORE_URL=target)
    assert restored.returncode == 0, restored.stderr
    notes = " ".join(restored.stderr.split())
    assert f"Restoring {scene.folder}/backups/{scene.artifact.prefix}" in notes
    assert (
        f"{scene.artifact.prefix}: {scene.said}. To restore it all the same: hackorda-ops restore {NAME} "
        in notes
    )
    assert f"--artifact {scene.artifact.artifact_id} --from offsite" in notes
    query = "SELECT count(*), md5(string_agg(u::text, '' ORDER BY id)) FROM users u"
    with psycopg.connect(scene.database_url) as before, psycopg.connect(target) as after:
        assert after.execute(query).fetchone() == before.execute(query).fetchone()

    repaired = scene.asked("copy", NAME)
    assert repaired["copy"]["repaired"] == [scene.damaged]
    assert all(each["sound"] for each in scene.asked("backups", NAME))
