"""Whatever a folder and a table have in them: the tools' files are read, or passed over, and nothing breaks."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.migrations import measure
from hackorda_ops.migrations.files import find_folders
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.migration_state import ToolState
from hackorda_ops_tests.migration_tools.examples import EXAMPLES

_FILES = sorted({(name, content) for example in EXAMPLES.values() for name, content in example.files.items()})
_IDENTITIES = st.one_of(
    st.text(min_size=1, max_size=12),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(
        ["1", "1.0", "R x", "²", "9a1c", "users.0001_initial", "shop:users:1", "1::ann::1.sql", "::"]
    ),
)


def damaged(content: str, cuts: list[tuple[int, bytes]]) -> bytes:
    data = content.encode()
    for at, junk in cuts:
        place = at % (len(data) + 1)
        data = data[:place] + junk + data[place + len(junk) :]
    return data


@settings(max_examples=150, deadline=None)
@given(
    files=st.lists(
        st.tuples(
            st.sampled_from(_FILES),
            st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=4)), max_size=3),
        ),
        max_size=6,
    )
)
def test_damaged_files_are_read_or_passed_over(
    files: list[tuple[tuple[str, str], list[tuple[int, bytes]]]],
) -> None:
    with tempfile.TemporaryDirectory() as place:
        for (name, content), cuts in files:
            path = Path(place) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(damaged(content, cuts))
        for folder in find_folders(Path(place)):
            state = ToolState(folder.tool, TableName("public", "x"), (), "")
            assert all(isinstance(name, str) for name in folder.pending(state))


@pytest.fixture(scope="module")
def all_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("everything")
    for number, example in enumerate(EXAMPLES.values()):
        for name, content in example.files.items():
            path = root / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return root


def test_a_table_may_have_any_rows(all_files: Path) -> None:
    folders = find_folders(all_files)
    assert {folder.tool for folder in folders} == {*TOOLS}
    # Drizzle's and golang-migrate's come as numbers, which their queries see to.
    numbers = {"drizzle", "golang-migrate", "goose"}

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(folders), st.lists(st.tuples(_IDENTITIES, st.text(max_size=5)), max_size=5))
    def tried(folder: object, rows: list[tuple[str, str]]) -> None:
        tool = folder.tool  # type: ignore[attr-defined]
        if tool in numbers:
            rows = [(identity, text) for identity, text in rows if identity.lstrip("-").isdecimal()]
        applied, texts = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
        state = ToolState(tool, TableName("public", "x"), applied, "", applied, texts, texts)
        measure.pending((state,), folders)
        measure.position_words((state,), folders)
        assert all(list(measure.not_measured((state,), folders)))
        list(measure.skipped_findings((state,), folders))
        list(measure.undone_findings((state,), (), folders))

    tried()
