"""Reads what Keepwell stores, from its description alone: docs/storage-format.md. Shares no code with Keepwell.

`keepwell_verify.py vectors` uses it to open the committed test vectors. Whoever writes another reader may start here.
Needs the packages `cryptography` (44 or later) and `zstandard`.
"""

import base64
import hashlib
import hmac
import json
import struct
from pathlib import Path

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# SHA-256 of each dictionary (section "Dictionaries").
DICTIONARIES = {1: "a416f0d08f8e96769044fff88d99e7111f903cde906ad2cbd13da9de857b8e26"}
STREAMS = {1: "care", 2: "access"}
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
NEVER = 2**63 - 1


class Damaged(Exception):
    """Something is not as the format says; the text says what, in plain words."""


def must(condition, words):
    if not condition:
        raise Damaged(words)


def sha256(data):
    return hashlib.sha256(data).digest()


# ---------------------------------------------------------------------------------------------------------------------
# Conventions: numbers, texts, ids, sums, seals, compression


class Reader:
    """Reads numbers and length-prefixed bytes and never goes past the end."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def take(self, length):
        must(self.at + length <= len(self.data), f"{self.what} ends too early")
        self.at += length
        return self.data[self.at - length : self.at]

    def byte(self):
        return self.take(1)[0]

    def number(self):
        n = 0
        for shift in range(0, 64, 7):
            byte = self.byte()
            n |= (byte & 0x7F) << shift
            if byte < 0x80:
                must(n < 2**64, f"a number in {self.what} is too large")
                return n
        raise Damaged(f"a number in {self.what} is too long")

    def bytes(self):
        return self.take(self.number())

    def text(self):
        try:
            return self.bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise Damaged(f"a text in {self.what} is not UTF-8") from None

    def signed(self):
        n = self.number()
        return n >> 1 ^ -(n & 1)

    def one_of(self, choices):
        n = self.number()
        must(n < len(choices), f"{self.what} names something that it does not list")
        return choices[n]

    def json(self):
        try:
            return json.loads(self.bytes())
        except ValueError:
            raise Damaged(f"{self.what} holds malformed JSON") from None

    def end(self):
        must(self.at == len(self.data), f"{self.what} is longer than it says")


def record_bytes(text):
    must(len(text) == 16 and set(text) <= set(ALPHABET), "a record id is malformed")
    n = 0
    for symbol in text:
        n = n << 5 | ALPHABET.index(symbol)
    return n.to_bytes(10, "big")


def record_text(data):
    n = int.from_bytes(data, "big")
    return "".join(ALPHABET[n >> shift & 31] for shift in range(75, -1, -5))


def keyed_sum(key, *parts):
    """HMAC-SHA-256 over the parts, each preceded by its length in eight bytes."""
    return hmac.new(key, b"".join(struct.pack(">Q", len(part)) + part for part in parts), "sha256").digest()


def unseal(key, nonce, aad, sealed, what):
    must(len(sealed) > 16, f"{what} is too short")
    try:
        return AESGCMSIV(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Damaged(f"the seal of {what} does not hold") from None


def unseal_with_nonce(key, aad, data, what):
    return unseal(key, data[:12], aad, data[12:], what)


class Zstd:
    """Decompresses frames with the dictionaries of a folder."""

    def __init__(self, folder):
        self.folder, self.known, self.used = Path(folder), {0: zstandard.ZstdDecompressor()}, set()

    def decompress(self, number, data, length, what):
        if number not in self.known:
            must(number in DICTIONARIES, f"{what} uses dictionary {number}, which is not known")
            dictionary = (self.folder / f"{number}.zdict").read_bytes()
            must(sha256(dictionary).hex() == DICTIONARIES[number], f"dictionary {number} is not the released one")
            self.known[number] = zstandard.ZstdDecompressor(zstandard.ZstdCompressionDict(dictionary))
        self.used.add(number)
        try:
            # With no length in the frame, a limit of 0 would mean none.
            plain = self.known[number].decompress(data, max_output_size=max(length, 1), allow_extra_data=False)
        except zstandard.ZstdError:
            raise Damaged(f"{what} does not decompress") from None
        must(len(plain) == length, f"{what} has another length than it says")
        return plain


# ---------------------------------------------------------------------------------------------------------------------
# Keys


def key_line(data, prefix):
    """The 32 bytes of a line `prefix:` and 43 characters of base64url."""
    text = data.decode("ascii", "replace").strip()
    must(text.startswith(prefix) and len(text) == len(prefix) + 43, f"the key line does not start with {prefix}")
    try:
        key = base64.urlsafe_b64decode(text[len(prefix) :] + "=")
    except ValueError:
        raise Damaged("the key line is not base64url") from None
    line = prefix + base64.urlsafe_b64encode(key).decode().rstrip("=") + "\n"
    must(data == line.encode(), "the key line is not in its one spelling")
    return key


def root_id(key):
    return sha256(b"keepwell root key id" + key)[:8]


class TenantKeys:
    def __init__(self, tenant, root, wrapped):
        self.tenant = tenant
        must(wrapped[:8] == root_id(root), "the tenant's keys are wrapped by another root key")
        aad = b"KWT1" + struct.pack(">I", tenant) + wrapped[:8]
        reader = Reader(unseal_with_nonce(root, aad, wrapped[8:], "the tenant's keys"), "the tenant's keys")
        self.wrapping = {}
        for _ in range(reader.number()):
            version = struct.unpack(">I", reader.take(4))[0]
            self.wrapping[version] = reader.take(32)
        must(self.wrapping, "the tenant has no wrapping key")
        self.index, self.side, self.log_seed = reader.take(32), reader.take(32), reader.take(32)
        self.directory = record_text(reader.take(10))
        reader.end()

    def record_keys(self, record, wrapped):
        version = int.from_bytes(wrapped[:4], "big")
        must(version in self.wrapping, "the record's keys are wrapped by an unknown key")
        aad = b"KWR1" + struct.pack(">I", self.tenant) + record_bytes(record) + wrapped[:4]
        return RecordKeys(unseal_with_nonce(self.wrapping[version], aad, wrapped[4:], "the record's keys"))

    def blind(self, *parts):
        return keyed_sum(self.index, *parts)

    def open_side(self, table, index, expires, sealed, what):
        aad = b"KWS1" + struct.pack(">IB", self.tenant, table) + index + struct.pack(">q", expires)
        return unseal_with_nonce(self.side, aad, sealed, what)

    def log_key(self):
        """The verifier key of the log (signed-note): the name is made from the public key."""
        public = Ed25519PrivateKey.from_private_bytes(self.log_seed).public_key()
        data = b"\x01" + public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        name = "keepwell/" + sha256(data[1:])[:8].hex()
        key_id = sha256(name.encode() + b"\n" + data)[:4].hex()
        return f"{name}+{key_id}+{base64.b64encode(data).decode()}"


class RecordKeys:
    def __init__(self, data):
        reader = Reader(data, "the record's keys")
        self.versions = {}
        for _ in range(reader.number()):
            version = struct.unpack(">H", reader.take(2))[0]
            self.versions[version] = reader.take(32)
        reader.end()
        must(self.versions, "the record has no data key")
        self.head = keyed_sum(next(iter(self.versions.values())), b"keepwell head")

    def head_tag(self, stream, seq, block_hash, next_number):
        numbers = struct.pack(">Q", seq), block_hash, struct.pack(">I", next_number)
        return keyed_sum(self.head, bytes([stream]), *numbers)[:16]


# ---------------------------------------------------------------------------------------------------------------------
# Blocks


class Block:
    """A block, opened; everything in it that can be checked without its neighbours is checked."""

    HEADER = struct.Struct(">4sBBHI10sHQq32sII12s")

    def __init__(self, data, keys, zstd):
        must(len(data) > 92, "the block ends inside its header")
        fields = self.HEADER.unpack(data[:92])
        (magic, self.stream, reserved, self.dictionary, self.tenant, record, self.key_version, self.seq) = fields[:8]
        (self.time, self.previous, self.next_number, count, nonce) = fields[8:]
        must(magic == b"KWB1" and reserved == 0 and self.stream in STREAMS, "the block's header is of another format")
        self.record, self.hash, self.frames = record_text(record), sha256(data), []
        must(self.key_version in keys.versions, "the block is sealed by an unknown data key")
        at, low = 92, int.from_bytes(nonce[8:], "big")
        while at < len(data):
            must(at + 8 <= len(data), "a frame of the block is cut")
            plain, sealed = struct.unpack(">II", data[at : at + 8])
            must(at + 8 + sealed <= len(data), "a frame of the block is cut")
            number = len(self.frames)
            aad = data[:92] + struct.pack(">II", number, plain)
            frame_nonce = nonce[:8] + struct.pack(">I", (low + number) % 2**32)
            body = data[at + 8 : at + 8 + sealed]
            body = unseal(keys.versions[self.key_version], frame_nonce, aad, body, "a frame of the block")
            self.frames.append(zstd.decompress(self.dictionary, body, plain, "a frame of the block"))
            at += 8 + sealed
        must(self.frames and len(self.frames) == count, "the block has another number of frames than it says")
        self.read_table()

    def read_table(self):
        reader = Reader(self.frames[0], "the block's table")
        self.author = reader.json()
        kinds = [reader.text() for _ in range(reader.number())]
        sources = [(reader.text(), reader.text()) for _ in range(reader.number())]
        self.attach, self.detach = ([(reader.text(), reader.text()) for _ in range(reader.number())] for _ in range(2))
        self.entries, new = [], 0
        for _ in range(reader.number()):
            flags, labels = reader.byte(), reader.byte()
            must(flags < 8 and 0 < labels < 32, "an entry of the block has unknown flags or labels")
            number = None if flags & 1 else reader.number()
            new += flags & 1
            entry = {"number": number, "kind": reader.one_of(kinds), "labels": labels, "source": None, "body": None}
            if flags & 4:
                entry["source"] = [*reader.one_of(sources), reader.text()]
            if flags & 2:
                entry["body"] = reader.number()
            self.entries.append(entry)
        groups = [reader.number() for _ in range(reader.number())]
        must(len(groups) == len(self.frames), "the block's bodies are in other frames than it says")
        following = self.next_number - new
        with_body = iter([entry for entry in self.entries if entry["body"] is not None])
        for frame, group in enumerate(groups):
            at = reader.at if frame == 0 else 0
            for _ in range(group):
                entry = next(with_body, None)
                must(entry, "the block has fewer bodies than it says")
                entry["frame"], entry["offset"] = frame, at
                at += entry["body"]
                entry["body"] = self.frames[frame][at - entry["body"] : at]
            must(at == len(self.frames[frame]), "a frame of the block is not filled by its bodies")
        must(next(with_body, None) is None, "the block has more bodies than it says")
        for entry in self.entries:
            if entry["number"] is None:
                entry["number"], following = following, following + 1
            must(0 < entry["number"] < self.next_number, "an entry of the block has an impossible number")


def follow(blocks, record, stream):
    """Checks that opened blocks are the whole chain of a stream; gives the state they lead to, by entry number, and the
    aliases that lead to the record."""
    previous, following, state, aliases = bytes(32), 1, {}, set()
    for seq, block in enumerate(blocks, 1):
        place = (block.record, STREAMS[block.stream], block.seq)
        must(place == (record, stream, seq), f"block {seq} of {stream} belongs elsewhere")
        must(block.previous == previous, f"block {seq} of {stream} does not follow the block before it")
        for entry in block.entries:
            number = entry["number"]
            must(number <= following, f"the entries of block {seq} have a gap")
            following = max(following, number + 1)
            before = state.get(number, {})
            source = entry["source"] or before.get("source")
            state[number] = {**entry, "source": source, "version": seq, "time": block.time}
        must(following == block.next_number, f"the entries of block {seq} are numbered otherwise than it says")
        aliases = aliases - set(block.detach) | set(block.attach)
        previous = block.hash
    return state, aliases


# ---------------------------------------------------------------------------------------------------------------------
# Snapshots and archives


def snapshot_part(data, part, tenant, record, stream, keys, zstd):
    """Opens one part; gives the head it was taken at and its plain content."""
    must(len(data) > 68 and data[:4] == b"KWX1", "the snapshot part is of another format")
    version, dictionary, length, number, seq = struct.unpack(">HHIIQ", data[4:24])
    must(number == part, "the snapshot part has another number")
    must(version in keys.versions, "the snapshot part is sealed by an unknown data key")
    aad = data[:68] + struct.pack(">I", tenant) + record_bytes(record) + bytes([stream])
    plain = unseal(keys.versions[version], data[56:68], aad, data[68:], "a snapshot part")
    return seq, data[24:56], zstd.decompress(dictionary, plain, length, "a snapshot part")


def snapshot_index(plain):
    """The current entries by number, and where bodies lie: `(part, its tag)` or `(seq, frame)`."""
    reader = Reader(plain, "the snapshot's index")
    next_part = reader.number()
    kinds = [reader.text() for _ in range(reader.number())]
    sources = [(reader.text(), reader.text()) for _ in range(reader.number())]
    segments = []
    for _ in range(reader.number()):
        seq, number = reader.number(), reader.number()
        tag = reader.take(16) if seq == 0 else None
        must(seq or 0 < number < next_part, "the snapshot's index names an impossible part")
        segments.append({"seq": seq, "number": number, "tag": tag, "length": reader.number()})
    rows, version, time = {}, 0, 0
    for number in range(1, reader.number() + 1):
        flags, labels, kind = reader.byte(), reader.byte(), reader.one_of(kinds)
        must(flags < 4 and 0 < labels < 32, "an entry of the snapshot has unknown flags or labels")
        version, time = version + reader.signed(), time + reader.signed()
        row = {"kind": kind, "labels": labels, "version": version, "time": time, "source": None, "place": None}
        if flags & 2:
            row["source"] = [*reader.one_of(sources), reader.text()]
        if not flags & 1:
            row["place"] = reader.one_of(segments), reader.number(), reader.number()
        rows[number] = row
    reader.end()
    return rows


def read_archive(data, key):
    must(data[:4] == b"KWA1", "the archive is of another format")
    reader = Reader(unseal_with_nonce(key, b"KWA1", data[4:], "the archive"), "the archive")
    info, keys = reader.json(), RecordKeys(reader.bytes())
    care, access, proofs = ([reader.bytes() for _ in range(reader.number())] for _ in range(3))
    reader.end()
    return info, keys, care, access, proofs
