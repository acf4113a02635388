"""Numbers and text as people read them."""

import pytest

from hackorda_ops.words import duration, named, shortened, size, visible


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.97, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (134, "2 min 14 s"),
        (3599.7, "1 h"),
        (25_204, "7 h"),
        (86_400, "24 h"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_duration_reads_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_what_would_hide_or_turn_text_around_is_made_visible() -> None:
    assert visible("\x1b[1;31mred\x1b[0m\tplain\r\nnext") == "red\tplain\nnext"
    assert visible("\x1b]0;title\x07text") == "text"
    assert visible("a\x00b\x08c") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert visible("sresu\u202e") == "sresu\\u202e"
    assert visible("Пользователи 用户 مستخدم") == "Пользователи 用户 مستخدم"


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.7, "1.0 kB"),
        (12_345_678, "12.3 MB"),
        (999_960, "1.0 MB"),
        (999_960_000_000, "1.0 TB"),
        (12_345_678_000_000, "12.3 TB"),
    ],
)
def test_a_size_reads_as_people_say_it(size_bytes: float, words: str) -> None:
    assert size(size_bytes) == words


def test_of_many_names_a_few_are_written_out_and_the_rest_counted() -> None:
    assert named([]) == ""
    assert named(["a", "b"], shown=2) == "a, b"
    assert named(["a", "b", "c"], shown=2) == "a, b and 1 more"
    assert named(range(2_000), shown=1, between="; ") == "0 and 1,999 more"


def test_of_many_lines_the_first_are_kept_and_the_rest_counted() -> None:
    assert shortened(["a", "b"], 2) == ("a", "b")
    assert shortened(["a", "b", "c"], 2) == ("a", "b", "and 1 more")
    assert shortened(map(str, range(2_000)), 1, "-- and {} more") == ("0", "-- and 1,999 more")
