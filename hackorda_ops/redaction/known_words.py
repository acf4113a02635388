"""Messages of Postgres known to contain object names but nothing of a row, once quoted values are masked.

A function of the database can raise anything, and pg_restore doesn't show which messages come from one. So a
message about data is repeated only if it is one of these.
"""

import re
from typing import Final

_N: Final = r'"(?:[^"]|"")*"'
_SIGNATURE: Final = r'[\w."$,\[\] ()-]+'

_KNOWN: Final = re.compile(
    "|".join(
        (
            # Data.
            rf"duplicate key value violates unique constraint {_N}",
            rf"conflicting key value violates exclusion constraint {_N}",
            rf"could not create (?:unique index|exclusion constraint) {_N}",
            rf"new row for relation {_N} violates (?:check|partition) constraint(?: {_N})?",
            rf"(?:insert or update|update or delete|delete) on table {_N} violates (?:RESTRICT setting of )?"
            rf"foreign key constraint {_N}(?: on table {_N})?",
            rf"null value in column {_N}(?: of relation {_N})? violates not-null constraint",
            rf"column {_N} of relation {_N} contains null values",
            rf"(?:check|partition) constraint(?: {_N})? of relation {_N} is violated by some row",
            rf"no partition of relation {_N} found for row",
            rf"value for domain {_SIGNATURE} violates check constraint {_N}",
            rf"domain {_SIGNATURE} does not allow null values",
            r'invalid input (?:syntax for type|value for enum) [\w ".]+(?:: "…")?',
            r'(?:malformed|invalid) (?:array|record|range|multirange|hstore|bit string|XML) [\w ]+(?:: "…")?',
            r'(?:value )?"…" is out of range for type [\w ]+|value too long for type [\w (),]+'
            r"|value out of range: (?:over|under)flow",
            r'[\w/ ]+ out of range(?:: "…")?',
            rf"invalid byte sequence for encoding {_N}: 0x…",
            rf"character with byte sequence 0x… in encoding {_N} has no equivalent in encoding {_N}",
            rf"extra data after last expected column|missing data for column {_N}",
            r"division by zero|numeric field overflow",
            r'time zone "…" not recognized|invalid XML \w+|unterminated CSV quoted field',
            r"literal (?:newline|carriage return) found in data|end-of-copy marker \w+",
            # Definitions.
            rf"[a-z ]+ {_N}(?: of [a-z ]+ {_N})? (?:does not exist|already exists|is not unique|is only a shell"
            r"|has not been populated)",
            rf"(?:function|operator|aggregate|procedure|column|cast|type) {_SIGNATURE}"
            r" (?:does not exist|is not unique)",
            r'syntax error at (?:end of input|or near "…")',
            r'unrecognized configuration parameter "[\w.]*"',
            # Rights and logins.
            rf"permission denied (?:for|to) [a-z -]+(?:{_N})?|must be (?:owner of [a-z ]+{_N}|superuser to [a-z ]+)"
            r'|must be (?:able to SET ROLE|member of role) "[^"]*"',
            r"(?:permission denied|must be superuser or have privileges of the \w+ role) to COPY (?:to or )?from an? "
            r"(?:external program|file)",
            r"(?:permission denied|must be superuser or have privileges of the \w+ role) to COPY to a file",
            rf"query would be affected by row-level security policy for table {_N}",
            rf"[\w-]+ authentication failed for user {_N}|no pg_hba\.conf entry for [\w \",.:/]+",
            rf"role {_N} is not permitted to log in|permission denied for database {_N}",
            # The server's own trouble.
            r"out of (?:shared )?memory|the database system is [\w ]+",
            r"(?:sorry, )?too many clients already|too many connections for \w+ \"[^\"]*\""
            r"|remaining connection slots are reserved[\w \"-]*",
            rf"could not (?:resize|open|map|create) shared memory segment {_N}[\w :/]*",
            rf"could not (?:extend|write to|write|open|read|fsync|access|create)(?: \w+)? file(?: {_N})?: [\w -]+",
            r"could not extend file because project size limit \(\d+ \w+\) has been exceeded",
            rf"could not (?:load|access) library {_N}[^\"]*|extension {_N} (?:is not available|must be loaded[\w ]*)",
            r"[\w.]+ must be (?:pre)?loaded via \W?(?:shared|session)_preload_libraries\W?[\w .]*",
            r"can only create extension in database [\w-]+",
            r"cannot execute [A-Z ]+ (?:in a read-only transaction|during recovery)",
            rf"could not (?:create locale|open collator for locale|convert locale name) {_N}[\w: ]*",
            r"canceling statement due to [a-z ]+|deadlock detected|terminating connection due to [a-z ]+",
            rf"snapshot {_N} does not exist|could not import the requested snapshot",
            r"invalid memory alloc request size \d+|memory required is [\w ,]+|stack depth limit exceeded",
            r"index row (?:size \d+ exceeds|requires \d+ bytes, maximum size is) [\w ]+(?:for index \"[^\"]*\")?",
            rf"could not open extension control file {_N}: [\w ]+",
            rf"(?:database|collation) {_N} has (?:a collation|no actual collation|a different) [\w -]+",
            # Hints.
            r'You might need to increase "max_\w+"\.|Check free disk space\.',
            r"Rebuild all objects[\w ,.]*",
            r"This limit is defined externally by [\w ,.]+",
        )
    )
)


def is_known(masked: str) -> bool:
    """Whether a message, its quoted values masked, is one of Postgres's own that contain nothing else of a row."""
    return _KNOWN.fullmatch(masked) is not None
