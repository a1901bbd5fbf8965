"""Reads plain values into a tree of frozen dataclasses, and describes such a tree in words.

The fields carry their bounds and their meaning (``Annotated[float, Ge(0), Le(1),
Doc("...")]``). Everything said about them, in errors and in the reference page, is derived
from those declarations, so that it cannot differ from what is checked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import StringConstraints, TypeAdapter, ValidationError
from typing_extensions import Doc, get_type_hints

from hydra_ft.errors import SettingsError

Tree = TypeVar("Tree")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One key that can be set: its full path, its default and its declared type."""

    path: str
    default: object
    hint: object

    @property
    def allowed(self) -> str:
        """The values it takes, in words."""
        return _in_words(self.hint)

    @property
    def meaning(self) -> str:
        """The text of its ``Doc``."""
        return next((m.documentation for m in _metadata(self.hint) if isinstance(m, Doc)), "")


def read_tree(
    section: Mapping[str, object] | None,
    root: type[Tree],
    *,
    name: str,
    default: Tree | None = None,
) -> Tree:
    """Build a tree of frozen dataclasses from plain values; what is left out has its default.

    The default of a key is that of its place in ``default`` (``root()`` where none is given):
    ``chase.exit.deadline_s`` is 60 although the class it belongs to says 120.

    Raises
    ------
    SettingsError
        Naming every key that is unknown, out of range or of the wrong type, and every
        section whose values contradict each other.
    """
    default = root() if default is None else default
    paths = {leaf.path: leaf for leaf in leaves(root, name, default)}
    problems: dict[str, str] = {}
    values = _merged(default, {} if section is None else section, name, tuple(paths), problems)
    try:
        # JSON mode is pydantic's strict mode for plain values: lists become tuples and
        # names become enum members, but no text becomes a number and no bool an int.
        tree = TypeAdapter(root).validate_json(json.dumps(values, default=_odd), strict=True)
    except ValidationError as error:
        for found in error.errors(include_url=False, include_context=False):
            path, value = _located(found["loc"], name, values, paths)
            if path in paths:
                wants_list = found["type"] == "tuple_type"
                problems.setdefault(path, _wrong_value(paths[path], value, wants_list=wants_list))
            else:
                problems.setdefault(path, _contradiction(path, found["msg"]))
    if problems:
        count = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
        message = f"the {name!r} section of the configuration cannot be used ({count}):\n  "
        raise SettingsError(message + "\n  ".join(problems.values()))
    return tree


@cache
def _hints(root: type[object]) -> dict[str, Any]:
    """Declared types of the fields; evaluating them takes longer than all the rest."""
    return get_type_hints(root, include_extras=True)


def leaves(root: type[object], path: str, default: object = None) -> Iterator[Leaf]:
    """Walk over all keys of a tree, in the order of their declaration."""
    default = root() if default is None else default
    hints = _hints(root)  # type: ignore[arg-type]  # classes hash by identity
    for item in fields(root):  # type: ignore[arg-type]
        value, here = getattr(default, item.name), f"{path}.{item.name}"
        if is_dataclass(value):
            yield from leaves(type(value), here, value)
        else:
            yield Leaf(here, value, hints[item.name])


def _merged(
    default: object, given: object, path: str, known: tuple[str, ...], problems: dict[str, str]
) -> dict[str, Any]:
    """Lay the given values over the defaults of this place; note what does not fit the shape."""
    names = [item.name for item in fields(default)]  # type: ignore[arg-type]
    if not isinstance(given, Mapping):
        problems[path] = (
            f"{path}: expected a section with {', '.join(names)}; "
            f"it was {_shown(given)}; write an object there, or remove the key"
        )
        given = {}
    for key in given:
        if key not in names:
            here = f"{path}.{key}"
            problems[here] = _unknown_key(here, given[key], names, known)
    merged: dict[str, Any] = {}
    for name in names:
        value, here = getattr(default, name), f"{path}.{name}"
        if is_dataclass(value):
            merged[name] = _merged(value, given.get(name, {}), here, known, problems)
        else:
            merged[name] = given.get(name, value)
            if isinstance(merged[name], float) and not math.isfinite(merged[name]):
                problems[here] = f"{here}: expected a finite number, it was {merged[name]}"
    return merged


def _unknown_key(path: str, value: object, names: list[str], known: tuple[str, ...]) -> str:
    """Say what the known keys are, and which of all keys comes nearest."""
    place, _, name = path.rpartition(".")
    near = [f"{place}.{match}" for match in get_close_matches(name, names, n=1)]
    if not near:
        # Right name, wrong section; else the nearest last name anywhere.
        last = {other.rpartition(".")[2]: other for other in reversed(known)}
        near = [last[match] for match in get_close_matches(name, list(last), n=1)]
    hint = f"; did you mean {near[0]}?" if near else "; remove it"
    return f"{path} = {_shown(value)}: unknown key; known here: {', '.join(names)}{hint}"


def _wrong_value(leaf: Leaf, value: object, *, wants_list: bool = False) -> str:
    """Say what was expected, what it was and what to change."""
    choices = [str(choice) for choice in _choices(leaf.hint)]
    near = get_close_matches(str(value), choices, n=1) if isinstance(value, str) else []
    if wants_list and near:
        change = f"did you mean {json.dumps(near)}?"
    else:
        change = f"did you mean {near[0]!r}?" if near else "change it"
    return (
        f"{leaf.path}: expected {leaf.allowed}; it was {_shown(value)}; "
        f"{change} (default: {json.dumps(leaf.default)})"
    )


def _contradiction(path: str, message: str) -> str:
    """Say which values of a section do not go together, in the words of its own check."""
    return f"{path}: {message.removeprefix('Value error, ')}; change one of these values"


def _located(
    loc: tuple[int | str, ...], path: str, values: dict[str, Any], paths: Mapping[str, Leaf]
) -> tuple[str, object]:
    """Path of the key that an error is about, and the value (or list element) found there."""
    value: Any = values
    for step in loc:
        if path in paths and not isinstance(step, int):
            break
        path = path if path in paths else f"{path}.{step}"
        value = value[step]
    return path, value


def _odd(_value: object) -> dict[str, object]:
    """Stand for a value that JSON does not know: an object is wrong for every key."""
    return {}


def _shown(value: object) -> str:
    """A value as it would be written in the configuration."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return repr(value)


def _metadata(hint: object) -> tuple[object, ...]:
    """What stands beside the type in ``Annotated``."""
    return tuple(getattr(hint, "__metadata__", ()))


def _choices(hint: object) -> list[object]:
    """All values of the Literal or Enum somewhere in a type."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return [member.value for member in hint]
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    args = get_args(hint)
    return [
        choice
        for arg in args[: 1 if get_origin(hint) is Annotated else None]
        for choice in _choices(arg)
    ]


def _in_words(hint: object) -> str:
    """Describe the values of a declared type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _in_words(args[0]) + _bounds(_metadata(hint))
    if origin in (Union, UnionType):
        plural = [_in_words(arg) for arg in args if arg is not NoneType]
        return " or ".join(["null", *plural] if NoneType in args else plural)
    if origin is tuple:
        return f"a list, each element {_in_words(args[0])}"
    choices = _choices(hint)
    if choices:
        return "one of " + ", ".join(str(choice) for choice in choices)
    plain = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return plain.get(hint, str(hint))  # type: ignore[call-overload,no-any-return]


def _bounds(metadata: tuple[object, ...]) -> str:
    """Describe the limits that stand beside a type."""
    words = []
    for limit in metadata:
        match limit:
            case Ge(ge=bound):
                words.append(f"from {bound}")
            case Gt(gt=bound):
                words.append(f"above {bound}")
            case Le(le=bound):
                words.append(f"to {bound}")
            case Lt(lt=bound):
                words.append(f"below {bound}")
            case StringConstraints(pattern=pattern) if pattern is not None:
                words.append(f"matching `{pattern}`")
            case _:
                pass
    return "".join(f" {word}" for word in words)
