"""Rows that were lost, doubled or changed: while they were restored, and in the artifact."""

from typing import Final

from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.ways import InTheCopy, InTheRows

_LOST: Final = "a restore that skips what it can't load"
_EDITED: Final = "an edit by hand, or a script that cleans up backups"
_CONVERTED: Final = "a tool that converts values on their way"


def in_copy(name: str, cause: str, statements: str, code: str, table: str) -> Damage:
    """A damage to rows of the restored copy."""
    return Damage(name, cause, InTheCopy(statements), code, f"public.{table}")


def one_less(rows: list[bytes]) -> list[bytes]:
    """Without the tenth row."""
    return rows[:9] + rows[10:]


def one_more(rows: list[bytes]) -> list[bytes]:
    """With the tenth row twice."""
    return rows[:9] + rows[9:10] + rows[9:]


def replaced(old: bytes, new: bytes) -> InTheRows:
    """Text of the customers' rows in the artifact, replaced."""
    return InTheRows("public.customers", lambda rows: [row.replace(old, new) for row in rows])


def name_and_city_swapped(rows: list[bytes]) -> list[bytes]:
    """With two columns' values exchanged in the tenth row."""
    fields = rows[9].split(b"\t")
    fields[1], fields[2] = fields[2], fields[1]
    return [*rows[:9], b"\t".join(fields), *rows[10:]]


IN_THE_COPY: Final = (
    in_copy("a row lost", _LOST, "DELETE FROM orders WHERE id = 7", "rows differ", "orders"),
    in_copy(
        "a row doubled",
        "a table without a key that is loaded again after a broken connection",
        "INSERT INTO visits SELECT * FROM visits LIMIT 1",
        "rows differ",
        "visits",
    ),
    in_copy(
        "a row lost and another doubled, so that the count is right",
        "a load that begins again at the wrong row",
        "DELETE FROM visits WHERE page = '/page/7'; INSERT INTO visits SELECT * FROM visits WHERE page = '/page/8'",
        "content differs",
        "visits",
    ),
    in_copy("all rows of a table lost", _LOST, "TRUNCATE old_orders", "rows differ", "old_orders"),
    in_copy(
        "rows moved into another table",
        "a load with the names of two tables mixed up",
        "WITH moved AS (DELETE FROM orders WHERE id < 5 RETURNING *)"
        " INSERT INTO old_orders SELECT * FROM moved",
        "rows differ",
        "old_orders",
    ),
    in_copy(
        "the rows of two tables exchanged",
        "a load with the names of two tables mixed up",
        "UPDATE old_orders SET item = substr(old_orders.item, 5), placed = orders.placed"
        " FROM orders WHERE orders.id = old_orders.id",
        "content differs",
        "old_orders",
    ),
    in_copy(
        "a value changed",
        "a trigger that fires while rows are loaded",
        "UPDATE customers SET balance = balance + 1 WHERE id = 9",
        "content differs",
        "customers",
    ),
    in_copy(
        "values swapped between two columns",
        "a load with its columns in another order",
        "UPDATE customers SET city = name, name = city WHERE id = 9",
        "content differs",
        "customers",
    ),
    in_copy(
        "NULL turned into an empty text",
        _CONVERTED,
        "UPDATE customers SET note = '' WHERE id = 5",
        "content differs",
        "customers",
    ),
    in_copy(
        "text cut off",
        "a column that is too narrow somewhere on the way",
        "UPDATE customers SET note = left(note, 10)",
        "content differs",
        "customers",
    ),
    in_copy(
        "blanks at the end of a text removed",
        _CONVERTED,
        "UPDATE customers SET note = rtrim(note) WHERE id = 6",
        "content differs",
        "customers",
    ),
    in_copy(
        "line ends changed",
        "a file that went through a text editor",
        r"UPDATE customers SET note = replace(note, E'\r\n', E'\n') WHERE id = 6",
        "content differs",
        "customers",
    ),
    in_copy(
        "text in the wrong encoding",
        "a load with another client encoding",
        "UPDATE customers SET name = convert_from(convert_to(name, 'UTF8'), 'LATIN1')",
        "content differs",
        "customers",
    ),
    in_copy(
        "times moved by an hour",
        "a session in another time zone",
        "UPDATE customers SET joined = joined + interval '1 hour'",
        "content differs",
        "customers",
    ),
    in_copy(
        "money rounded",
        _CONVERTED,
        "UPDATE customers SET balance = round(balance, 2)",
        "content differs",
        "customers",
    ),
    in_copy(
        "the last digits of a floating-point number lost",
        "a session with other extra_float_digits",
        "UPDATE customers SET weight = weight::numeric(10, 6)",
        "content differs",
        "customers",
    ),
    in_copy(
        "the order of an array's elements changed",
        _CONVERTED,
        "UPDATE customers SET tags = ARRAY[tags[2], tags[1]] WHERE id = 9",
        "content differs",
        "customers",
    ),
    in_copy(
        "the rows of an unlogged table lost",
        "a server that crashed after the restore",
        "TRUNCATE carts",
        "rows differ",
        "carts",
    ),
    in_copy(
        "a table lost",
        _LOST,
        "DROP TABLE wishes",
        "table missing",
        "wishes",
    ),
    in_copy(
        "a partition lost",
        _LOST,
        "DROP TABLE readings_2025",
        "table missing",
        "readings_2025",
    ),
    in_copy(
        "a partition emptied",
        _LOST,
        "TRUNCATE readings_2026",
        "rows differ",
        "readings_2026",
    ),
)

IN_THE_ARTIFACT: Final = (
    Damage(
        "a row lost from a file",
        _EDITED,
        InTheRows("public.visits", one_less),
        "table changed",
        "public.visits",
    ),
    Damage(
        "a row doubled in a file",
        _EDITED,
        InTheRows("public.visits", one_more),
        "table changed",
        "public.visits",
    ),
    Damage(
        "all rows lost from a file",
        _EDITED,
        InTheRows("public.visits", lambda _: []),
        "table changed",
        "public.visits",
    ),
    Damage(
        "a value changed in a file",
        _EDITED,
        replaced(b"Note number 9\t", b"Note number 8\t"),
        "table changed",
        "public.customers",
    ),
    Damage(
        "values swapped between two columns in a file",
        _EDITED,
        InTheRows("public.customers", name_and_city_swapped),
        "table changed",
        "public.customers",
    ),
    Damage(
        r"NULL turned into an empty text in a file",
        _CONVERTED,
        replaced(rb"\N", b""),
        "table changed",
        "public.customers",
    ),
    Damage(
        "text cut off in a file",
        _CONVERTED,
        replaced(b"Note number ", b"Note "),
        "table changed",
        "public.customers",
    ),
    Damage(
        "text in the wrong encoding in a file",
        "a file that went through a text editor",
        replaced("ë".encode(), "ë".encode().decode("latin-1").encode()),
        "table changed",
        "public.customers",
    ),
    Damage(
        "line ends changed in a file",
        "a file that went through a text editor",
        replaced(rb"\r\n", rb"\n"),
        "table changed",
        "public.customers",
    ),
)
