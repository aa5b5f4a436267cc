"""Two kinds of data for measuring recall: separated clusters flatter inverted lists and hurt graphs, soft blends do the reverse."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from typing import Any

import numpy
from django.db import connection

DIMENSIONS = 384
_CLUSTERS, _TOPICS, _RANK = 1_000, 40, 8
_CHUNK = 50_000


def clusters(count: int, *, seed: int, queries: int = 0) -> tuple[numpy.ndarray, numpy.ndarray]:
    """A mixture of 1,000 Gaussians under 40 topics, with a spread of low rank inside each; unit length. Queries are held out."""
    chance = numpy.random.default_rng(7)
    topics = chance.normal(size=(_TOPICS, DIMENSIONS))
    centres = topics[chance.integers(0, _TOPICS, _CLUSTERS)] + 0.9 * chance.normal(size=(_CLUSTERS, DIMENSIONS))
    spread = chance.normal(size=(_CLUSTERS, _RANK, DIMENSIONS)).astype(numpy.float32) * 0.35
    draw = numpy.random.default_rng(seed)
    parts = []
    for start in range(0, count + queries, _CHUNK):
        size = min(_CHUNK, count + queries - start)
        which = draw.integers(0, _CLUSTERS, size)
        inside = numpy.einsum("nr,nrd->nd", draw.normal(size=(size, _RANK)).astype(numpy.float32), spread[which])
        noise = 0.25 * draw.normal(size=(size, DIMENSIONS)).astype(numpy.float32)
        parts.append(_unit(centres[which].astype(numpy.float32) + inside + noise))
    points = numpy.concatenate(parts)
    return points[:count], points[count:]


def soft(count: int, *, seed: int, queries: int = 0) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Each point a blend of three of 2,000 topics; unit length."""
    topics = _unit(numpy.random.default_rng(8).normal(size=(2_000, DIMENSIONS)).astype(numpy.float32))
    draw = numpy.random.default_rng(seed)
    total = count + queries
    chosen = draw.integers(0, len(topics), (total, 3))
    shares = draw.uniform(0.3, 1.0, (total, 3, 1)).astype(numpy.float32)
    noise = draw.normal(size=(total, DIMENSIONS)).astype(numpy.float32) * (0.15 / DIMENSIONS**0.5)
    points = _unit((topics[chosen] * shares).sum(axis=1) + noise)
    return points[:count], points[count:]


def _unit(points: numpy.ndarray) -> numpy.ndarray:
    return (points / numpy.linalg.norm(points, axis=1, keepdims=True)).astype(numpy.float32)


def nearest(points: numpy.ndarray, queries: numpy.ndarray, k: int, allowed: numpy.ndarray | None = None) -> list[set[int]]:
    """The k nearest of each query by brute force, among the allowed."""
    found = []
    for query in queries:
        similarity = points @ query
        if allowed is not None:
            similarity = numpy.where(allowed, similarity, -2)
        found.append(set(numpy.argpartition(-similarity, k)[:k].tolist()))
    return found


def copy_vectors(table: str, ids: Sequence[Any], points: numpy.ndarray) -> None:
    """COPY (id, halfvec) in PostgreSQL's binary form into a table of two columns; ids are integers or UUIDs."""
    by_uuid = bool(len(ids)) and isinstance(ids[0], uuid.UUID)
    key: Any = ("key", "V16") if by_uuid else ("key", ">i8")
    row = numpy.dtype([("n", ">i2"), ("a", ">i4"), key, ("b", ">i4"), ("dim", ">i2"), ("unused", ">i2"), ("v", ">f2", (points.shape[1],))])
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\x00" + bytes(8))
        for start in range(0, len(points), _CHUNK):
            part = points[start : start + _CHUNK]
            rows = numpy.zeros(len(part), dtype=row)
            rows["n"], rows["a"], rows["b"], rows["dim"] = 2, 16 if by_uuid else 8, 4 + 2 * points.shape[1], points.shape[1]
            keys = ids[start : start + _CHUNK]
            rows["key"] = numpy.array([key.bytes for key in keys], dtype="V16") if by_uuid else numpy.asarray(keys)
            rows["v"] = part
            copy.write(rows.tobytes())
        copy.write(b"\xff\xff")


def read_vectors(table: str, column: str, where: str = "true") -> tuple[list[uuid.UUID], numpy.ndarray]:
    """Ids and vectors of a table, in the order of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {column}::text FROM {table} WHERE {where} AND {column} IS NOT NULL ORDER BY id")
        rows = cursor.fetchall()
    text = io.StringIO("\n".join(vector[1:-1] for _, vector in rows))
    return [key for key, _ in rows], numpy.loadtxt(text, delimiter=",", dtype=numpy.float32)
