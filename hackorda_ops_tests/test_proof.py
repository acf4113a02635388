"""docs/proof.md says what the tests do."""

from pathlib import Path

from hackorda_ops_tests.proof import document

PAGE = Path(__file__).parents[1] / "docs" / "proof.md"


def test_the_page_is_what_the_tests_do() -> None:
    assert PAGE.read_text() == document(), "out of date: python -m hackorda_ops_tests.proof > docs/proof.md"
