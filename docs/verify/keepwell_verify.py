#!/usr/bin/env python3
"""Checks Keepwell's proofs without Keepwell.

This program shares no code with Keepwell. It was written from the public specifications it names, so that whoever
doubts the one can use the other:

    keepwell_verify.py proof BLOCK PROOF --key KEY    is this block in the log?
    keepwell_verify.py log DIR --key KEY              do these tiles give the root that the log signed?
    keepwell_verify.py vectors DIR                    do the committed test vectors hold?

BLOCK is a block as it is stored (header and sealed body), PROOF a file of the form c2sp.org/tlog-proof, DIR a folder
with the paths that a log serves (c2sp.org/tlog-tiles). KEY is a verifier key `name+id+key`, or a file that holds one;
get it from somewhere else than the proof. With --witness KEY (as often as needed) and --quorum N, N of these witnesses
must have cosigned. Exit status: 0 it holds, 1 it does not, 2 the command line is wrong.

Needs Python 3.9 or later and the package `cryptography`; `vectors` also needs `zstandard`.
"""

import argparse
import base64
import hashlib
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG_KEY, WITNESS_KEY = 0x01, 0x04
MAX_SIZE = 2**63 - 1
DICTIONARIES = Path(__file__).resolve().parents[2] / "crates/record/dictionary"


class Failed(Exception):
    """Something does not hold; the text says what, in plain words."""


def must(condition, words):
    if not condition:
        raise Failed(words)


def sha256(data):
    return hashlib.sha256(data).digest()


# ---------------------------------------------------------------------------------------------------------------------
# The hash tree: RFC 6962 section 2.1


def leaf_hash(entry):
    return sha256(b"\x00" + entry)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def tree_root(leaves):
    """MTH of RFC 6962: split at the largest power of two below the size."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(tree_root(leaves[:k]), tree_root(leaves[k:]))


def root_from_path(leaf, index, size, path):
    """The root that an inclusion proof leads to (RFC 6962 section 2.1.1), the definition read from the top down."""
    must(0 <= index < size, f"entry {index} is not in a log of {size} entries")
    if size == 1:
        must(not path, "the proof is too long for the size of the log")
        return leaf
    must(path, "the proof is too short for the size of the log")
    k = 1 << ((size - 1).bit_length() - 1)
    if index < k:
        return node_hash(root_from_path(leaf, index, k, path[:-1]), path[-1])
    return node_hash(path[-1], root_from_path(leaf, index - k, size - k, path[:-1]))


# ---------------------------------------------------------------------------------------------------------------------
# Signed notes, checkpoints and cosignatures: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature


def decode_base64(text, what):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Failed(f"{what} is not base64") from None
    must(base64.b64encode(data).decode() == text, f"{what} is not base64 in its one spelling")
    return data


def decode_hash(text):
    data = decode_base64(text, "a hash")
    must(len(data) == 32, "a hash has the wrong length")
    return data


def decode_number(text, what):
    must(re.fullmatch(r"0|[1-9][0-9]{0,18}", text) and int(text) <= MAX_SIZE, f"{what} is not a number")
    return int(text)


def is_key_name(name):
    return bool(name) and not any(c.isspace() or c == "+" or c < " " for c in name)


class Key:
    """A verifier key: name+id+key."""

    def __init__(self, text, kind):
        parts = text.strip().split("+", 2)
        must(len(parts) == 3 and is_key_name(parts[0]), "a verifier key has the form name+id+key")
        self.name, public = parts[0], decode_base64(parts[2], "the verifier key")
        must(len(public) == 33 and public[0] == kind, "the verifier key is of another kind")
        self.id = sha256(self.name.encode() + b"\n" + public)[:4]
        must(self.id.hex() == parts[1], "the verifier key is mistyped: its id does not belong to it")
        self.public = Ed25519PublicKey.from_public_bytes(public[1:])

    def claims(self, line):
        return (self.name, self.id) == line[:2]

    def check(self, signature, message):
        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            raise Failed(f"the signature of {self.name} is false") from None


def read_note(data):
    """Text and signature lines (name, id, signature) of a note; nothing is verified yet."""
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Failed("the note is not UTF-8") from None
    must(not any(c < " " and c != "\n" for c in note), "the note holds a control character")
    blank = note.rfind("\n\n")
    must(blank >= 0 and note.endswith("\n") and len(note) > blank + 2, "the note is incomplete")
    text, lines = note[: blank + 1], []
    for line in note[blank + 2 : -1].split("\n"):
        match = re.fullmatch("\u2014 ([^ ]+) ([^ ]+)", line)
        must(match and is_key_name(match[1]), "a signature line of the note is malformed")
        signature = decode_base64(match[2], "a signature")
        must(len(signature) > 4, "a signature line of the note is malformed")
        lines.append((match[1], signature[:4], signature[4:]))
    must(len(lines) <= 32, "the note has too many signatures")
    return text, lines


class Checkpoint:
    """A checkpoint that the log signed, and the witnesses known to us who cosigned it with their latest time."""

    def __init__(self, data, log_key, witnesses):
        text, lines = read_note(data)
        body = text[:-1].split("\n")
        must(len(body) >= 3 and all(body), "the signed text is not a checkpoint")
        self.origin = body[0]
        self.size = decode_number(body[1], "the size in the checkpoint")
        self.root = decode_hash(body[2])
        must(self.origin == log_key.name, f"the checkpoint is of another log, {self.origin}")
        signed = [line for line in lines if log_key.claims(line)]
        must(signed, "the checkpoint bears no signature of the log")
        for line in signed:
            log_key.check(line[2], text.encode())
        self.cosigned = {}
        for witness in witnesses:
            for _, _, signature in filter(witness.claims, lines):
                seconds = int.from_bytes(signature[:8], "big")
                must(len(signature) == 72 and seconds <= MAX_SIZE, f"the cosignature of {witness.name} is malformed")
                witness.check(signature[8:], f"cosignature/v1\ntime {seconds}\n{text}".encode())
                name = (witness.name, witness.id)
                self.cosigned[name] = max(seconds, self.cosigned.get(name, 0))

    def require(self, quorum):
        must(len(self.cosigned) >= quorum, f"{len(self.cosigned)} known witnesses cosigned, {quorum} are wanted")

    def __str__(self):
        names = ", ".join(name for name, _ in self.cosigned) or "no known witness"
        return f"{self.origin}, {self.size} entries, cosigned by {names}"


# ---------------------------------------------------------------------------------------------------------------------
# Job 1: a proof file (c2sp.org/tlog-proof)


def verify_proof(block, proof, log_key, witnesses=(), quorum=0):
    """Checks that the block is in the log; returns its index and the checkpoint."""
    head, blank, checkpoint = proof.partition(b"\n\n")
    must(blank, "the proof is incomplete")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Failed("the file is not a proof") from None
    must(lines.pop(0) == "c2sp.org/tlog-proof@v1", "the file is not a proof")
    block_hash = sha256(block)
    if lines and lines[0].startswith("extra "):
        # Nobody signed this line: it can only help to say what is wrong.
        must(decode_hash(lines.pop(0)[6:]) == block_hash, "the proof is for another block")
    must(lines and lines[0].startswith("index "), "the proof names no index")
    index = decode_number(lines.pop(0)[6:], "the index in the proof")
    must(len(lines) <= 63, "the proof is too long")
    path = [decode_hash(line) for line in lines]
    checkpoint = Checkpoint(checkpoint, log_key, witnesses)
    root = root_from_path(leaf_hash(block_hash), index, checkpoint.size, path)
    must(root == checkpoint.root, "the proof does not lead to the root that the log signed")
    checkpoint.require(quorum)
    return index, checkpoint


# ---------------------------------------------------------------------------------------------------------------------
# Job 2: a whole log (c2sp.org/tlog-tiles)


def tile_path(kind, index, width):
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join(["tile", str(kind)] + ["x" + group for group in groups[:-1]] + [groups[-1]])
    return path if width == 256 else f"{path}.p/{width}"


def read_tile(folder, kind, index, width, hash_bytes):
    """A tile's bytes; a full tile serves for the partial one that it was."""
    for path in (folder / tile_path(kind, index, width), folder / tile_path(kind, index, 256)):
        if path.is_file():
            data = path.read_bytes()
            right = len(data) == 256 * hash_bytes if path.parent.suffix != ".p" else len(data) == width * hash_bytes
            must(right, f"{path} has the wrong length")
            return data[: width * hash_bytes]
    raise Failed(f"{folder / tile_path(kind, index, width)} is missing")


def verify_log(folder, log_key, witnesses=(), quorum=0, since=None):
    """Recomputes the whole tree from its entries; returns the checkpoint and the entries."""
    folder = Path(folder)
    must((folder / "checkpoint").is_file(), f"{folder / 'checkpoint'} is missing")
    checkpoint = Checkpoint((folder / "checkpoint").read_bytes(), log_key, witnesses)
    checkpoint.require(quorum)
    entries = []
    for start in range(0, checkpoint.size, 256):
        width = min(256, checkpoint.size - start)
        bundle = read_tile(folder, "entries", start // 256, width, 34)
        for at in range(0, len(bundle), 34):
            must(bundle[at : at + 2] == b"\x00\x20", f"entry {start + at // 34} is not a block hash")
            entries.append(bundle[at + 2 : at + 34])
    hashes = [leaf_hash(entry) for entry in entries]
    leaves, level = hashes, 0
    while hashes:
        for start in range(0, len(hashes), 256):
            tile = hashes[start : start + 256]
            found = read_tile(folder, level, start // 256, len(tile), 32)
            must(found == b"".join(tile), f"tile {start // 256} of level {level} does not fit the entries")
        hashes = [tree_root(hashes[i : i + 256]) for i in range(0, len(hashes) - 255, 256)]
        level += 1
    must(tree_root(leaves) == checkpoint.root, "the entries do not give the root that the log signed")
    if since is not None:
        old = Checkpoint(since, log_key, witnesses)
        must(old.size <= checkpoint.size, "the log has become shorter")
        must(tree_root(leaves[: old.size]) == old.root, "the log has changed entries that it had signed before")
    return checkpoint, entries


# ---------------------------------------------------------------------------------------------------------------------
# Job 3: the committed test vectors


def check_log_vectors(folder):
    log_key = Key((folder / "log.vkey").read_text(), LOG_KEY)
    witness = Key((folder / "witness.vkey").read_text(), WITNESS_KEY)
    since = (folder / "earlier.checkpoint").read_bytes()
    checkpoint, entries = verify_log(folder, log_key, [witness], 1, since)
    count = 0
    for proof in sorted(folder.glob("*.tlog-proof")):
        block = proof.with_suffix(".block").read_bytes()
        index, _ = verify_proof(block, proof.read_bytes(), log_key, [witness], 1)
        must(entries[index] == sha256(block), f"{proof} and the log differ")
        count += 1
    must(count, f"{folder} holds no proofs")
    return f"log: {checkpoint.size} entries and {count} proofs hold"


def check_storage_vectors(folder, dictionaries):
    """One line for each check of one set, the last for changed files: a flipped bit in any of them must be noticed."""
    # Not needed for proofs, and it wants `zstandard`.
    from keepwell_storage import Damaged
    from keepwell_vectors import check_set, flipped

    def check_proof(block, proof, key):
        verify_proof(block, proof, Key(key, LOG_KEY))

    def check_log(checkpoint, key, entries):
        checkpoint = Checkpoint(checkpoint, Key(key, LOG_KEY), [])
        must(checkpoint.size == len(entries), "the checkpoint covers another number of blocks")
        root = tree_root([leaf_hash(entry) for entry in entries])
        must(root == checkpoint.root, "the blocks do not give the root that the log signed")

    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    try:
        lines = check_set(files, dictionaries, check_proof, check_log)
    except Damaged as damage:
        raise Failed(f"{folder}: {damage}") from None
    sealed = sorted(set(files) - {"expected.json"})
    for path in sealed:
        # A place that differs from file to file, and stays the same from run to run.
        at = int.from_bytes(sha256(path.encode())[:4], "big") % (8 * len(files[path]))
        try:
            check_set({**files, path: flipped(files[path], at)}, dictionaries, check_proof, check_log)
        except (Damaged, Failed):
            continue
        raise Failed(f"{folder / path}: bit {at} was flipped and nothing noticed")
    return lines + [f"changed files: a flipped bit is noticed in each of {len(sealed)} files"]


def check_vectors(folder, dictionaries=DICTIONARIES):
    folder = Path(folder)
    lines = [check_log_vectors(folder / "log")] if (folder / "log").is_dir() else []
    for part in sorted((folder / "storage").glob("[0-9]*"), key=lambda path: int(path.name)):
        lines += [f"storage/{part.name} {line}" for line in check_storage_vectors(part, dictionaries)]
    must(lines, f"{folder} holds no test vectors")
    return lines


# ---------------------------------------------------------------------------------------------------------------------


def key_argument(kind):
    def read(text):
        try:
            return Key(Path(text).read_text() if Path(text).is_file() else text, kind)
        except (Failed, OSError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    proof = commands.add_parser("proof", help="is this block in the log?")
    proof.add_argument("block", type=Path)
    proof.add_argument("proof", type=Path)
    log = commands.add_parser("log", help="do these tiles give the root that the log signed?")
    log.add_argument("dir", type=Path)
    log.add_argument("--since", type=Path, metavar="CHECKPOINT", help="an earlier checkpoint that the log must continue")
    for command in (proof, log):
        command.add_argument("--key", required=True, type=key_argument(LOG_KEY), help="the log's verifier key")
        command.add_argument("--witness", action="append", default=[], type=key_argument(WITNESS_KEY), metavar="KEY")
        command.add_argument("--quorum", type=int, metavar="N", help="cosignatures wanted (default: all witnesses)")
    vectors = commands.add_parser("vectors", help="do the committed test vectors hold?")
    vectors.add_argument("dir", type=Path)
    vectors.add_argument("--dictionaries", type=Path, default=DICTIONARIES, help="folder of the zstd dictionaries")
    args = parser.parse_args(arguments)
    try:
        if args.command == "vectors":
            lines = check_vectors(args.dir, args.dictionaries)
            print("\n".join([*lines, f"{len(lines)} checks hold"]))
            return 0
        quorum = len(args.witness) if args.quorum is None else args.quorum
        if args.command == "proof":
            index, checkpoint = verify_proof(
                args.block.read_bytes(), args.proof.read_bytes(), args.key, args.witness, quorum
            )
            print(f"proved: the block is entry {index} of {checkpoint}")
        else:
            since = args.since.read_bytes() if args.since else None
            checkpoint, _ = verify_log(args.dir, args.key, args.witness, quorum, since)
            print(f"proved: {checkpoint}")
        return 0
    except (Failed, OSError) as error:
        print(f"NOT PROVED: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
