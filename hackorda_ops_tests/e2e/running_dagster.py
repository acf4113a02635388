"""A real Dagster: web server, daemon, code server and run workers, over Postgres storage, spoken to by GraphQL."""

import re
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.postgres import child
from hackorda_ops_tests.e2e.processes import ENVIRONMENT, until

ROOT = Path(__file__).parents[2]

_LOCATION = {"repositoryLocationName": "hackorda_ops", "repositoryName": "__repository__"}
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass(frozen=True)
class RunningDagster:
    """A Dagster that runs. Every wait has an end.

    Attributes:
        port: of the web server, on the loopback interface.
        client: for its GraphQL API.
    """

    port: int
    client: httpx.Client

    def ask(self, query: str, **variables: Any) -> Any:
        """Asks the GraphQL API, the one that the UI asks."""
        answer = self.client.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def materialize(self, asset: str, partition: str) -> str:
        """Starts one partition of an asset ("shop/nightly_dump") as the UI's button does; returns the run's id."""
        data = self.ask(
            """mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            params={
                "selector": {
                    **_LOCATION,
                    "pipelineName": "__ASSET_JOB",
                    "assetSelection": [{"path": asset.split("/")}],
                    "assetCheckSelection": self._checks_of(asset),
                },
                "mode": "default",
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
            },
        )["launchPipelineExecution"]
        assert data["__typename"] == "LaunchRunSuccess", data
        return str(data["run"]["runId"])

    def backfill(self, asset: str, *partitions: str) -> str:
        """Starts a backfill as the UI's dialog does; returns its id."""
        data = self.ask(
            """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                 __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={"partitionNames": partitions, "assetSelection": [{"path": asset.split("/")}]},
        )["launchPartitionBackfill"]
        assert data["__typename"] == "LaunchBackfillSuccess", data
        return str(data["backfillId"])

    def runs_of(self, backfill: str) -> dict[str, str]:
        """The runs that a backfill has started so far: partition to the run's id."""
        data = self.ask(
            "query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {"
            " runId tags { key value } } } } }",
            filter={"tags": [{"key": "dagster/backfill", "value": backfill}]},
        )
        return {
            tag["value"]: run["runId"]
            for run in data["runsOrError"]["results"]
            for tag in run["tags"]
            if tag["key"] == "dagster/partition"
        }

    def status(self, run: str) -> str:
        """A run's status."""
        data = self.ask("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run)
        return str(data["runOrError"]["status"])

    def terminate(self, run: str) -> None:
        """Ends a run as the UI's button does."""
        data = self.ask(
            "mutation($id: String!) { terminateRun(runId: $id) { __typename } }",
            id=run,
        )
        assert data["terminateRun"]["__typename"] == "TerminateRunSuccess", data

    def end_of(self, run: str) -> str:
        """Waits until a run has ended; returns how."""
        until(lambda: self.status(run) in _ENDED, f"run {run} ends", limit_seconds=120)
        return self.status(run)

    def messages(self, run: str) -> list[str]:
        """A run's log."""
        data = self.ask(
            "query($id: ID!) { logsForRun(runId: $id, limit: 1000) { ... on EventConnection {"
            " events { ... on MessageEvent { message } } } } }",
            id=run,
        )
        return [event["message"] for event in data["logsForRun"]["events"] if event]

    def worker_of(self, run: str) -> int:
        """Waits until a run has a process; returns its pid."""

        def pids() -> list[str]:
            return re.findall(r"Executing steps in process \(pid: (\d+)\)", "\n".join(self.messages(run)))

        until(lambda: bool(pids()), f"run {run} has a process", limit_seconds=60)
        return int(pids()[0])

    def materialized(self, asset: str) -> set[str]:
        """The partitions of an asset that are materialized."""
        data = self.ask(
            """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
                 assetMaterializations(limit: 100) { partition } } } }""",
            key={"path": asset.split("/")},
        )
        return {str(event["partition"]) for event in data["assetNodeOrError"]["assetMaterializations"]}

    def _checks_of(self, asset: str) -> list[dict[str, Any]]:
        key = {"path": asset.split("/")}
        data = self.ask(
            """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
                 assetChecksOrError { ... on AssetChecks { checks { name } } } } } }""",
            key=key,
        )
        found = data["assetNodeOrError"]["assetChecksOrError"]["checks"]
        return [{"assetKey": key, "name": check["name"]} for check in found]

    def _loaded(self) -> bool:
        try:
            data = self.ask(
                "{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name } } } } }"
            )
        except httpx.TransportError:
            return False
        return bool(data["repositoriesOrError"]["nodes"])


@contextmanager
def running_dagster(
    home: Path, *, config: Path, storage_url: str, environ: Mapping[str, str]
) -> Iterator[RunningDagster]:
    """Runs Dagster with this repository's dagster.yaml and workspace.yaml for as long as the block lasts.

    Args:
        home: for $DAGSTER_HOME; made here.
        config: the databases.yaml.
        storage_url: an empty database for Dagster's own storage.
        environ: what `config` names.
    """
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    port = _free_port()
    said: list[str] = []
    dagster = child.start(
        [
            Path(sys.executable).with_name("dagster"),
            "dev",
            f"--workspace={ROOT / 'workspace.yaml'}",
            "--host=127.0.0.1",
            f"--port={port}",
        ],
        environment={
            **ENVIRONMENT,
            **environ,
            **_storage_environment(storage_url),
            "DAGSTER_HOME": str(home),
            "HACKORDA_OPS_CONFIG": str(config),
        },
        working_directory=home,
        on_stdout_line=said.append,
        on_stderr_line=said.append,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            running = RunningDagster(port, client)
            until(
                lambda: not dagster.running or running._loaded(),
                "Dagster has loaded the definitions",
                limit_seconds=120,
            )
            assert dagster.running, "\n".join(said)
            yield running
    finally:
        dagster.stop()


def _storage_environment(url: str) -> dict[str, str]:
    parts = conninfo_to_dict(url)
    return {
        "DAGSTER_PG_HOST": str(parts["host"]),
        "DAGSTER_PG_PORT": str(parts["port"]),
        "DAGSTER_PG_DATABASE": str(parts["dbname"]),
        "DAGSTER_PG_USER": str(parts["user"]),
        "DAGSTER_PG_PASSWORD": str(parts["password"]),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
