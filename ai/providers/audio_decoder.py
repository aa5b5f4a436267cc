"""The script that decodes an untrusted recording: bytes in, samples out. Run by `ai.providers.audio` in a limited child process.

Called as `audio_decoder.py KIND MOST_SECONDS`. Exit status: 0 done, 3 not readable, 4 too long.
"""

from __future__ import annotations

import io
import sys

import av

_RATE = 16_000


def main(kind: str, most_seconds: int) -> int:
    av.logging.set_level(None)
    left = most_seconds * _RATE * 2
    try:
        with av.open(io.BytesIO(sys.stdin.buffer.read()), mode="r", format=kind) as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
            for frame in container.decode(audio=0):
                for part in resampler.resample(frame):
                    samples = part.to_ndarray().tobytes()
                    left -= len(samples)
                    if left < 0:
                        return 4
                    sys.stdout.buffer.write(samples)
    except (av.FFmpegError, IndexError, ValueError, MemoryError, OverflowError):
        # What was read before a file breaks off is still what somebody said.
        return 0 if left < most_seconds * _RATE * 2 else 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
