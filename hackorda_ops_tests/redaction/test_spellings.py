"""A secret is removed in every spelling that a program may print it in, wherever it stands."""

import base64
import html
import itertools
import json
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hackorda_ops.processes.child_output import Output
from hackorda_ops.redaction.passwords import without_secrets

Encoder = Callable[[str], str]

# Each of them gives the secret to whoever reads it.
ENCODERS: dict[str, Encoder] = {
    "plain": str,
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON with every letter": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON with slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret)),
    "JSON in JSON in JSON": lambda secret: json.dumps(json.dumps(json.dumps(secret))),
    "a shell's quotes": shlex.quote,
    "a shell's quotes in JSON": lambda secret: json.dumps(shlex.quote(secret)),
    "a shell's backslashes": lambda secret: "".join(f"\\{letter}" for letter in secret),
    "SQL": lambda secret: secret.replace("'", "''"),
    "a quoted name": lambda secret: secret.replace('"', '""'),
    "percent": lambda secret: quote(secret, safe=""),
    "percent, small": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "percent, but for slashes": quote,
    "plus": quote_plus,
    "percent twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "percent three times": lambda secret: quote(quote(quote(secret, safe=""), safe=""), safe=""),
    "percent in JSON": lambda secret: json.dumps(quote(secret, safe="")),
    "JSON in a URL": lambda secret: quote(json.dumps(secret), safe=""),
    "HTML": html.escape,
    "HTML twice": lambda secret: html.escape(html.escape(secret)),
    "HTML by number": lambda secret: "".join(f"&#{ord(letter)};" for letter in secret),
    "HTML by hex number": lambda secret: "".join(f"&#x{ord(letter):X};" for letter in secret),
    "Python's repr": repr,
    "Python's ascii": ascii,
    "Python's repr of bytes": lambda secret: repr(secret.encode()),
    "C's octal": lambda secret: "".join(f"\\{byte:03o}" for byte in secret.encode()),
    "hex": lambda secret: secret.encode().hex(),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 for URLs, without its end": lambda secret: (
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
    ),
    "base64 in a URL": lambda secret: quote(base64.b64encode(secret.encode()).decode(), safe=""),
    "base64 of percent": lambda secret: base64.b64encode(quote(secret, safe="").encode()).decode(),
    "base64 of JSON": lambda secret: base64.b64encode(json.dumps(secret).encode()).decode(),
    "base64 of base64": lambda secret: base64.b64encode(base64.b64encode(secret.encode())).decode(),
    "base64 after one byte": lambda secret: base64.b64encode(f":{secret}".encode()).decode(),
    "base64 after two bytes, and before others": lambda secret: base64.b64encode(
        f"a:{secret}@h".encode()
    ).decode(),
    "base64 of a URL": lambda secret: base64.b64encode(f"postgresql://app:{secret}@host".encode()).decode(),
}
SECRETS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")) | st.sampled_from("'\"\\/%&+<> $`!@:=#\t"),
    min_size=8,
    max_size=40,
).filter(lambda secret: len(set(secret)) >= 6 and not secret.isspace())
HARD = "a'b\"c\\d/e%f&g+h<i> é€😀$`"


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_hard_secret_is_removed_from_each_spelling(encoder: str) -> None:
    spelled = ENCODERS[encoder](HARD)
    shown = without_secrets(f"before {spelled} after", (HARD,))
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    assert len(shown) <= len("before  after") + 40  # what stood around it in base64 stays


@settings(deadline=None)
@given(secret=SECRETS, encoder=st.sampled_from(sorted(ENCODERS)))
@example(secret=HARD, encoder="JSON in JSON")
def test_any_secret_is_removed_from_any_spelling(secret: str, encoder: str) -> None:
    spelled = ENCODERS[encoder](secret)
    shown = without_secrets(f"[{spelled}]", (secret,))
    assert "***" in shown
    assert secret not in shown
    assert _without_quotes(spelled) not in shown


@settings(deadline=None)
@given(secret=SECRETS, at=st.integers(1, 200), encoder=st.sampled_from(sorted(ENCODERS)))
@example(secret="000\xa0¡¢£¤", at=130, encoder="base64")
def test_the_end_of_a_line_within_a_secret_does_not_save_it(secret: str, at: int, encoder: str) -> None:
    spelled = ENCODERS[encoder](secret)
    at = 1 + at % max(1, len(spelled) - 1)
    if spelled[at - 1] in "\\%&" or encoder not in ("plain", "hex", "base64", "base64 for URLs"):
        return
    shown = without_secrets(f"[{spelled[:at]}\n    {spelled[at:]}]", (secret,))
    assert shown == "[***]"


@settings(deadline=None)
@given(
    secret=SECRETS, cuts=st.lists(st.integers(0, 400), max_size=8), encoder=st.sampled_from(sorted(ENCODERS))
)
def test_the_blocks_in_which_a_program_writes_do_not_matter(
    secret: str, cuts: list[int], encoder: str
) -> None:
    written = f"says {ENCODERS[encoder](secret)} once\n".encode()
    heard: list[str] = []
    output = Output(
        on_line=heard.append,
        redact=lambda line: without_secrets(line, (secret,)),
        capture=False,
        keep_tail=True,
    )
    edges = sorted({0, len(written), *(cut % len(written) for cut in cuts)})
    for begin, end in itertools.pairwise(edges):
        output.feed(written[begin:end])
    output.finish()
    assert len(heard) == 1
    assert secret not in heard[0]
    if "\t" not in secret:
        assert "***" in heard[0]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_text_without_the_secret_stays_as_it_is(text: str) -> None:
    assert without_secrets(text, ("npg_Xk29'fQw/77=z",)) == text


def test_each_line_of_a_key_of_several_lines_is_removed() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCB\n-----END KEY-----"
    for line in key.splitlines():
        assert without_secrets(f"line: {line}", (key,)) == "line: ***"
    assert without_secrets(f"key={json.dumps(key)}", (key,)) == 'key="***"'


@pytest.mark.parametrize("length", [1, 100, 10_000])
def test_a_long_text_that_is_nearly_the_secret_takes_no_longer_for_it(length: int) -> None:
    # Each would keep a careless pattern busy for hours.
    for nearly in ("\\" * length, "a" * length, "%25" * length, "&amp;" * length, "abcdef" * length):
        assert without_secrets(nearly, ("aaaaaaaaaaab\\\\\\\\c",)) == nearly


def _without_quotes(spelled: str) -> str:
    return spelled.strip("'\"") or spelled
