"""Sequences, large objects, materialized views, extensions and the schema of a restored copy."""

from typing import Final

from hackorda_ops_tests.engines.postgres.drill.comparisons.schema_kinds import ALTERATIONS
from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.ways import AmongEveryKind, InsteadOfRestore, InTheCopy

_SET_BEFORE_ROWS: Final = "a restore that sets sequences too early, or leaves them out"
_OPTIONS: Final = "a restore with options that leave something out"
_STOPPED: Final = "a restore that goes on after errors"
_BY_HAND: Final = "a change by hand after the restore, or a restore by another tool"

STATES: Final = (
    Damage(
        "a sequence set back",
        _SET_BEFORE_ROWS,
        InTheCopy("SELECT setval('invoices', 1)"),
        "sequence differs",
        "public.invoices",
    ),
    Damage(
        "a sequence one further",
        "a row inserted for a try",
        InTheCopy("SELECT nextval('invoices')"),
        "sequence differs",
        "public.invoices",
    ),
    Damage(
        "a sequence that says it was never used",
        _SET_BEFORE_ROWS,
        InTheCopy("SELECT setval('invoices', 4711, false)"),
        "sequence differs",
        "public.invoices",
    ),
    Damage(
        "a sequence that says it was used",
        _SET_BEFORE_ROWS,
        InTheCopy("SELECT setval('vouchers', 1, true)"),
        "sequence differs",
        "public.vouchers",
    ),
    Damage(
        "a sequence lost",
        _STOPPED,
        InTheCopy("DROP SEQUENCE vouchers"),
        "sequence differs",
        "public.vouchers",
    ),
    Damage(
        "a large object lost",
        _STOPPED,
        InTheCopy("SELECT lo_unlink(4711)"),
        "large objects missing",
        "large object 4711",
    ),
    Damage(
        "a large object changed",
        "a restore that cuts objects off at a page",
        InTheCopy("SELECT lo_put(4712, 4, 'SECOND')"),
        "large objects differ",
        "large object 4712",
    ),
    Damage(
        "a large object too many",
        "a database that was not empty",
        InTheCopy("SELECT lo_from_bytea(4713, 'a third file')"),
        "large objects added",
        "large object 4713",
    ),
    Damage(
        "a materialized view without rows",
        "a restore that leaves refreshing to somebody else",
        InTheCopy("REFRESH MATERIALIZED VIEW totals WITH NO DATA"),
        "materialized view differs",
        "public.totals",
    ),
    Damage(
        "a materialized view that can't be refreshed",
        "a function that another version of the server knows otherwise",
        InTheCopy(
            "CREATE OR REPLACE FUNCTION net(gross numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT gross / 0'"
        ),
        "refresh fails",
        "public.prices",
    ),
    Damage(
        "an extension missing", _STOPPED, InTheCopy("DROP EXTENSION pg_trgm"), "extension missing", "pg_trgm"
    ),
    Damage(
        "an extension in another schema",
        "a server that had the extension already",
        InTheCopy("CREATE SCHEMA extensions; ALTER EXTENSION pg_trgm SET SCHEMA extensions"),
        "extension differs",
        "pg_trgm",
    ),
    Damage(
        "an index that is not valid",
        "an index that was built concurrently and failed",
        InTheCopy("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_by_customer'::regclass"),
        "schema object missing",
        "INDEX public.orders_by_customer",
    ),
    Damage(
        "a foreign key's checks switched off on the table that is referred to",
        "a load that switches triggers off, and not on again",
        InTheCopy("ALTER TABLE customers DISABLE TRIGGER ALL"),
        "switched otherwise",
        "constraint orders_customer_fkey of public.orders (RI_FKey_noaction_del on public.customers)",
    ),
    Damage(
        "a foreign key's checks switched off on the table that refers",
        "a restore with --disable-triggers that was cut off",
        InTheCopy("ALTER TABLE orders DISABLE TRIGGER ALL; ALTER TABLE orders ENABLE TRIGGER USER"),
        "switched otherwise",
        "constraint orders_customer_fkey of public.orders (RI_FKey_check_ins on public.orders)",
    ),
    Damage(
        "a materialized view stored in another way",
        _BY_HAND,
        InTheCopy(
            "DROP MATERIALIZED VIEW totals; CREATE MATERIALIZED VIEW totals USING heap"
            " AS SELECT customer, count(*) AS orders FROM orders GROUP BY customer"
        ),
        "access method differs",
        "public.totals",
    ),
    Damage(
        "a table stored in another way",
        _OPTIONS,
        InsteadOfRestore('exec "$real/pg_restore" --no-table-access-method "$@"'),
        "access method differs",
        "public.wishes",
    ),
    Damage(
        "stored values that another function has computed",
        "a function that was changed between two loads",
        InTheCopy(
            "CREATE OR REPLACE FUNCTION net(gross numeric) RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2';"
            " UPDATE carts SET customer = customer;"
            " CREATE OR REPLACE FUNCTION net(gross numeric) RETURNS numeric IMMUTABLE LANGUAGE sql"
            " AS 'SELECT gross / 1.25'"
        ),
        "generated values differ",
        "public.carts.share",
    ),
    Damage(
        "a foreign key that was never checked",
        "rows that were loaded although they broke it",
        InTheCopy(
            "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey,"
            " ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers NOT VALID"
        ),
        "schema differs",
        "FK CONSTRAINT public.orders orders_customer_fkey",
    ),
)

SCHEMA: Final = tuple(
    Damage(f"schema: {kind}", _BY_HAND, AmongEveryKind(kind), code, subject)
    for kind, (_, findings) in ALTERATIONS.items()
    for word, subject in findings[:1]
    for code in [f"schema {'differs' if word == 'differs' else f'object {word}'}"]
)

DAMAGES: Final = STATES + SCHEMA
