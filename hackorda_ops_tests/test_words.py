"""Numbers and text as people read them."""

import pytest

from hackorda_ops.words import duration, visible


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
