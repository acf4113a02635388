"""The documentation of functions: ruff sees where an `Args:` is incomplete, and not where there is none."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import hackorda_ops
from hackorda_ops.cli.commands import LISTED

PACKAGE = Path(hackorda_ops.__file__).parent
# With fewer, the signature and the first sentence say it all.
MANY_PARAMETERS = 3


def commands() -> set[str]:
    """The commands' functions: their documentation is what --help shows, and options have a help of their own."""
    found = set()
    for each in LISTED:
        module = import_module(f"hackorda_ops.cli.{each.module}")
        registered = module.app.registered_commands if hasattr(module, "app") else ()
        found |= {each.name.replace("-", "_")} | {command.callback.__name__ for command in registered}
    return found


def public_functions(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node)


def parameters(function: ast.FunctionDef) -> list[str]:
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [each.arg for each in given if each.arg not in {"self", "cls"} and not each.arg.startswith("_")]


def describes_its_parameters(function: ast.FunctionDef) -> bool:
    """Whether its documentation does, or names what it implements ("See `Store.put`.")."""
    documentation = ast.get_docstring(function) or ""
    return "Args:" in documentation or "See `" in documentation


def test_a_public_function_with_many_parameters_says_what_each_of_them_is() -> None:
    silent = [
        f"{path.relative_to(PACKAGE)}:{function.lineno} {function.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for function in public_functions(ast.parse(path.read_text()))
        if len(parameters(function)) >= MANY_PARAMETERS
        and not describes_its_parameters(function)
        and not (path.parent.name == "cli" and function.name in commands())
    ]
    assert silent == []
