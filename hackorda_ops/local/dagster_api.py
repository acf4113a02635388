"""A running Dagster, accessed like the UI does: by GraphQL over HTTP. Nothing here imports Dagster."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from hackorda_ops.errors import Stalled, ToolFailed

_LOCATION: Final = {"repositoryLocationName": "hackorda_ops", "repositoryName": "__repository__"}
_ENDED: Final = {"SUCCESS", "FAILURE", "CANCELED"}
_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True)
class CheckResult:
    """The newest evaluation of an asset check.

    Attributes:
        name: the check's.
        passed: None if it was never evaluated.
        description: what it proves, or what this evaluation found.
        metadata: label to value, as text.
    """

    name: str
    passed: bool | None
    description: str
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class RunningDagster:
    """A running Dagster. Every wait has a limit.

    Attributes:
        port: of the web server, on the loopback interface.
        client: for its GraphQL API.
    """

    port: int
    client: httpx.Client

    @property
    def url(self) -> str:
        """Where the UI is."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str, **variables: Any) -> Any:
        """Queries the GraphQL API that the UI uses.

        Raises:
            ToolFailed: it answers with an error.
        """
        answer = self.client.post("/graphql", json={"query": query, "variables": variables}).json()
        if "errors" in answer:
            raise _refused("; ".join(str(error.get("message")) for error in answer["errors"]))
        return answer["data"]

    def materialize(self, asset: str, partition: str | None = None) -> str:
        """Starts one partition of an asset ("shop/nightly_dump") as the UI's button does; returns the run's id.

        Args:
            asset: its key.
            partition: None for an asset that has none.
        """
        checks = [{"assetKey": _key(asset), "name": check.name} for check in self.checks(asset)]
        data = self.ask(
            """mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            params={
                "selector": {
                    **_LOCATION,
                    "pipelineName": "__ASSET_JOB",
                    "assetSelection": [_key(asset)],
                    "assetCheckSelection": checks,
                },
                "mode": "default",
                "executionMetadata": {
                    "tags": [{"key": "dagster/partition", "value": partition}] if partition else []
                },
            },
        )["launchPipelineExecution"]
        return str(_successful(data, "LaunchRunSuccess")["run"]["runId"])

    def launch(self, job: str) -> str:
        """Starts a job without partitions; returns the run's id."""
        data = self.ask(
            """mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            params={"selector": {**_LOCATION, "pipelineName": job}, "mode": "default"},
        )["launchPipelineExecution"]
        return str(_successful(data, "LaunchRunSuccess")["run"]["runId"])

    def backfill(self, asset: str, *partitions: str) -> str:
        """Starts a backfill as the UI's dialog does; returns its id."""
        data = self.ask(
            """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                 __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={"partitionNames": partitions, "assetSelection": [_key(asset)]},
        )["launchPartitionBackfill"]
        return str(_successful(data, "LaunchBackfillSuccess")["backfillId"])

    def runs_of_backfill(self, backfill: str) -> dict[str, str]:
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
        data = self.ask("mutation($id: String!) { terminateRun(runId: $id) { __typename } }", id=run)
        _successful(data["terminateRun"], "TerminateRunSuccess")

    def end_of(
        self, run: str, *, limit_seconds: float = 1800, on_message: Callable[[str], None] | None = None
    ) -> str:
        """Waits until a run has ended; returns how.

        Args:
            run: its id.
            limit_seconds: how long to wait.
            on_message: called with each line that the run's own code logs, as it comes.

        Raises:
            Stalled: it takes longer.
        """
        told = 0
        give_up = time.monotonic() + limit_seconds
        while True:
            status = self.status(run)
            if on_message:
                lines = self.messages(run, kind="LogMessageEvent")
                for message in lines[told:]:
                    on_message(message)
                told = len(lines)
            if status in _ENDED:
                return status
            if time.monotonic() > give_up:
                raise Stalled(
                    f"The run {run} is still {status} after {limit_seconds:g} seconds.",
                    meaning="Its outcome is unknown.",
                    next_step=f"Look at it in the UI: {self.url}/runs/{run}",
                )
            time.sleep(_POLL_SECONDS)

    def messages(self, run: str, *, kind: str = "MessageEvent") -> list[str]:
        """A run's log: every message, or those of one kind of event."""
        data = self.ask(
            "query($id: ID!) { logsForRun(runId: $id, limit: 1000) { ... on EventConnection {"
            f" events {{ ... on {kind} {{ message }} }} }} }} }}",
            id=run,
        )
        return [event["message"] for event in data["logsForRun"]["events"] if event]

    def why_failed(self, run: str) -> str:
        """What the steps of a failed run say of it; where none says anything, what Dagster says of its end."""
        data = self.ask(
            """query($id: ID!) { logsForRun(runId: $id, limit: 1000) { ... on EventConnection { events { __typename
                 ... on ExecutionStepFailureEvent { error { message causes { message } } }
                 ... on RunFailureEvent { message } } } } }""",
            id=run,
        )
        events = data["logsForRun"]["events"]
        errors = [each["error"] for each in events if each.get("error")]
        # Dagster's own wrapper comes first, and what was raised below it last.
        said = [(error["causes"] or [error])[-1]["message"].strip() for error in errors]
        ends = [each["message"] for each in events if each["__typename"] == "RunFailureEvent"]
        return "\n".join(said or ends) or "Dagster says nothing of it."

    def worker_of(self, run: str) -> int:
        """Waits until a run has a process; returns its pid.

        Raises:
            Stalled: it has none within a minute.
        """
        pattern = re.compile(r"Executing steps in process \(pid: (\d+)\)")
        give_up = time.monotonic() + 60
        while not (found := pattern.findall("\n".join(self.messages(run)))):
            if time.monotonic() > give_up:
                raise Stalled(
                    f"The run {run} has no process after a minute.",
                    meaning="Dagster's daemon does not start it.",
                    next_step="Check the daemon's status in the UI.",
                )
            time.sleep(_POLL_SECONDS)
        return int(found[0])

    def materialized(self, asset: str) -> set[str]:
        """The partitions of an asset that are materialized."""
        data = self.ask(
            """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
                 assetMaterializations(limit: 100) { partition } } } }""",
            key=_key(asset),
        )
        return {str(event["partition"]) for event in data["assetNodeOrError"]["assetMaterializations"]}

    def checks(self, asset: str) -> tuple[CheckResult, ...]:
        """The checks of an asset, with their newest evaluations."""
        data = self.ask(
            """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
                 assetChecksOrError { ... on AssetChecks { checks { name description
                   executionForLatestMaterialization { evaluation { success description metadataEntries {
                     label ... on IntMetadataEntry { intRepr } ... on TextMetadataEntry { text } } } }
                 } } } } } }""",
            key=_key(asset),
        )
        return tuple(_check(check) for check in data["assetNodeOrError"]["assetChecksOrError"]["checks"])

    def loaded(self) -> bool:
        """Whether the web server answers and has loaded the definitions.

        Raises:
            ToolFailed: they can't be loaded.
        """
        try:
            data = self.ask(
                "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {"
                " __typename ... on PythonError { message } } } } } }"
            )
        except httpx.TransportError:
            return False
        found = [
            entry["locationOrLoadError"] for entry in data["workspaceOrError"].get("locationEntries", ())
        ]
        for entry in found:
            if entry is not None and entry["__typename"] == "PythonError":
                raise _refused(entry["message"])
        return bool(found) and all(entry is not None for entry in found)


def _key(asset: str) -> dict[str, list[str]]:
    return {"path": asset.split("/")}


def _check(check: Mapping[str, Any]) -> CheckResult:
    evaluation = (check["executionForLatestMaterialization"] or {}).get("evaluation")
    if evaluation is None:
        return CheckResult(check["name"], None, check["description"] or "", {})
    return CheckResult(
        check["name"],
        evaluation["success"],
        evaluation["description"] or check["description"] or "",
        {
            entry["label"]: str(entry.get("intRepr") or entry.get("text") or "")
            for entry in evaluation["metadataEntries"]
        },
    )


def _successful(data: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    if data["__typename"] != kind:
        raise _refused(str(data.get("message") or data["__typename"]))
    return data


def _refused(reason: str) -> ToolFailed:
    return ToolFailed(
        f"Dagster refused: {reason}",
        meaning="The request was not started.",
        next_step="Check the definitions in the UI (Deployment, then hackorda_ops).",
    )
