"""The metadata of a TFLite model: how MediaPipe's tasks learn which numbers a network wants its pixels to be.

A TFLite file is a flatbuffer: tables whose references count bytes forward from where they stand. So what is added goes
before the model, which moves on as it is, byte for byte, its weights as well aligned as they were. Slot numbers are
those of TensorFlow's schema.fbs (Model, Metadata, Buffer) and of MediaPipe's metadata_schema.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MODEL, MODEL_INFO = b"TFL3", b"M001"  # what stands at bytes 4 to 8
NAME = "TFLITE_METADATA"
ALIGNMENT = 64  # bytes, of the added head: a multiple of the 16 that weights want
BUFFERS, METADATA = 4, 6  # slots of Model
NORMALISATION = 1  # the kind of ProcessUnit


@dataclass(frozen=True)
class Table:
    """A table: what stands in which slot; a number takes 4 bytes in it, all else a reference."""

    slots: Mapping[int, int | Table | Many | Raw | Old]


@dataclass(frozen=True)
class Many:
    """A vector of tables."""

    items: Sequence[Table | Old]


@dataclass(frozen=True)
class Raw:
    """A vector of bytes or numbers: how many, and their bytes."""

    count: int
    data: bytes


@dataclass(frozen=True)
class Old:
    """What stands in the model already, at this byte of it."""

    place: int


Item = Table | Many | Raw | Old


def normalisation(mean: float, std: float) -> bytes:
    """Return metadata that say of a network's one image: subtract `mean` from each of 0 to 255, divide by `std`."""
    numbers = (Raw(1, struct.pack("<f", number)) for number in (mean, std))
    unit = Table({0: NORMALISATION, 1: Table(dict(enumerate(numbers)))})
    image = Table({0: _text("image"), 4: Many([unit])})
    whole = Table({3: Many([Table({2: Many([image])})])})
    return bytes(_head(whole, MODEL_INFO)[0])


def with_metadata(model: bytes, metadata: bytes) -> bytes:
    """Return a whole TFLite model, which has no such metadata yet, with a block of them."""
    slots = _slots(model, _follow(model, 0))
    buffers, entries = (_elements(model, slots[slot]) for slot in (BUFFERS, METADATA))
    buffer = Table({0: Raw(len(metadata), metadata)})
    entry = Table({0: _text(NAME), 1: len(buffers)})
    root: dict[int, int | Item] = {slot: Old(_follow(model, place)) for slot, place in slots.items() if slot}
    root[0] = struct.unpack_from("<I", model, slots[0])[0]  # the schema's version, a number
    root |= {BUFFERS: Many([*buffers, buffer]), METADATA: Many([*entries, entry])}
    head, links = _head(Table(root), MODEL)
    head += bytes(-len(head) % ALIGNMENT)
    for place, old in links:
        struct.pack_into("<I", head, place, len(head) + old.place - place)
    return bytes(head) + model


def _text(text: str) -> Raw:
    return Raw(len(text), text.encode("ascii") + b"\0")


def _head(root: Table, identifier: bytes) -> tuple[bytearray, list[tuple[int, Old]]]:
    """Return a flatbuffer, and the places in it whose references to the old model are still to be filled."""
    out = bytearray(4) + identifier
    links: list[tuple[int, Old]] = []
    _refer(out, 0, root, links)
    return out, links


def _refer(out: bytearray, place: int, item: Item, links: list[tuple[int, Old]]) -> None:
    """Append an item and put the distance to it at a place."""
    if isinstance(item, Old):
        links.append((place, item))
        return
    out += bytes(-len(out) % 4)
    target = _append_table(out, item, links) if isinstance(item, Table) else _append_vector(out, item, links)
    struct.pack_into("<I", out, place, target - place)


def _append_vector(out: bytearray, vector: Many | Raw, links: list[tuple[int, Old]]) -> int:
    start = len(out)
    if isinstance(vector, Raw):
        out += struct.pack("<I", vector.count) + vector.data
        return start
    out += struct.pack("<I", len(vector.items)) + bytes(4 * len(vector.items))
    for i, item in enumerate(vector.items, start=1):
        _refer(out, start + 4 * i, item, links)
    return start


def _append_table(out: bytearray, table: Table, links: list[tuple[int, Old]]) -> int:
    """Append the list of where the slots are, and after it the table, which begins with the distance back to it."""
    slots, n = sorted(table.slots), max(table.slots) + 1
    size = 4 + 4 * len(slots)
    where = [4 + 4 * slots.index(i) if i in table.slots else 0 for i in range(n)]
    out += bytes(2 * (n % 2))  # so that the table begins at a multiple of 4
    start = len(out)
    out += struct.pack(f"<{n + 2}H", 4 + 2 * n, size, *where)
    begin = len(out)
    out += struct.pack("<i", begin - start) + bytes(size - 4)
    for slot in slots:
        item, place = table.slots[slot], begin + where[slot]
        if isinstance(item, int):
            struct.pack_into("<I", out, place, item)
        else:
            _refer(out, place, item, links)
    return begin


def _follow(model: bytes, place: int) -> int:
    return int(place + struct.unpack_from("<I", model, place)[0])


def _slots(model: bytes, table: int) -> dict[int, int]:
    """Return where each slot of a table stands, those left out left out."""
    start = table - struct.unpack_from("<i", model, table)[0]
    n = struct.unpack_from("<H", model, start)[0] // 2 - 2
    places = struct.unpack_from(f"<{n}H", model, start + 4)
    return {slot: table + place for slot, place in enumerate(places) if place}


def _elements(model: bytes, place: int) -> list[Old]:
    start = _follow(model, place)
    (n,) = struct.unpack_from("<I", model, start)
    return [Old(_follow(model, start + 4 * i)) for i in range(1, n + 1)]
