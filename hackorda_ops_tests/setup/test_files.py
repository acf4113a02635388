"""What is there stays as it is, links included."""

from pathlib import Path

import pytest

from hackorda_ops.errors import PermanentError
from hackorda_ops.setup.files import WrittenFile, write_new


def test_only_what_is_not_there_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    elsewhere = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "mine").write_text("as it was")
    (folder / "link").symlink_to(elsewhere)

    written = list(write_new(folder, {"mine": "x", "link": "x", "other": "text"}))

    assert written == [
        WrittenFile(folder / "mine", is_new=False),
        WrittenFile(folder / "link", is_new=False),
        WrittenFile(folder / "other", is_new=True),
    ]
    assert (folder / "mine").read_text() == "as it was"
    assert not elsewhere.exists()
    assert (folder / "other").read_text() == "text"


def test_a_folder_that_can_not_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="can't be written") as caught:
        list(write_new(tmp_path / "no" / "such", {"a": ""}))
    assert "--folder" in caught.value.next_step
