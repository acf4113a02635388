"""The team's hooks: what they get, what is kept of what they print, and how each way to end is told apart."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hackorda_ops.config.hooks import Hook, RecoverHooks
from hackorda_ops.config.models import Policy
from hackorda_ops.hooks.hooks import HookRun, run_hook
from hackorda_ops.hooks.urls import pooled, url_of
from hackorda_ops.postgres.sessions.connection import direct, parse

TARGET = parse("postgresql://owner:s3cr3t@ep-cool-1.eu.aws.neon.tech/shop?sslmode=require", origin="test")
PATH = {"PATH": os.environ["PATH"]}


def python(program: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}"


def ran(environ: dict[str, str] | None = None, **hook: Any) -> HookRun:
    return run_hook(
        "verify",
        Hook.model_validate(hook),
        TARGET,
        encrypted=True,
        environ={**PATH, **(environ or {})},
        facts={"HACKORDA_OPS_STAGE": "exercise"},
    )


def test_a_hook_gets_both_urls_the_parts_the_facts_and_nothing_that_was_not_named(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = f"import json, os; open({str(seen)!r}, 'w').write(json.dumps(dict(os.environ)))"

    run = ran(
        {"NEON_API_KEY": "napi_secret", "CLOUDFLARE_API_TOKEN": "token"},
        command=[sys.executable, "-c", program],
        variables="DB",
        pass_env=["CLOUDFLARE_API_TOKEN"],
    )

    assert (run.outcome, run.detail) == ("succeeded", "")
    got = json.loads(seen.read_text())
    assert got["DATABASE_URL"] == url_of(TARGET)
    assert got["DATABASE_URL_POOLED"].startswith(
        "postgresql://owner:s3cr3t@ep-cool-1-pooler.eu.aws.neon.tech"
    )
    assert (got["DB_HOST"], got["DB_NAME"], got["DB_SSLMODE"]) == (TARGET.host, "shop", "require")
    assert (got["HACKORDA_OPS_STAGE"], got["CLOUDFLARE_API_TOKEN"]) == ("exercise", "token")
    assert "NEON_API_KEY" not in got


def test_a_hook_that_fails_says_why_without_the_password() -> None:
    run = ran(
        command=python("import os, sys; print(os.environ['DATABASE_URL']); sys.exit('no such binding')")
    )

    assert run.outcome == "failed"
    assert run.detail.startswith("return code 1: ")
    assert "no such binding" in run.detail
    assert "s3cr3t" not in repr(run)


def test_a_hook_that_hangs_is_stopped_and_one_that_is_not_there_is_told_apart() -> None:
    hanging = ran(command=python("import time; time.sleep(600)"), timeout_minutes=0.01)
    missing = ran(command="no-such-program-anywhere --now")

    assert (hanging.outcome, hanging.succeeded) == ("timed out", False)
    assert missing.outcome == "not started"
    assert "no-such-program-anywhere" in missing.detail


def test_a_command_alone_is_a_hook_and_hooks_keep_their_order() -> None:
    hooks = RecoverHooks.model_validate(
        {"verify": "curl --fail https://shop.example/health", "rebind": ["./rebind"]}
    )

    assert [name for name, _ in hooks.in_order()] == ["rebind", "verify"]
    assert hooks.rebind is not None
    assert hooks.rebind.command == ("./rebind",)
    with pytest.raises(ValidationError, match="announce"):
        RecoverHooks.model_validate({"announce": "x"})
    with pytest.raises(ValidationError):
        Policy.model_validate({"recover": {"hooks": {"verify": ""}}})


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://u@ep-a-1.eu.aws.neon.tech/d", "ep-a-1-pooler.eu.aws.neon.tech"),
        ("postgresql://u@ep-a-1-pooler.eu.aws.neon.tech/d", "ep-a-1-pooler.eu.aws.neon.tech"),
        ("postgresql://u@db.example.com/d", "db.example.com"),
        ("postgresql://u@127.0.0.1/d", "127.0.0.1"),
    ],
)
def test_the_pooled_endpoint_is_neons_own_and_leads_back(url: str, host: str) -> None:
    target = parse(url, origin="test")
    assert pooled(target).host == host
    assert direct(pooled(target)) == direct(target)
