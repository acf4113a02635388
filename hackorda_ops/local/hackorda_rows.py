"""The rows of the seeded Hackorda database: made up, the same every time, dated back from a given moment.

They are deliberately awkward where real data is: several scripts, emoji, quotes, tabs, newlines and
backslashes in text, empty strings alongside nulls, infinite times, bytes of every value.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hackorda_ops.local.hackorda_values import AWKWARD_TEXTS, FAMILY_NAMES, LABELS, NAMES, PLATFORMS, Maker

Row = tuple[object, ...]

# Rows at scale 1: about 200,000 in all, in the proportions of a marketplace for testers.
_ROWS_AT_SCALE_1 = {
    "users": 6_000,
    "sessions": 12_000,
    "projects": 150,
    "devices": 9_000,
    "test_cycles": 700,
    "issues": 26_000,
    "comments": 55_000,
    "attachments": 13_000,
    "issue_labels": 26_000,
    "issue_payouts": 16_000,
    "audit.events": 36_000,
}


@dataclass(frozen=True)
class TableRows:
    """What goes into one table.

    Attributes:
        table: its name, with the schema where that is not public.
        columns: the columns given, in the order of each row's values.
        count: how many rows there are.
        rows: makes them, one at a time.
    """

    table: str
    columns: tuple[str, ...]
    count: int
    rows: Callable[[], Iterator[Row]]


def tables(scale: float, now: datetime) -> tuple[TableRows, ...]:
    """Every table's rows, in an order that foreign keys allow.

    Args:
        scale: 1 for about 200,000 rows in all.
        now: when the newest rows were made.
    """
    counts = {table: max(3, round(rows * scale)) for table, rows in _ROWS_AT_SCALE_1.items()}
    counts["labels"] = len(LABELS)
    # No issue carries the same label twice.
    counts["issue_labels"] = min(counts["issue_labels"], counts["issues"])

    def table(name: str, columns: str, make: Callable[[Maker], Iterator[Row]]) -> TableRows:
        # A separate generator for each table: changing one leaves the others unchanged.
        return TableRows(name, tuple(columns.split()), counts[name], lambda: make(Maker(counts, name, now)))

    return (
        table(
            "users",
            "id email name role country languages password_hash preferences rating created_at deleted_at",
            _users,
        ),
        table("sessions", "token_digest user_id address user_agent created_at expires_at", _sessions),
        table("projects", "id owner_id slug name settings created_at", _projects),
        table("devices", "id user_id platform model details last_seen_on", _devices),
        table(
            "test_cycles",
            "id project_id title status runs_during budget time_per_tester platforms brief created_at",
            _cycles,
        ),
        table(
            "issues",
            "id cycle_id reporter_id device_id duplicate_of title body steps severity status environment"
            " created_at updated_at",
            _issues,
        ),
        table("comments", "id issue_id author_id body created_at", _comments),
        table("attachments", "id issue_id file_name media_type size_bytes sha256 thumbnail", _attachments),
        table("labels", "name color", _labels),
        table("issue_labels", "issue_id label_id", _issue_labels),
        table(
            "issue_payouts",
            "id reference issue_id user_id amount fee currency status paid_at created_at",
            _payouts,
        ),
        table("audit.events", "id actor_id action subject details created_at", _events),
    )


def _users(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        name = f"{make.random.choice(NAMES)} {make.random.choice(FAMILY_NAMES)}"
        yield (
            make.user_id(number),
            f"User{number}@{make.random.choice(('example.kz', 'Example.COM', 'пример.рф'))}",
            name,
            make.random.choices(("tester", "lead", "customer", "admin"), (90, 6, 3.5, 0.5))[0],
            make.random.choice(("KZ", "KG", "UZ", "DE", None)),
            make.random.sample(("kk", "ru", "en", "de", "tr"), make.random.randint(0, 3)),
            None if make.chance(0.1) else f"$2b$12${make.random.randbytes(20).hex()}",
            json.dumps(
                {"theme": make.random.choice(("dark", "light")), "тема": make.chance(0.5)}, ensure_ascii=False
            ),
            make.random.choice((None, float("nan"), make.random.gauss(4, 0.5), 0.1 + 0.2)),
            made_at := make.made_at(number),
            made_at + timedelta(seconds=30) if make.chance(0.02) else None,
        )


def _sessions(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        address = (
            f"10.{number % 250}.{number // 250 % 250}.7" if make.chance(0.7) else f"2001:db8::{number:x}"
        )
        made_at = make.made_at(number)
        yield (
            make.random.randbytes(32),
            make.user_id(),
            address,
            f"Mozilla/5.0 ({make.random.choice(PLATFORMS)}) QA/{make.random.randint(1, 40)}",
            made_at,
            made_at + timedelta(days=30),
        )


def _projects(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        settings = {"webhooks": [], "limits": {"issues": make.random.randint(10, 900)}, "β": 1.50}
        yield (
            number + 1,
            make.user_id(),
            f"project-{number}",
            make.words(1, 3),
            json.dumps(settings),
            make.made_at(number),
        )


def _devices(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        details = {
            "memory_gb": make.random.choice((2, 4, 8, 16)),
            "screen": [1080, 2400],
            "rooted": make.chance(0.05),
        }
        yield (
            number + 1,
            make.user_id(),
            make.random.choice(PLATFORMS),
            f"{make.random.choice(('Pixel', 'iPhone', 'Redmi', 'ThinkPad'))} {make.random.randint(3, 15)}",
            json.dumps(details),
            make.made_at(number).date() if make.chance(0.9) else None,
        )


def _cycles(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        made_at = make.made_at(number)
        end = "" if make.chance(0.1) else (made_at + timedelta(days=make.random.randint(2, 20))).isoformat()
        yield (
            number + 1,
            make.row_of("projects"),
            make.words(2, 6),
            make.random.choices(("draft", "open", "closed", "archived"), (5, 20, 60, 15))[0],
            f"[{made_at.isoformat()},{end})",
            f"{make.random.randint(0, 5_000_000) / 100:.2f}",
            timedelta(minutes=make.random.randint(10, 3_000)) if make.chance(0.8) else None,
            make.random.sample(PLATFORMS, make.random.randint(1, 5)),
            make.words(20, 80) if make.chance(0.9) else None,
            made_at,
        )


def _issues(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        made_at = make.made_at(number)
        status = make.random.choices(
            ("new", "accepted", "rejected", "duplicate", "fixed"), (15, 45, 15, 5, 20)
        )[0]
        yield (
            number + 1,
            make.row_of("test_cycles"),
            make.user_id(),
            make.row_of("devices") if make.chance(0.85) else None,
            make.random.randint(1, number) if status == "duplicate" and number else None,
            make.words(3, 9),
            make.words(15, 60),
            [f'{step}. {make.words(2, 5)}, "ok"' for step in range(1, make.random.randint(1, 4))],
            make.random.choices(("trivial", "minor", "major", "critical", "blocker"), (15, 40, 30, 12, 3))[0],
            status,
            json.dumps({"build": f"1.{number % 90}.0", "locale": make.random.choice(("kk-KZ", "ru"))})
            if make.chance(0.9)
            else None,
            made_at,
            made_at + timedelta(seconds=make.random.randint(0, 90)),
        )


def _comments(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        body = AWKWARD_TEXTS[number // 97 % len(AWKWARD_TEXTS)] if number % 97 == 0 else make.words(4, 30)
        yield number + 1, make.row_of("issues"), make.user_id(), body, make.made_at(number)


def _attachments(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        yield (
            str(uuid.uuid5(uuid.NAMESPACE_OID, f"hackorda attachment {number}")),
            make.row_of("issues"),
            f"скрин шот {number}.png" if make.chance(0.3) else f"screenshot-{number}.png",
            make.random.choice(("image/png", "image/jpeg", "video/mp4", "text/plain")),
            make.random.randint(0, 30_000_000),
            make.random.randbytes(32),
            make.random.randbytes(make.random.randint(0, 200)) if make.chance(0.6) else None,
        )


def _labels(make: Maker) -> Iterator[Row]:
    for name in LABELS:
        yield name, f"#{make.random.randrange(0x1000000):06x}"


def _issue_labels(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        yield number + 1, make.random.randint(1, len(LABELS))


def _payouts(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        made_at = make.made_at(number)
        status = make.random.choices(("pending", "approved", "paid", "failed"), (10, 10, 77, 3))[0]
        amount_cents = make.random.randint(100, 2_000_000)
        yield (
            number + 1,
            1_000 + 7 * number,
            make.row_of("issues"),
            make.user_id(),
            f"{amount_cents / 100:.2f}",
            f"{amount_cents / 100 * 0.035:.4f}",
            make.random.choice(("KZT", "KZT", "USD", "EUR")),
            status,
            made_at + timedelta(seconds=75)
            if status == "paid"
            else ("infinity" if status == "failed" else None),
            made_at,
        )


def _events(make: Maker) -> Iterator[Row]:
    for number in range(make.count):
        details = {"from": make.words(1, 2), "nested": {"list": [number, None, 1e-7], "путь": "\\a\\b"}}
        yield (
            number + 1,
            make.user_id() if make.chance(0.95) else None,
            make.random.choice(
                ("issue.created", "issue.accepted", "payout.paid", "user.login", "cycle.closed")
            ),
            f"issues/{make.row_of('issues')}",
            json.dumps(details, ensure_ascii=False),
            make.made_at(number),
        )
