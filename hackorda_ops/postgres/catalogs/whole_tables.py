"""Tables as an application sees them: a partitioned table is one table, whatever partitions it has tonight."""

from collections.abc import Iterable, Mapping

from hackorda_ops.postgres.catalogs.inventory import Table, TableName


def rows_of_whole_tables(tables: Iterable[Table], rows: Mapping[TableName, int]) -> dict[TableName, int]:
    """Adds the rows of partitions up to those of the topmost table.

    Partitions come and go by design (a job makes next month's and drops last year's), so only the
    whole table can be compared with another night's, or with the one after a migration.

    Args:
        tables: of one inventory.
        rows: of its tables that have rows of their own; tables without an entry are left out.

    Returns:
        Rows by table, a partitioned table without any partition included with 0.
    """
    whole: dict[TableName, int] = {}
    for table in tables:
        if table.kind == "partitioned" and table.partition_root is None:
            whole.setdefault(table.name, 0)
        elif table.name in rows:
            root = table.partition_root or table.name
            whole[root] = whole.get(root, 0) + rows[table.name]
    return whole
