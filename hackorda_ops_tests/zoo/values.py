"""Built-in types, each with the values that are written in an odd way."""

from hackorda_ops_tests.zoo.animals import WITH_XML, Animal

NUMBERS = Animal(
    "numbers",
    "NaN, infinities, minus zero, denormals, exact decimals of a thousand digits, negative scales, money",
    """
    CREATE TABLE numbers (small smallint, normal integer, large bigint, exact numeric, scaled numeric(12, 2),
        negative_scale numeric(3, -2), tiny numeric(3, 5), single real, double double precision, cash money);
    INSERT INTO numbers VALUES
        (-32768, -2147483648, -9223372036854775808, 'NaN', 1.10, 12345, 0.00123, '-0', '-0', '-92233720368547758.08'),
        (32767, 2147483647, 9223372036854775807, 'Infinity', 'NaN', -99900, -0.00999, 'NaN', 'NaN', '92233720368547758.07'),
        (0, 0, 0, '-Infinity', 0, 0, 0, '-Infinity', 'Infinity', 0),
        (1, 1, 1, 1.000, -0.01, 49, 0, 1.17549435e-38, 5e-324, 0.01),
        (1, 1, 1, 1.0, 9999999999.99, 50, 0, 3.4028235e38, 1.7976931348623157e308, 1),
        (1, 1, 1, ('1' || repeat('0', 1000) || '.' || repeat('0', 999) || '1')::numeric, 0, 0, 0, 0.1, 0.1 + 0.2::float8, 2),
        (NULL, NULL, NULL, 1e-16383, NULL, NULL, NULL, 1.1, 1.1, NULL);
    """,
)

TEXTS = Animal(
    "texts",
    r"tabs, line ends, backslashes, the texts \N and \. themselves, every control character, Unicode's far corners",
    r"""
    CREATE TABLE texts (id int PRIMARY KEY, free text, limited varchar(20), padded char(10), byte "char", short name);
    INSERT INTO texts VALUES
        (1, '', '', '', '', ''), (2, NULL, NULL, NULL, NULL, NULL), (3, '\N', '\N', '\N', '\', '\N'),
        (4, '\.', '\.', '\.', '.', '\.'), (5, E'a\tb\nc\rd\r\ne\bf\fg\vh', E'\n', E'\t', E'\n', E'\n'),
        (6, E'\\t is no tab, \\\\ is two', E'\\', E'\\', E'\\', E'\\'), (7, '"quoted", ''twice''; --', '"', '''', '"', '"'),
        (8, U&'\+01F600 e\0301 \+10FFFF \FEFF \200B \202E \05D0', U&'\+01F600', U&'\0301', 'x', U&'\+01F600'),
        (9, 'trailing  ', 'trailing  ', 'trailing', ' ', 'trailing  ');
    INSERT INTO texts (id, free) SELECT 100 + n, 'control ' || chr(n) || ' character' FROM generate_series(1, 159) n;
    INSERT INTO texts (id, free) VALUES (1000, repeat('x', 3000000)), (1001, repeat(E'\\\n', 200000));
    """,
)

BYTES_OF_CHARACTERS = Animal(
    "characters beyond ASCII",
    'the one-byte type "char" with a byte above 127',
    r"""CREATE TABLE bytes AS SELECT '\377'::"char" AS last, '\200'::"char" AS first;""",
    majors=(16, 17, 18),
    elsewhere="Postgres 15 writes the bare byte, which is no UTF-8: its own pg_dump fails",
)

BINARY = Animal(
    "binary",
    "every byte there is, nothing at all, three incompressible megabytes, bit strings of no bits and of 10,000",
    r"""
    CREATE TABLE binary_values (bytes bytea, fixed bit(3), varying varbit);
    INSERT INTO binary_values VALUES ('', B'101', B''), (NULL, NULL, NULL), ('\x5c2e0a', B'000', repeat('10', 5000)::varbit);
    INSERT INTO binary_values (bytes)
        SELECT string_agg(decode(lpad(to_hex(n), 2, '0'), 'hex'), NULL ORDER BY n) FROM generate_series(0, 255) n;
    INSERT INTO binary_values (bytes)
        SELECT string_agg(decode(md5(n::text), 'hex'), NULL ORDER BY n) FROM generate_series(1, 200000) n;
    """,
)

TIMES = Animal(
    "times",
    "before Christ, infinity, 24:00, offsets of seconds, intervals whose parts have different signs",
    """
    CREATE TABLE times (day date, stamp timestamp, moment timestamptz, coarse timestamptz(0), clock time, clock_zone timetz,
        span interval, months interval year to month);
    INSERT INTO times VALUES
        ('4713-01-01 BC', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC', '0001-12-31 BC', '00:00', '00:00+15:59:59',
         '-178000000 years', '-1 month'),
        ('infinity', 'infinity', 'infinity', '-infinity', '24:00', '24:00-15:59:59', '1 mon -1 day 00:00:01', '14 months'),
        ('-infinity', '-infinity', '-infinity', 'infinity', '23:59:59.999999', '12:00+05:30', '-00:00:00.000001', '0'),
        ('5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '1883-11-18 12:03:57-04:56:02',
         '23:59:60', '2024-07-01 02:30 Europe/Berlin', '25 hours', NULL),
        ('2024-02-29', '2024-03-31 02:30', '2024-03-31 02:30 Europe/Berlin', '2024-10-27 02:30 Europe/Berlin', NULL, NULL, '@ 0', NULL);
    """,
)

ENDLESS_INTERVALS = Animal(
    "endless intervals",
    "intervals without an end",
    "CREATE TABLE endless AS SELECT 'infinity'::interval AS ever, '-infinity'::interval AS since_ever;",
    majors=(17, 18),
    elsewhere="new in Postgres 17",
)

JSON = Animal(
    "json",
    "json that keeps blanks, double keys, their order and escaped NULs; jsonb with numbers of any length; paths",
    r"""
    CREATE TABLE documents (as_written json, as_parsed jsonb, path jsonpath);
    INSERT INTO documents VALUES
        ('{"b": 1,   "a" :2, "a": 3, "": null}', '{"b": 1,   "a" :2, "a": 3, "": null}', '$.a[*] ? (@ > 1)'),
        ('  [ ]  ', '  [ ]  ', 'strict $'), ('"\u0000 \ud83d\ude00 \n"', '"\ud83d\ude00 \n \\ \""', '$."a b"'),
        ('1.10', '1.10', NULL), ('1e400', '1e400', NULL), ('null', 'null', NULL), (NULL, NULL, NULL),
        (E'{\n\t"deep": {"er": [[[[]]]]}\n}', '{"deep": {"er": [[[[]]]]}}', '$.**');
    """,
)

ARRAYS = Animal(
    "arrays",
    "empty ones, bounds that start at -1, NULL beside the text NULL, arrays of composites, of domains, of ranges",
    r"""
    CREATE TYPE pair AS (a int, "b c" text);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TABLE arrays (numbers int[], matrix int[][], texts text[], pairs pair[], checked positive[], ranges int4range[]);
    INSERT INTO arrays VALUES
        ('{}', '{}', '{}', '{}', '{}', '{}'), (NULL, NULL, NULL, NULL, NULL, NULL),
        ('[-1:1]={1,NULL,3}', '[0:1][5:6]={{1,2},{3,4}}', '{NULL,"NULL","",",","{}","\"","\\"," a "}',
         ARRAY[ROW(1, 'a,b"c')::pair, NULL, ROW(NULL, NULL)::pair], '{1,2}', '{"[1,2)",empty}'),
        (array_fill(7, '{1,1,1,1,1,1}'), '{{{{{{1}}}}}}', ARRAY[E'\n', E'\t', U&'\+01F600'], NULL, NULL, NULL);
    """,
)

RANGES = Animal(
    "ranges",
    "empty and unbounded ranges and multiranges, and a range type of the team's own",
    """
    CREATE FUNCTION distance(a float8, b float8) RETURNS float8 IMMUTABLE LANGUAGE sql RETURN a - b;
    CREATE TYPE float_range AS RANGE (subtype = float8, subtype_diff = distance, multirange_type_name = "Many Floats");
    CREATE TABLE ranges (ints int4range, big int8range, nums numrange, days daterange, stamps tsrange, moments tstzrange,
        own float_range, many int4multirange, own_many "Many Floats");
    INSERT INTO ranges VALUES
        ('empty', '(,)', '[1.0,1.00]', '[-infinity,infinity]', '(,2024-01-01)', '[2024-01-01,)', '[NaN,NaN]', '{}', '{}'),
        ('(1,5]', '[,5)', '(1,1.1)', '[0044-03-15 BC,)', 'empty', '["2024-01-01 12:00+05:30",infinity)', '(-Infinity,0]',
         '{[1,3),[5,)}', '{[1,2],(3,4)}');
    """,
)

SHAPES = Animal(
    "shapes",
    "points, lines, open and closed paths, polygons and circles, with infinities and NaN in them",
    """
    CREATE TABLE shapes (p point, l line, s lseg, b box, open_path path, closed_path path, g polygon, c circle);
    INSERT INTO shapes VALUES
        ('(Infinity,-0)', '{1,-1,0}', '[(0,0),(1e-300,1e300)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1))',
         '((0,0),(0.1,0.2),(1,0))', '<(0,0),0>'),
        ('(NaN,1)', '{0,1,-5}', '[(0,0),(0,0)]', '(-1,-1),(2,2)', '[(1,1)]', '((1,1))', '((1,1))', '<(NaN,1),5>');
    """,
)

ADDRESSES = Animal(
    "addresses",
    "networks of both families, hardware addresses of both lengths, UUIDs",
    """
    CREATE TABLE addresses (host inet, network cidr, hardware macaddr, long_hardware macaddr8, id uuid);
    INSERT INTO addresses VALUES
        ('192.168.0.1/24', '10/8', '08:00:2b:01:02:03', '08:00:2b:ff:fe:01:02:03', '00000000-0000-0000-0000-000000000000'),
        ('::ffff:1.2.3.4/96', '::/0', '0800.2b01.0203', '08002b01:02030405', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'),
        ('0.0.0.0', '2001:db8::/32', NULL, NULL, NULL);
    """,
)

SEARCHED = Animal(
    "searched text",
    "lexemes with weights, quotes and no positions, and phrase queries",
    r"""
    CREATE TABLE searched (document tsvector, query tsquery);
    INSERT INTO searched VALUES
        ('''it''''s'':1A ''a b'':3B,7 fat:16383', '''super''''s'':*AB & !(a | b)'), ('', ''),
        (to_tsvector('english', 'The fat rats and the cats'), 'fat <-> rat <3> cat'), (strip('a:1 b:2'::tsvector), NULL),
        ('''back\\slash''', '''back\\slash''');
    """,
)

IDENTIFIERS = Animal(
    "identifiers of the server",
    "names of tables, functions, operators, types and roles as values, transaction ids, WAL positions, snapshots",
    """
    CREATE TABLE "Table 1" (id int);
    CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql RETURN $1 * 2;
    CREATE TABLE identifiers (o oid, relation regclass, func regproc, signature regprocedure, operator regoper,
        full_operator regoperator, type regtype, role regrole, namespace regnamespace, config regconfig, dictionary regdictionary,
        sorting regcollation, lsn pg_lsn, x xid, x8 xid8, c cid, t tid, old_snapshot txid_snapshot, snapshot pg_snapshot,
        ints int2vector, oids oidvector, acl aclitem, cursor refcursor, home regclass DEFAULT 'identifiers'::regclass);
    INSERT INTO identifiers VALUES (4294967295, '"Table 1"', 'pg_catalog.now', 'twice(int)', '|/', '+(int4,int4)',
        'timestamp with time zone[]', 'pg_monitor', '"identifiers of the server"', 'english', 'simple', '"C"', 'FFFFFFFF/FFFFFFFF',
        '4294967295', '18446744073709551615', '0', '(4294967295,65535)', '10:20:10,14,15', '10:20:10,14,15', '1 2 3', '1 2 3',
        '=r/postgres', 'a cursor'),
        (0, '-', '-', '-', '0', '0', '-', '-', '-', '-', '-', '-', '0/0', '0', '0', '0', '(0,0)', '1:1:', '1:1:', '', '',
        'postgres=arwdDxt/postgres', '');
    """,
)

XML = Animal(
    "xml",
    "documents and fragments, with and without a declaration",
    """
    CREATE TABLE papers (paper xml);
    INSERT INTO papers VALUES ('<?xml version="1.0"?><a b="c">é &amp; &lt;</a>'), ('text <b/> and <c></c>'), ('<!-- n -->'), (NULL);
    """,
    majors=WITH_XML,
    elsewhere="the wheels of 16 and 18 are built without libxml",
)

OWN_TYPES = Animal(
    "own types",
    "enums with values put in between, domains on domains, nested composites, a base type, comments on all of them",
    """
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    ALTER TYPE mood ADD VALUE 'so ''so''' BEFORE 'happy';
    ALTER TYPE mood ADD VALUE 'a, "b" \\ é' AFTER 'sad';
    CREATE TYPE "no values" AS ENUM ();
    CREATE DOMAIN short AS varchar(5) COLLATE "C" DEFAULT 'x' NOT NULL CONSTRAINT "not odd" CHECK (VALUE <> 'odd');
    CREATE DOMAIN shorter AS short CHECK (length(VALUE) < 4);
    CREATE DOMAIN grid AS int[] CHECK (array_ndims(VALUE) = 2);
    CREATE TYPE inner_pair AS (a shorter, m mood);
    CREATE TYPE outer_pair AS ("an array" inner_pair[], one inner_pair, "empty" text);
    CREATE DOMAIN checked_pair AS outer_pair CHECK ((VALUE).one.a IS NOT NULL OR VALUE IS NULL);
    CREATE TYPE nothing AS ();
    CREATE TYPE sentence;
    CREATE FUNCTION sentence_in(cstring) RETURNS sentence LANGUAGE internal IMMUTABLE STRICT AS 'textin';
    CREATE FUNCTION sentence_out(sentence) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
    CREATE TYPE sentence (INPUT = sentence_in, OUTPUT = sentence_out, LIKE = text);
    CREATE TYPE never_finished;
    CREATE TABLE holders (m mood, s shorter, g grid, o outer_pair, c checked_pair, l sentence, n nothing);
    """,
)

HELD_VALUES = Animal(
    "values of own types",
    "rows of those types: enum values used out of order, composites with NULL inside and NULL themselves",
    """
    INSERT INTO "own types".holders VALUES
        ('happy', 'abc', '{{1,2},{3,4}}', ROW(ARRAY[ROW('a', 'sad')::"own types".inner_pair, NULL], ROW('b', NULL), '"(,)"'),
         ROW('{}', ROW('b', 'sad'), NULL), 'a line', ROW()),
        ('a, "b" \\ é', 'x', NULL, ROW(NULL, NULL, ''), NULL, '', NULL), ('so ''so''', '', NULL, NULL, NULL, NULL, NULL);
    COMMENT ON TYPE "own types".mood IS 'how it goes';
    COMMENT ON DOMAIN "own types".short IS 'not long';
    COMMENT ON CONSTRAINT "not odd" ON DOMAIN "own types".short IS 'a rule';
    COMMENT ON COLUMN "own types".outer_pair.one IS 'one';
    """,
)

ANIMALS = (
    NUMBERS,
    TEXTS,
    BYTES_OF_CHARACTERS,
    BINARY,
    TIMES,
    ENDLESS_INTERVALS,
    JSON,
    ARRAYS,
    RANGES,
    SHAPES,
    ADDRESSES,
    SEARCHED,
    IDENTIFIERS,
    XML,
    OWN_TYPES,
    HELD_VALUES,
)
