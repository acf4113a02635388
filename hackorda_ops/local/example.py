"""The repository's own example files, which the demo runs as they are."""

from pathlib import Path

from hackorda_ops.errors import UsageError


def example_file(name: str) -> Path:
    """databases.yaml, dagster.yaml or workspace.yaml: next to the package in a checkout, inside it in a wheel.

    Raises:
        UsageError: it's in neither place.
    """
    package = Path(__file__).parents[1]
    for place in (package.parent / name, package / "example" / name):
        if place.is_file():
            return place
    raise UsageError(
        f"The file {name} is neither in {package.parent} nor in {package / 'example'}.",
        meaning="The demo runs the product's own example files, so it can't start.",
        next_step="Run it from a checkout of the repository, or install the package again.",
    )
