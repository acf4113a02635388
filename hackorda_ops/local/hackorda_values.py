"""Made-up values, awkward where real ones are, and the same every time."""

import math
import random
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

LABELS = (
    "crash",
    "Layout",
    "i18n",
    "перевод",
    "қате",
    "slow",
    "login",
    "payments",
    "a11y",
    "dark mode",
    "🔥 hot",
)
NAMES = (
    "Aigerim",
    "Айбек",
    "Дана",
    "Ержан",
    "Łukasz",
    "Zoë",
    "José",
    "Nguyễn",
    "田中",
    "محمد",
    "O'Neil",
    "Anna-Lena",
)
FAMILY_NAMES = (
    "Sadykova",
    "Нұрланов",
    "Ким",
    "de la Cruz",
    "Müller",
    "Öztürk",
    "Smith",
    "Əliyev",
    "Иванова",
    "林",
)
PLATFORMS = ("android", "ios", "windows", "macos", "linux")
_TEXT = (
    "button screen login checkout cart order crash freeze blank wrong price total after rotation scroll "
    "keyboard profile upload avatar timeout retry offline network slow empty list duplicate notification "
    "экран кнопка не работает после обновления заказ оплата зависает батырма басылмайды тізім төлем қате"
)
WORDS = tuple(_TEXT.split())
AWKWARD_TEXTS = (
    "",
    "\\.",
    "C:\\Users\\qa\\new\ttabbed\r\nand a second line",
    'It\'s "quoted"; DROP TABLE issues; -- no',
    "\\N is not null, and neither is NULL",
    "👩🏽‍💻 works for me 🤷 — e\u0301 and \u00e9 differ, \u200b is invisible",
    "line\nline\n\nline\n",
    "x" * 5_000,
)

# How far back the oldest rows go.
_SPAN = timedelta(days=420)


class Maker:
    """Made-up values for one table, from a generator seeded by the table's name."""

    def __init__(self, counts: Mapping[str, int], table: str, now: datetime) -> None:
        self.counts = counts
        self.count = counts[table]
        self.random = random.Random(table)  # noqa: S311 - made-up rows, not secrets
        self._now = now

    def user_id(self, number: int | None = None) -> str:
        """The id of a user; of any one without a number."""
        number = self.random.randrange(self.counts["users"]) if number is None else number
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"hackorda user {number}"))

    def row_of(self, table: str) -> int:
        """The number of any row of a table, from 1 on."""
        return self.random.randrange(self.counts[table]) + 1

    def made_at(self, number: int) -> datetime:
        """When the row of a number was made, aware."""
        # Denser towards the present, as in a business that grows; the last row is minutes old.
        age = 1 - math.sqrt((number + 1) / self.count)
        return self._now - _SPAN * age - timedelta(microseconds=self.random.randrange(10**8, 4 * 10**8))

    def words(self, fewest: int, most: int) -> str:
        """Some words, at least so many and at most so many."""
        return " ".join(self.random.choices(WORDS, k=self.random.randint(fewest, most)))

    def chance(self, probability: float) -> bool:
        """Whether something that is so probable (0 to 1) happens."""
        return self.random.random() < probability
