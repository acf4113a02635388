"""What happened to the source: before a night, or after it."""

from typing import Final

from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.ways import InProduction, SinceTheNightBefore

_KEY: Final = {
    "key_tables": [{"table": "orders", "timestamp": "placed"}],
    "tolerances": {"newest_row_age_hours": 0.5},
}
_INCIDENT: Final = "a DELETE without WHERE, a wrong migration"

BEFORE_A_NIGHT: Final = (
    Damage(
        "a table emptied since the night before",
        _INCIDENT,
        SinceTheNightBefore("TRUNCATE orders"),
        "table emptied",
        "public.orders",
        "NOT SOUND",
    ),
    Damage(
        "most rows of a table gone since the night before",
        _INCIDENT,
        SinceTheNightBefore("DELETE FROM visits WHERE page > '/page/2'"),
        "table collapsed",
        "public.visits",
        "NOT SOUND",
    ),
    Damage(
        "a table gone since the night before",
        _INCIDENT,
        SinceTheNightBefore("DROP TABLE wishes"),
        "table vanished",
        "public.wishes",
        "NOT SOUND",
    ),
    Damage(
        "a sequence that went back since the night before",
        "a database put back to an older state",
        SinceTheNightBefore("SELECT setval('invoices', 17)"),
        "sequence went back",
        "public.invoices",
        "NOT SOUND",
    ),
    Damage(
        "an extension gone since the night before",
        "a move to another provider",
        SinceTheNightBefore("DROP EXTENSION pg_trgm"),
        "extension vanished",
        "pg_trgm",
        "NOT SOUND",
    ),
)

AFTER_THE_NIGHT: Final = (
    Damage(
        "production lost all rows of a key table",
        _INCIDENT,
        InProduction("TRUNCATE orders"),
        "key table empty in production",
        "public.orders",
    ),
    Damage(
        "production lost many rows of a key table",
        _INCIDENT,
        InProduction("DELETE FROM orders WHERE id % 2 = 0"),
        "key table drifted",
        "public.orders",
    ),
    Damage(
        "a key table is empty in the backup",
        "a backup of another database, all of it consistent",
        InProduction(
            "INSERT INTO wishes SELECT n, 'A wish' FROM generate_series(1, 50) n",
            {"key_tables": [{"table": "wishes", "timestamp": None}]},
        ),
        "key table empty",
        "public.wishes",
    ),
    Damage(
        "a key table is not in the backup",
        "a backup of another database, all of it consistent",
        InProduction(
            "CREATE TABLE invoices_sent (id int)",
            {"key_tables": [{"table": "invoices_sent", "timestamp": None}]},
        ),
        "key table missing",
        "public.invoices_sent",
    ),
    Damage(
        "a backup older than it says, all of it consistent",
        "a replica that stopped following, dumped every night",
        InProduction("UPDATE orders SET placed = now() - interval '30 minutes' WHERE id < 3", _KEY),
        "no recent row",
        "public.orders",
    ),
)
