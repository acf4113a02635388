"""Which large objects differ, by their numbers."""

from hackorda_ops.evidence.large_objects import large_object_findings
from hackorda_ops.postgres.archives.large_objects import LargeObject


def objects(*oids: int, digest: str = "a") -> list[LargeObject]:
    return [LargeObject(oid, 1000, digest * 32) for oid in oids]


def found(expected: list[LargeObject], there: list[LargeObject]) -> list[tuple[str, str]]:
    return [(each.code, each.subject) for each in large_object_findings(expected, there)]


def test_equal_objects_in_any_order_are_no_finding() -> None:
    assert found(objects(1, 2, 3), objects(3, 1, 2)) == []


def test_missing_surplus_and_other_objects_are_named() -> None:
    assert found(objects(1, 2, 3), [*objects(1, 4), *objects(3, digest="b")]) == [
        ("large objects missing", "large object 2"),
        ("large objects added", "large object 4"),
        ("large objects differ", "large object 3"),
    ]


def test_of_many_the_first_ten_are_named_and_the_rest_counted() -> None:
    [(code, subject)] = found(objects(*range(5000, 3000, -1)), [])
    assert code == "large objects missing"
    assert subject == (
        "large objects 3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008, 3009, 3010 and 1,990 more"
    )


def test_another_content_is_shown_by_size_and_digest() -> None:
    [finding] = large_object_findings(objects(7), [LargeObject(7, 999, "c" * 32)])
    assert (finding.expected, finding.observed) == (
        f"7: 1,000 bytes with digest {'a' * 32}",
        f"7: 999 bytes with digest {'c' * 32}",
    )
