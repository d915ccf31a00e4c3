"""What verify asks of an ELF file: its machine and that it is fully static.

Invariant: read from the bytes alone; no tool of the build is trusted.
"""
import struct

MACHINES = {62: "x86_64", 183: "aarch64"}
PT_DYNAMIC, PT_INTERP = 2, 3
DT_NEEDED = 1


def describe(data):
    """Returns (architecture, problem); problem is None for a static program."""
    if data[:6] != b"\x7fELF\x02\x01":
        return None, "not a 64-bit little-endian ELF file"
    kind, machine = struct.unpack_from("<HH", data, 16)
    architecture = MACHINES.get(machine, f"machine {machine}")
    if kind not in (2, 3):
        return architecture, f"not a program (ELF type {kind})"
    table, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for index in range(count):
        segment, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", data, table + index * size)
        if segment == PT_INTERP:
            interpreter = data[offset:offset + length].rstrip(b"\0").decode(errors="replace")
            return architecture, f"dynamically linked: asks for the interpreter {interpreter}"
        if segment == PT_DYNAMIC:
            for at in range(offset, offset + length - 15, 16):
                tag, = struct.unpack_from("<Q", data, at)
                if tag == DT_NEEDED:
                    return architecture, "dynamically linked: it needs a shared library"
    return architecture, None
