"""A closed loop of clients on kept-alive connections, in a process of its own: `python -m benchmarks.load PORT PATH CLIENTS SECONDS`, with
one token a line on its standard input. Prints requests, and the latencies in milliseconds of all of them, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop


async def client(port: int, requests: list[bytes], start: int, until: float, taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = start
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(requests[number % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:20]:
            raise RuntimeError((head + await reader.read(500)).decode(errors="replace"))
        lower = head.lower()
        if b"content-length:" in lower:
            await reader.readexactly(int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        else:
            await reader.readuntil(b"0\r\n\r\n")
        taken.append((time.perf_counter() - began) * 1000)
        number += 7
    writer.close()


async def run(port: int, path: str, clients: int, seconds: float, tokens: list[str]) -> None:
    requests = [f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n".encode() for token in tokens]
    taken: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client(port, requests, number * 3, until, taken) for number in range(clients)))
    print(json.dumps({"requests": len(taken), "latencies": [round(value, 2) for value in taken]}))


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.stdin.read().split()))
