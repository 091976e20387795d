"""Reads a plan from YAML: numbers as people write them, and nothing that could grow or act."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from rehabmotion.errors import UserError
from rehabmotion.files import read_text
from rehabmotion.workflows.timeline.plan import Plan, plan_from, spelled

MAX_CHARACTERS = 200_000  # a plan of a hundred tracks with long sentences

MOST_BRACKETS = 20


class _Loader(yaml.SafeLoader):
    """The safe loader without anchors, with keys only once, and with the numbers of JSON.

    YAML 1.1 reads 1:30 as 90, 010 as 8 and `on` as true: in a plan each of them is a mistake or a word.
    """

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012  # what PyYAML calls it

    def fetch_flow_collection_start(self, token: Any) -> None:
        if self.flow_level >= MOST_BRACKETS:  # PyYAML's time grows with the square of the depth
            raise UserError(f"Expected a plan, got brackets {MOST_BRACKETS} deep. Plans need two.")
        super().fetch_flow_collection_start(token)

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise UserError(
                f"line {event.start_mark.line + 1}: Expected a plan without anchors (& and *). Write it out."
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = (key.tag, str(key.value))
            if name in seen:
                line = key.start_mark.line + 1
                raise UserError(f"line {line}: Expected each key once, got {spelled(key.value)} again. Remove one.")
            seen.add(name)
        return super().construct_mapping(node, deep)


def _resolve(tag: str, pattern: str, first: str) -> None:
    """Have plain text of a pattern, beginning with one of `first`, read as something; "" is text of no length."""
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), ["", *first])


_resolve("null", r"~|null|Null|NULL|", "~nN")
_resolve("bool", r"true|True|TRUE|false|False|FALSE", "tTfF")
_resolve("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789")
_resolve("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9]+", "-+0123456789.")
_resolve("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+.")


def read_plan(path: Path) -> Plan:
    """Return the plan of a YAML file. Anything else raises UserError: one line with the file, the track and the key."""
    text = read_text(path)
    try:
        if len(text) > MAX_CHARACTERS:
            raise UserError(f"Expected at most {MAX_CHARACTERS} characters, got {len(text)}. Plans are short.")
        return plan_from(_parsed(text))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _parsed(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # a safe loader, and stricter
    except RecursionError:
        raise UserError("Expected a plan, got lists inside lists without end.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise UserError(f"{where}Expected YAML, could not read it ({error.problem or error.context}).") from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"Expected YAML, could not read it ({error}).") from None
