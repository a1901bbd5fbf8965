"""The rules of the house: budgets, names, exceptions, paths and imports.

Every checker is also run on a planted offence, so that it cannot pass for lack of looking.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[1]
CODE = ("hydra_ft", "loopback_exchange", "strategies", "freqaimodels", "benchmarks")
THIN = ("strategies", "freqaimodels")

FILE_LINES, STRATEGY_LINES, FUNCTION_LINES = 300, 150, 40
EMPTY_WORDS = {"manager", "engine", "handler", "utils", "util", "helper", "helpers"} | {
    "enhanced",
    "smart",
    "unified",
}
# The only place where any exception is caught: it turns a failing callback into a refusal.
BROAD_EXCEPT_ALLOWED = "hydra_ft/adapter/"
# Put together from parts, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:" + "work|root|home" + r")/")
INDEX_ADDRESS = re.compile(
    "|".join(
        (
            "pypi" + r"\.org",
            "python" + "hosted",
            "/simple" + "/",
            "(?<!emit-)" + "index" + "-url ",
            "find" + "-links",
        )
    )
)

Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def sources(*folders: str) -> list[Path]:
    """All Python files of some folders of the repository."""
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """A path as it is called within the repository."""
    return str(path.relative_to(REPOSITORY))


def tracked_files() -> list[Path]:
    """Everything that git would carry."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    paths = (REPOSITORY / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, from `def` to its end, without its docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
    return lines


def long_functions(text: str) -> list[str]:
    """Functions over the budget."""
    return [node.name for node in functions(ast.parse(text)) if length(node) > FUNCTION_LINES]


def undocumented(text: str) -> list[str]:
    """The module, and its public classes, functions and methods, without a docstring."""
    tree = ast.parse(text)
    found = [] if ast.get_docstring(tree) or not tree.body else ["module"]
    level: list[ast.AST] = [tree]
    while level:
        children = [n for parent in level for n in ast.iter_child_nodes(parent)]
        public = [n for n in children if isinstance(n, Node) and not n.name.startswith("_")]
        overloads = {id(n) for n in public if "overload" in map(ast.unparse, n.decorator_list)}
        found += [n.name for n in public if not ast.get_docstring(n) and id(n) not in overloads]
        level = [n for n in public if isinstance(n, ast.ClassDef)]
    return found


def empty_names(text: str) -> list[str]:
    """Classes and functions whose name has a word that says nothing."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Node)]
    return [node.name for node in nodes if words(node.name) & EMPTY_WORDS]


def words(name: str) -> set[str]:
    """Words of a name, be it in snake case or camel case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def broad_excepts(text: str) -> list[str]:
    """Lines that catch everything."""
    handlers = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ExceptHandler)]
    broad = re.compile(r"\b(Base)?Exception\b")
    return [
        f"line {node.lineno}"
        for node in handlers
        if node.type is None or broad.search(ast.unparse(node.type))
    ]


def bare_excepts(text: str) -> list[str]:
    """Lines with an `except` that names nothing."""
    tree = ast.walk(ast.parse(text))
    return [f"line {n.lineno}" for n in tree if isinstance(n, ast.ExceptHandler) and not n.type]


def not_thin(text: str) -> list[str]:
    """What a file that freqtrade loads by path may not hold: a second class, or a dataclass."""
    tree = ast.parse(text)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = [] if len(classes) == 1 else [f"{len(classes)} classes"]
    typed = [
        node.name
        for node in classes
        if any("dataclass" in ast.unparse(d) for d in node.decorator_list)
    ]
    return found + typed


def unannotated(text: str) -> list[str]:
    """Functions with an argument or a result that has no annotation."""
    found = []
    for node in functions(ast.parse(text)):
        spec = node.args
        arguments = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
        arguments += [extra for extra in (spec.vararg, spec.kwarg) if extra]
        named = [argument for argument in arguments if argument.arg not in {"self", "cls"}]
        if node.returns is None or any(argument.annotation is None for argument in named):
            found.append(node.name)
    return found


CHECKS: dict[Callable[[str], list[str]], str] = {
    long_functions: "def f() -> None:\n" + "    x = 1\n" * FUNCTION_LINES,
    undocumented: '"""Doc."""\nclass A:\n    """Doc."""\n    def b(self) -> None: ...\n',
    empty_names: "class OrderManager: ...\n",
    bare_excepts: "try:\n    x = 1\nexcept:\n    pass\n",
    unannotated: "def f(x) -> None: ...\n",
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_code_keeps_the_rule(check: Callable[[str], list[str]]) -> None:
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in sources(*CODE)}
    offences = {name: found for name, text in texts.items() if (found := check(text))}
    assert offences == {}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_check_sees_an_offence(check: Callable[[str], list[str]]) -> None:
    assert check(CHECKS[check]) != []


def test_no_file_is_longer_than_its_budget() -> None:
    budgets = dict.fromkeys(sources(*CODE, "tests"), FILE_LINES)
    budgets |= dict.fromkeys(sources("strategies"), STRATEGY_LINES)
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in budgets}
    assert {name_of(path): n for path, n in lines.items() if n > budgets[path]} == {}
    assert len(lines) > 20


def test_no_file_or_folder_has_an_empty_name() -> None:
    paths = [path.relative_to(REPOSITORY) for path in sources(*CODE)]
    assert [str(path) for path in paths if words(str(path)) & EMPTY_WORDS] == []
    assert words("order_manager.py") & EMPTY_WORDS
    assert not words("engineering") & EMPTY_WORDS


def test_only_the_adapter_catches_everything() -> None:
    others = [path for path in sources(*CODE) if BROAD_EXCEPT_ALLOWED not in name_of(path)]
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in others}
    assert {name: found for name, text in texts.items() if (found := broad_excepts(text))} == {}


@pytest.mark.parametrize("caught", ["Exception", "(ValueError, Exception)", "BaseException as e"])
def test_a_broad_except_is_seen(caught: str) -> None:
    assert broad_excepts(f"try:\n    x = 1\nexcept {caught}:\n    pass\n") == ["line 3"]
    assert broad_excepts("try:\n    x = 1\nexcept FreqtradeException:\n    pass\n") == []


def test_files_that_freqtrade_loads_hold_one_class_and_no_types() -> None:
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in sources(*THIN)}
    assert {name: found for name, text in texts.items() if (found := not_thin(text))} == {}
    assert not_thin("class A: ...\nclass B: ...\n") == ["2 classes"]
    assert not_thin("@dataclass(frozen=True)\nclass A: ...\n") == ["A"]


def offences(pattern: re.Pattern[str], text: str) -> list[str]:
    """Lines in which a pattern is found."""
    return [line.strip() for line in text.splitlines() if pattern.search(line)]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, INDEX_ADDRESS], ids=["path", "index"])
def test_no_tracked_file_names_a_machine_path_or_an_index(pattern: re.Pattern[str]) -> None:
    found = {}
    for path in tracked_files():
        text = path.read_text(encoding="utf-8", errors="ignore")
        if lines := offences(pattern, text):
            found[name_of(path)] = lines
    assert found == {}


def test_a_machine_path_and_an_index_are_seen() -> None:
    for name in ("work", "root", "home"):
        assert offences(MACHINE_PATH, f'open("/{name}/x")')
        assert not offences(MACHINE_PATH, f"docs/{name}/x and ~/{name}/x")
    assert offences(INDEX_ADDRESS, "https://" + "pypi" + ".org/project/x")
    assert offences(INDEX_ADDRESS, "--extra-index" + "-url https://x")


def test_only_the_ci_script_names_the_folder_beside_the_checkout() -> None:
    beside = re.compile(r"\.\./" + "shared")
    named = [
        name_of(path)
        for path in tracked_files()
        if offences(beside, path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert named == [".ci/run"]


def test_the_import_contracts_hold() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
    ]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_nothing_sleeps_in_the_order_route() -> None:
    """4-01: a callback that sleeps holds up every other order of the bot."""
    for folder in ("adapter", "execution", "store"):
        for file in (REPOSITORY / "hydra_ft" / folder).rglob("*.py"):
            assert not re.search(r"\bsleep\(", file.read_text(encoding="utf-8")), file
