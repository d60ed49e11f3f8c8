#!/usr/bin/env python3
"""How fast files are read from the disk and from the system's cache: `disk.py FOLDER OUT`.

The files are written out and dropped from the cache before, so that the disk has to answer, and again afterwards, so that
whoever comes next finds them there too. `--self-test` tests this program.
"""

import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import time

READERS = 8
PIECE = 8 << 20
# Of a large model so many bytes tell the rate.
MOST = 6 << 30


def dropped(paths):
    """Takes the files out of the system's cache, as far as it lets go of them."""
    for path in paths:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read(paths, most):
    """Bytes and seconds of reading the files with several threads, each into memory of its own."""
    pieces, left = [], most
    for path in paths:
        size = min(path.stat().st_size, left)
        left -= size
        pieces += [(path, start, min(PIECE, size - start)) for start in range(0, size, PIECE)]
    files = {path: os.open(path, os.O_RDONLY) for path in paths}
    def one(piece):
        path, start, length = piece
        done = 0
        while done < length:
            got = len(os.pread(files[path], length - done, start + done))
            if got == 0:
                raise EOFError(f"{path} is shorter than it was")
            done += got
        return done
    try:
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
            total = sum(readers.map(one, pieces))
        return total, time.monotonic() - begin
    finally:
        for file in files.values():
            os.close(file)


def measured(folder, most=MOST):
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise FileNotFoundError(f"{folder} has no *.safetensors")
    dropped(paths)
    size, cold = read(paths, most)
    _, warm = read(paths, most)
    dropped(paths)
    return {"schema": "llama.disk", "version": 1, "bytes": size, "readers": READERS,
            "disk_bytes_per_second": size / cold, "cache_bytes_per_second": size / warm}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "a.safetensors").write_bytes(os.urandom(PIECE + 5))
        (folder / "b.safetensors").write_bytes(os.urandom(3))
        (folder / "c.txt").write_bytes(b"not read")
        found = measured(folder)
        assert found["bytes"] == PIECE + 8 and found["disk_bytes_per_second"] > 0, found
        assert measured(folder, PIECE)["bytes"] == PIECE
        try:
            measured(folder / "nothing")
        except FileNotFoundError:
            print("passed")
            return 0
    raise AssertionError("a folder without weights was measured")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 3:
        print("usage: disk.py FOLDER OUT | --self-test", file=sys.stderr)
        return 2
    found = measured(pathlib.Path(sys.argv[1]))
    print(json.dumps(found))
    pathlib.Path(sys.argv[2]).write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
