"""A team's command may print what it was given: none of it is kept, however it is written."""

import sys
from pathlib import Path
from urllib.parse import quote

from hackorda_ops.hooks.command import run_command

SECRET, TOKEN = "p'w \"of/production+é", "tok_9f8e7d6c5b4a"
PROGRAM = r"""
import base64, json, os, shlex, sys, textwrap, urllib.parse
password = urllib.parse.unquote(os.environ["DATABASE_URL"].split(":")[2].partition("@")[0])
token = os.environ["SHOP_TOKEN"]
for each in (password, token):
    for said in (each, json.dumps(each), json.dumps(json.dumps(each)), shlex.quote(each), repr(each),
                 urllib.parse.quote(each), urllib.parse.quote_plus(each), urllib.parse.quote(urllib.parse.quote(each)),
                 base64.b64encode(each.encode()).decode(), base64.b64encode(b"x:" + each.encode() + b"!").decode()):
        print("said", said, flush=True)
    encoded = base64.b64encode(each.encode()).decode()
    print("\n".join(textwrap.wrap(encoded, 10)))
    sys.stdout.write("said " + each[:5]); sys.stdout.flush(); sys.stdout.write(each[5:] + "\n")
print("level", os.environ["LOG_LEVEL"])
"""


def test_no_spelling_of_what_a_command_was_given_is_kept(tmp_path: Path) -> None:
    run = run_command(
        [sys.executable, "-c", PROGRAM],
        environment={
            "DATABASE_URL": f"postgresql://app:{quote(SECRET, safe='')}@host/shop",
            "SHOP_TOKEN": TOKEN,
            "LOG_LEVEL": "debug",
            "PYTHONIOENCODING": "utf-8",
        },
        working_directory=tmp_path,
        deadline_seconds=60,
        redact=lambda text: text,
    )
    *said, last = run.output_tail.splitlines()
    assert (run.returncode, last) == (0, "level debug")
    assert len(said) > 20
    # In base64 a few characters of what stood around it stay.
    assert all("***" in line and len(line) <= len("said '***eDpQ==") for line in said), "\n".join(said)
