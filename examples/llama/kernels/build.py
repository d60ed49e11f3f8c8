#!/usr/bin/env python3
"""Makes the .ptx files beside the .cu files, with NVRTC and without the CUDA toolkit or a GPU.

    pip install nvidia-cuda-nvrtc-cu12==12.0.140
    python3 build.py [NAME ...]      rewrites NAME.ptx, without names all of them
    python3 build.py --check         compares instead; 1 if one differs, 3 without that NVRTC

The compiler is an old one on purpose. Its PTX says ".version 8.0", which every driver from 525 on can load; that of
NVRTC 13.0 says 9.0, which a driver before 580 refuses, although the kernels use nothing newer than PTX 7.0.
"""
import argparse
import ctypes
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WHEEL = "nvidia-cuda-nvrtc-cu12==12.0.140"
RELEASE = (12, 0)
# The macro is the include guard of a header that NVRTC reads by itself and that would leave 38 unused variables in the
# PTX.
OPTIONS = ["--gpu-architecture=compute_80", "--std=c++17", "--define-macro=__NV_TARGET_H"]
NO_COMPILER = 3


def fingerprint(sources):
    """FNV-1a, 64 bits, over the sources: lets a test see a stale PTX without the compiler."""
    value = 0xCBF29CE484222325
    for byte in b"".join(sources):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def read(name):
    with open(os.path.join(HERE, name), "rb") as file:
        return file.read()


def nvrtc():
    """The library of the wheel in this Python's path, or in a folder given to `pip install --target`."""
    for folder in [*os.environ.get("NVRTC_PATH", "").split(os.pathsep), *sys.path]:
        for path in glob.glob(os.path.join(folder or ".", "nvidia", "cuda_nvrtc", "lib", "libnvrtc.so.12")):
            # It finds its builtins by name only.
            for builtins in glob.glob(os.path.join(os.path.dirname(path), "libnvrtc-builtins.so.*")):
                ctypes.CDLL(builtins, mode=ctypes.RTLD_GLOBAL)
            library = ctypes.CDLL(path)
            major, minor = ctypes.c_int(), ctypes.c_int()
            library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
            if (major.value, minor.value) == RELEASE:
                return library
    return None


def compile_ptx(library, name):
    """The PTX of NAME.cu as bytes, headed by where it comes from."""
    headers = sorted(os.path.basename(path) for path in glob.glob(os.path.join(HERE, "*.cuh")))
    source = read(name + ".cu")
    contents = [read(header) for header in headers]
    program = ctypes.c_void_p()

    def check(status, what):
        if status != 0:
            size = ctypes.c_size_t()
            library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
            log = ctypes.create_string_buffer(size.value)
            library.nvrtcGetProgramLog(program, log)
            sys.exit(f"{name}.cu: {what}: NVRTC error {status}\n{log.value.decode()}")

    texts = ctypes.c_char_p * len(headers)
    check(
        library.nvrtcCreateProgram(
            ctypes.byref(program),
            source,
            (name + ".cu").encode(),
            len(headers),
            texts(*contents),
            texts(*(header.encode() for header in headers)),
        ),
        "create",
    )
    options = (ctypes.c_char_p * len(OPTIONS))(*(option.encode() for option in OPTIONS))
    check(library.nvrtcCompileProgram(program, len(OPTIONS), options), "compile")
    size = ctypes.c_size_t()
    check(library.nvrtcGetPTXSize(program, ctypes.byref(size)), "size")
    ptx = ctypes.create_string_buffer(size.value)
    check(library.nvrtcGetPTX(program, ptx), "get")
    library.nvrtcDestroyProgram(ctypes.byref(program))
    head = f"// From {name}.cu by build.py with {WHEEL}, {' '.join(OPTIONS)}\n"
    head += f"// Sources {fingerprint([source, *contents])}\n"
    return head.encode() + ptx.value.rstrip(b"\n") + b"\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*", metavar="NAME", help="a .cu file without its ending")
    arguments.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    options = arguments.parse_args()

    library = nvrtc()
    if library is None:
        print(f"no NVRTC {RELEASE[0]}.{RELEASE[1]}: pip install {WHEEL},", file=sys.stderr)
        print("or name the folder of pip install --target in NVRTC_PATH", file=sys.stderr)
        sys.exit(NO_COMPILER)
    every = sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(HERE, "*.cu")))
    different = []
    for name in options.names or every:
        if name not in every:
            sys.exit(f"no {name}.cu here; there are {', '.join(every)}")
        ptx = compile_ptx(library, name)
        target = os.path.join(HERE, name + ".ptx")
        if not options.check:
            with open(target, "wb") as file:
                file.write(ptx)
        elif not os.path.exists(target) or read(name + ".ptx") != ptx:
            different.append(name)
    if different:
        sys.exit(f"not what the sources compile to: {', '.join(different)}; run build.py")


if __name__ == "__main__":
    main()
