"""What pg_dump and pg_restore print, and what is made of it. The texts are theirs, of versions 15 and 17."""

import pytest

from hackorda_ops.errors import (
    ClientMissing,
    ConnectionLost,
    DiskFull,
    LoginRefused,
    OpsError,
    RightsMissing,
    ServerUnreachable,
    SourceBusy,
    ToolFailed,
)
from hackorda_ops.postgres.tools.tool_errors import ToolOutput, require_success

CONNECTION = 'connection to server at "127.0.0.1", port 5432 failed: '


def heard(text: str) -> ToolOutput:
    output = ToolOutput()
    for line in text.splitlines():
        output.hear(line)
    return output


def failure(text: str, *, returncode: int = 1) -> OpsError:
    with pytest.raises(OpsError) as caught:
        require_success(
            "pg_dump", "dumping app@host:5432/app", returncode=returncode, complaints=heard(text).complaints
        )
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            f"pg_dump: error: {CONNECTION}Connection refused\n\tIs the server running on that host?",
            ServerUnreachable,
        ),
        ('pg_dump: error: could not translate host name "nowhere" to address: unknown', ServerUnreachable),
        (f"pg_dump: error: {CONNECTION}FATAL:  the database system is starting up", ServerUnreachable),
        (f'pg_dump: error: {CONNECTION}FATAL:  password authentication failed for user "app"', LoginRefused),
        (f'pg_dump: error: {CONNECTION}FATAL:  database "App" does not exist', LoginRefused),
        ("pg_dump: error: query failed: ERROR:  permission denied for table x", RightsMissing),
        ("pg_dump: error: could not write to file: No space left on device", DiskFull),
        (
            'pg_restore: error: COPY failed for table "t": ERROR:  could not extend file "base/1/2": No space left on '
            "device\nHINT:  Check free disk space.",
            DiskFull,
        ),
        ("pg_dump: error: aborting because of server version mismatch", ClientMissing),
        ("pg_restore: error: unsupported version (1.16) in file header", ClientMissing),
        ('pg_dump: error: query failed: ERROR:  snapshot "00000003-1" does not exist', ConnectionLost),
        (
            'pg_dump: error: Dumping the contents of table "t" failed: PQgetCopyData() failed.\n'
            "pg_dump: detail: Error message from server: server closed the connection unexpectedly",
            ConnectionLost,
        ),
        ("pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout", SourceBusy),
        (
            'pg_dump: error: could not obtain lock on relation "public.users"\npg_dump: detail: This usually means '
            "that someone requested an ACCESS EXCLUSIVE lock on the table after the pg_dump parent process had gotten "
            "the initial ACCESS SHARE lock on the table.",
            SourceBusy,
        ),
        (
            'pg_dump: error: query failed: ERROR:  relation "public.staging" does not exist\n'
            "pg_dump: detail: Query was: LOCK TABLE public.users, public.staging IN ACCESS SHARE MODE",
            SourceBusy,
        ),
        (
            'pg_restore: error: could not execute query: ERROR:  relation "public.users" does not exist',
            ToolFailed,
        ),
        ('pg_restore: error: could not execute query: ERROR:  type "citext" does not exist', ToolFailed),
    ],
)
def test_each_message_is_the_error_that_it_means(text: str, kind: type[OpsError]) -> None:
    assert type(failure(text)) is kind


def test_a_full_disk_of_the_server_is_told_from_one_of_our_own() -> None:
    ours = failure("pg_dump: error: could not write to file: No space left on device")
    theirs = failure(
        'pg_dump: error: query failed: ERROR:  could not write to file "x": No space left on device'
    )
    assert "The server's own disk" in theirs.meaning
    assert "The server's own disk" not in ours.meaning


def test_neither_names_nor_the_failing_sql_are_mistaken_for_the_reason() -> None:
    text = (
        "pg_restore: from TOC entry 9; 1255 1 FUNCTION f() app\n"
        'pg_restore: error: could not execute query: ERROR:  type "connection refused" is only a shell\n'
        "Command was: CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n"
        "ERROR: permission denied for table x\n"
        "No space left on device\n"
        "pg_restore: error: a worker process died unexpectedly\n"
    )
    error = failure(text)
    assert type(error) is ToolFailed
    assert "at FUNCTION f() app" in error.what
    assert "permission denied" not in str(error)
    assert "a worker process died" in str(error)


def test_rows_are_not_quoted() -> None:
    error = failure(
        'pg_restore: error: COPY failed for table "users": ERROR:  duplicate key value violates '
        'unique constraint "users_pkey"\n'
        "DETAIL:  Key (email)=(ann@example.org) already exists.\n"
        "CONTEXT:  COPY users, line 2: ann@example.org\n"
    )
    assert "duplicate key value" in error.what
    assert "ann@" not in str(error)


def test_what_verbose_says_is_no_complaint() -> None:
    output = heard(
        'pg_restore: creating TABLE "public.users"\n'
        "pg_restore: finished item 12 TABLE DATA users\n"
        "pg_restore: while PROCESSING TOC:\n"
    )
    assert output.complaints == ["pg_restore: while PROCESSING TOC:"]
    assert output.warnings == []


def test_warnings_keep_their_detail_and_are_no_complaints() -> None:
    output = heard(
        "pg_dump: warning: there are circular foreign-key constraints on this table:\n"
        "pg_dump: detail: employees\n"
        "pg_dump: hint: You might not be able to restore the dump without using --disable-triggers.\n"
        'pg_restore: creating EXTENSION "citext"\n'
        'WARNING:  database "app" has a collation version mismatch\n'
        "HINT:  Rebuild all objects.\n"
    )
    assert output.warnings == [
        "pg_dump: warning: there are circular foreign-key constraints on this table: pg_dump: detail: employees "
        "pg_dump: hint: You might not be able to restore the dump without using --disable-triggers.",
        'WARNING:  database "app" has a collation version mismatch HINT:  Rebuild all objects.',
    ]
    assert output.complaints == []


def test_a_tool_that_was_killed_says_so() -> None:
    error = failure("", returncode=-9)
    assert "signal 9" in error.what
    assert type(error) is ToolFailed


def test_success_is_no_error() -> None:
    require_success("pg_dump", "dumping", returncode=0, complaints=["pg_dump: odd"])
