"""XML read safely: no entities, no network, no document types; errors name the line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lxml import etree

from rehabmotion.errors import UserError
from rehabmotion.io.files import read_bytes

Element = Any  # lxml comes without types
Tree = Any


def read_xml(path: Path) -> Tree:
    """Return the tree of an XML file with its comments. What is no XML, or declares entities, raises UserError."""
    data = read_bytes(path)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=False)
    try:
        tree = etree.ElementTree(etree.fromstring(data, parser))
    except etree.XMLSyntaxError as error:
        raise UserError(f"{path}: Expected XML, could not read it ({error.msg}).") from None
    if tree.docinfo.doctype:
        raise UserError(f"{path}: Expected no document type in it, got one. Entities are not read: remove <!DOCTYPE>.")
    return tree


def where(element: Element) -> str:
    """Return an element in words: line 12, <PinJoint> "knee"."""
    name = element.get("name")
    return f"line {element.sourceline}, <{element.tag}>" + (f' "{name}"' if name else "")


def child(element: Element, tag: str) -> Element:
    """Return the one child with a tag; none raises UserError."""
    found = element.find(tag)
    if found is None:
        raise UserError(f"{where(element)}: Expected an element <{tag}> in it, found none.")
    return found


def text(element: Element, tag: str, default: str | None = None) -> str:
    """Return the text of a child without outer blanks; an absent child has the default, or raises UserError."""
    found = element.find(tag) if default is not None else child(element, tag)
    return (default or "") if found is None else (found.text or "").strip()


def numbers(element: Element, tag: str, n: int | None = None, default: str | None = None) -> tuple[float, ...]:
    """Return the finite numbers in a child, n of them; others raise UserError."""
    words = text(element, tag, default).split()
    try:
        found = tuple(float(word) for word in words)
    except ValueError:
        found = (math.nan,)
    if not all(map(math.isfinite, found)) or (n is not None and len(found) != n):
        expected = "numbers" if n is None else f"{n} number{'s' * (n > 1)}"
        raise UserError(f"{where(element)}: Expected {expected} in <{tag}>, got {' '.join(words)[:40]!r}.")
    return found


def vector(element: Element, tag: str) -> tuple[float, float, float]:
    """Return the three numbers of a child, zeros where it is absent."""
    a, b, c = numbers(element, tag, 3, "0 0 0")
    return a, b, c


def flag(element: Element, tag: str, default: bool) -> bool:
    """Return the truth in a child, `default` where it is absent or empty; other words raise UserError."""
    word = text(element, tag, "").lower()
    if word not in ("", "true", "false"):
        raise UserError(f"{where(element)}: Expected true or false in <{tag}>, got {word[:20]!r}.")
    return default if not word else word == "true"
