"""What verify asks of a Mach-O file: its architecture, the libraries it loads,
the oldest macOS it states, and whether its ad-hoc code signature holds.

Invariant: read from the bytes alone; every page is hashed again here, by none of
the code that signed it.
"""
import hashlib
import struct

ARCHITECTURES = {0x0100000C: "aarch64", 0x01000007: "x86_64"}
LOADS_LIBRARY = {0xC, 0x18, 0x1F, 0x20, 0x23}
LC_CODE_SIGNATURE, LC_VERSION_MIN_MACOSX, LC_BUILD_VERSION = 0x1D, 0x24, 0x32
SUPERBLOB, CODE_DIRECTORY = 0xFADE0CC0, 0xFADE0C02
AD_HOC, SHA256 = 0x2, 2


class MachO:
    def __init__(self, data):
        self.data = data
        if data[:4] != b"\xcf\xfa\xed\xfe":
            raise ValueError("not a 64-bit Mach-O file")
        cpu, _, kind, count = struct.unpack_from("<IIII", data, 4)
        if kind != 2:
            raise ValueError(f"not a program (Mach-O type {kind})")
        self.architecture = ARCHITECTURES.get(cpu, f"cpu {cpu:#x}")
        self.libraries, self.oldest_macos, self.signature = [], None, None
        at = 32
        for _ in range(count):
            command, size = struct.unpack_from("<II", data, at)
            command &= 0x7FFFFFFF
            if command in LOADS_LIBRARY:
                name = at + struct.unpack_from("<I", data, at + 8)[0]
                self.libraries.append(data[name:at + size].split(b"\0")[0].decode(errors="replace"))
            elif command == LC_CODE_SIGNATURE:
                self.signature = struct.unpack_from("<II", data, at + 8)
            elif command == LC_BUILD_VERSION and struct.unpack_from("<I", data, at + 8)[0] == 1:
                self.oldest_macos = version(struct.unpack_from("<I", data, at + 12)[0])
            elif command == LC_VERSION_MIN_MACOSX:
                self.oldest_macos = version(struct.unpack_from("<I", data, at + 8)[0])
            at += size

    def signature_problem(self):
        """None when every page of the file has the hash that the signature states."""
        if self.signature is None:
            return "no code signature"
        start, length = self.signature
        magic, size, blobs = struct.unpack_from(">III", self.data, start)
        if magic != SUPERBLOB or size > length or start + length != len(self.data):
            return "the code signature is not one, or not at the end of the file"
        entries = [struct.unpack_from(">II", self.data, start + 12 + 8 * blob) for blob in range(blobs)]
        directory = next((start + offset for slot, offset in entries if slot == 0), None)
        if directory is None:
            return "the code signature has no code directory"
        (magic, _, _, flags, hashes, _, _, pages, limit, hash_size, hash_type, _,
         page_bits) = struct.unpack_from(">9I4B", self.data, directory)
        if magic != CODE_DIRECTORY or not flags & AD_HOC:
            return "the code signature is not an ad-hoc one"
        if (hash_type, hash_size) != (SHA256, 32):
            return "the code signature does not use SHA-256"
        if limit != start:
            return f"the code signature covers {limit} bytes of {start}"
        page = 1 << page_bits
        if pages != -(-limit // page):
            return f"the code signature has {pages} pages for {limit} bytes"
        for index in range(pages):
            content = self.data[index * page:min((index + 1) * page, limit)]
            stated = directory + hashes + 32 * index
            if hashlib.sha256(content).digest() != self.data[stated:stated + 32]:
                return f"page {index} of the file does not have the hash that its code signature states"
        return None


def version(packed):
    return f"{packed >> 16}.{packed >> 8 & 0xFF}"
