"""Metadata put before a small model made by hand: what was in it is where it was, what is new can be followed."""

import struct

from rehabmotion.vision.tflite_metadata import ALIGNMENT, normalisation, with_metadata


def follow(data: bytes, place: int) -> int:
    return int(place + struct.unpack_from("<I", data, place)[0])


def slot(data: bytes, table: int, i: int) -> int | None:
    """Where a table keeps a slot, as the flatbuffers description has it."""
    listed = table - struct.unpack_from("<i", data, table)[0]
    size, *_ = struct.unpack_from("<HH", data, listed)
    place = struct.unpack_from("<H", data, listed + 4 + 2 * i)[0] if 4 + 2 * i < size else 0
    return table + place if place else None


def target(data: bytes, table: int, i: int) -> int:
    place = slot(data, table, i)
    assert place is not None
    return follow(data, place)


def element(data: bytes, vector: int, i: int) -> int:
    assert i < struct.unpack_from("<I", data, vector)[0]
    return follow(data, vector + 4 + 4 * i)


def raw(data: bytes, vector: int, size: int = 1) -> bytes:
    (n,) = struct.unpack_from("<I", data, vector)
    return data[vector + 4 : vector + 4 + size * n]


def test_the_metadata_say_mean_and_deviation() -> None:
    """ModelMetadata.subgraph_metadata[0].input_tensor_metadata[0].process_units[0]: normalisation, options."""
    data = normalisation(127.5, 255.0)
    assert data[4:8] == b"M001"
    subgraph = element(data, target(data, follow(data, 0), 3), 0)
    image = element(data, target(data, subgraph, 2), 0)
    unit = element(data, target(data, image, 4), 0)
    kind = slot(data, unit, 0)
    assert kind is not None
    assert data[kind] == 1
    options = target(data, unit, 1)
    numbers = [struct.unpack("<f", raw(data, target(data, options, i), 4))[0] for i in (0, 1)]
    assert numbers == [127.5, 255.0]


def small_model() -> bytes:
    """Version 3, one buffer with the bytes "weight", no metadata that matter: an empty vector. By hand."""
    out = bytearray(4) + b"TFL3"
    table = 8 + 18 + 2
    out += struct.pack("<9H", 18, 16, 4, 0, 0, 0, 8, 0, 12) + b"\0\0"
    struct.pack_into("<I", out, 0, table)
    out += struct.pack("<iIII", table - 8, 3, 0, 0)
    struct.pack_into("<I", out, table + 8, len(out) - table - 8)
    out += struct.pack("<II", 1, 4 + 8)  # buffers: one, its table behind its list of slots
    out += struct.pack("<HHHH", 6, 8, 4, 0) + struct.pack("<iI", 8, 4) + struct.pack("<I", 6) + b"weight\0\0"
    struct.pack_into("<I", out, table + 12, len(out) - table - 12)
    return bytes(out + struct.pack("<I", 0))


def test_a_model_keeps_its_bytes_and_gains_a_buffer_and_an_entry() -> None:
    old, metadata = small_model(), b"what is told"
    new = with_metadata(old, metadata)
    assert new.endswith(old)
    assert (len(new) - len(old)) % ALIGNMENT == 0
    assert new[4:8] == b"TFL3"
    root = follow(new, 0)
    version = slot(new, root, 0)
    assert version is not None
    assert new[version] == 3
    assert [slot(new, root, i) for i in (1, 2, 3, 5)] == [None] * 4
    buffers = target(new, root, 4)
    assert raw(new, target(new, element(new, buffers, 0), 0)) == b"weight"
    assert raw(new, target(new, element(new, buffers, 1), 0)) == metadata
    entry = element(new, target(new, root, 6), 0)
    assert raw(new, target(new, entry, 0)) == b"TFLITE_METADATA"
    number = slot(new, entry, 1)
    assert number is not None
    assert new[number] == 1


def test_it_can_be_done_again() -> None:
    """A second block is a further entry; readers take the first of a name, so models without one are meant."""
    once = with_metadata(small_model(), b"a")
    twice = with_metadata(once, b"b")
    entries = target(twice, follow(twice, 0), 6)
    assert struct.unpack_from("<I", twice, entries)[0] == 2
