"""Access lists: how they are read, and which statements turn one into another."""

import json
from collections.abc import Iterator
from itertools import groupby

from hackorda_ops.postgres.access.one_line_sql import identifier
from hackorda_ops.postgres.access.roles import HOST_ROLE

# Grantee (None for PUBLIC), privilege, and whether the grantee can pass it on.
Grant = tuple[str | None, str, bool]


def listed_by(acl: str) -> str:
    """SQL of an access list as the text of a JSON array of [grantee or null for PUBLIC, privilege, may pass it on]."""
    return (
        "(SELECT jsonb_agg(DISTINCT jsonb_build_array(g.rolname, e.privilege_type, e.is_grantable))::text"
        f" FROM aclexplode({acl}) e LEFT JOIN pg_roles g ON g.oid = e.grantee"
        f" WHERE e.grantee = 0 OR g.oid IS NOT NULL AND NOT {HOST_ROLE.format('g.')})"
    )


def grants_in(listed: str | None) -> frozenset[Grant]:
    """The grants in what `listed_by` has read; none for None."""
    grants = {(grantee, privilege, passes_on) for grantee, privilege, passes_on in json.loads(listed or "[]")}
    # Two grantors may have granted the same right, one of them with the grant option.
    return frozenset(grant for grant in grants if grant[2] or (grant[0], grant[1], True) not in grants)


def changes(acl: frozenset[Grant], baseline: frozenset[Grant]) -> Iterator[tuple[str, str, list[str], str]]:
    """The changes from one access list to another: verb, grantee as SQL, privileges, "WITH GRANT OPTION" or ""."""
    for verb, grants in (("REVOKE", baseline - acl), ("GRANT", acl - baseline)):
        ordered = sorted(grants, key=lambda grant: (grant[0] is not None, grant[0] or "", grant[2], grant[1]))
        for (grantee, passes_on), group in groupby(ordered, key=lambda grant: (grant[0], grant[2])):
            name = "PUBLIC" if grantee is None else identifier(grantee)
            option = " WITH GRANT OPTION" if passes_on and verb == "GRANT" else ""
            yield verb, name, [privilege for _, privilege, _ in group], option
