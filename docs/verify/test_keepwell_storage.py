"""Tests of the stand-alone reader of the storage format, and of the checks of its vectors."""

import json
import re
import struct
import tempfile
import unittest
from pathlib import Path

import keepwell_storage as ks
import keepwell_vectors as kvec
import keepwell_verify as kv

STORAGE = Path(__file__).parent / "vectors" / "storage"


def sets():
    return sorted((path for path in STORAGE.iterdir()), key=lambda path: int(path.name))


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check(files, dictionaries=kv.DICTIONARIES):
    def check_proof(block, proof, key):
        kv.verify_proof(block, proof, kv.Key(key, kv.LOG_KEY))

    def check_log(checkpoint, key, entries):
        checkpoint = kv.Checkpoint(checkpoint, kv.Key(key, kv.LOG_KEY), [])
        root = kv.tree_root([kv.leaf_hash(entry) for entry in entries])
        kv.must((checkpoint.size, checkpoint.root) == (len(entries), root), "another log")

    return kvec.check_set(files, dictionaries, check_proof, check_log)


class Conventions(unittest.TestCase):
    def test_numbers_are_read_low_bits_first_and_never_past_64_bits(self):
        for data, number in ((b"\x00", 0), (b"\x7f", 127), (b"\x80\x01", 128), (b"\xff" * 9 + b"\x01", 2**64 - 1)):
            self.assertEqual(ks.Reader(data, "it").number(), number)
        for data in (b"", b"\x80", b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x00"):
            with self.assertRaises(ks.Damaged):
                ks.Reader(data, "it").number()
        for number, data in ((0, b"\x00"), (-1, b"\x01"), (1, b"\x02"), (-64, b"\x7f"), (64, b"\x80\x01")):
            self.assertEqual(ks.Reader(data, "it").signed(), number)

    def test_lengths_past_the_end_are_refused(self):
        for data in (b"\x01", b"\x05abc", b"\xff\xff\xff\xff\x0fabc"):
            with self.assertRaises(ks.Damaged):
                ks.Reader(data, "it").bytes()
        with self.assertRaisesRegex(ks.Damaged, "UTF-8"):
            ks.Reader(b"\x01\xff", "it").text()

    def test_a_record_id_has_one_spelling(self):
        for data in (bytes(10), b"\xff" * 10, bytes(range(10))):
            self.assertEqual(ks.record_bytes(ks.record_text(data)), data)
        self.assertEqual(ks.record_text(b"\xff" * 10), "z" * 16)
        for text in ("", "0" * 15, "0" * 17, "O" * 16, "u" + "0" * 15):
            with self.assertRaises(ks.Damaged):
                ks.record_bytes(text)

    def test_no_two_lists_of_parts_have_one_keyed_sum(self):
        lists = ([], [b""], [b"", b""], [b"ab"], [b"a", b"b"], [b"ab", b""], [b"", b"ab"])
        self.assertEqual(len({ks.keyed_sum(bytes(32), *parts) for parts in lists}), len(lists))

    def test_a_key_line_has_one_spelling(self):
        line = b"keepwell-root-key-1:" + b"A" * 43 + b"\n"
        self.assertEqual(ks.key_line(line, "keepwell-root-key-1:"), bytes(32))
        for bad in (b"", line[:-2] + b"B\n", line + b" ", line.replace(b"root", b"Root"), line[:-1], line[1:]):
            with self.assertRaises(ks.Damaged):
                ks.key_line(bad, "keepwell-root-key-1:")


class Vectors(unittest.TestCase):
    def test_every_set_holds(self):
        for folder in sets():
            self.assertGreater(len(check(files_of(folder))), 10)

    def test_no_bit_of_any_file_may_change(self):
        for folder in sets():
            files = files_of(folder)
            for path in set(files) - {"expected.json"}:
                bits = 8 * len(files[path])
                # The first and last, and some between that are no multiple of eight apart.
                for at in {0, bits - 1, *range(3, bits, bits // 7 | 1)}:
                    with self.assertRaises((ks.Damaged, kv.Failed), msg=f"{path}, bit {at}"):
                        check({**files, path: kvec.flipped(files[path], at)})

    def test_no_file_may_be_cut_missing_or_too_many(self):
        folder = sets()[-1]
        files = files_of(folder)
        for path in set(files) - {"expected.json"}:
            for length in {0, 1, len(files[path]) // 2, len(files[path]) - 1}:
                with self.assertRaises((ks.Damaged, kv.Failed), msg=f"{path}, {length} bytes"):
                    check({**files, path: files[path][:length]})
            with self.assertRaises(ks.Damaged):
                check({name: data for name, data in files.items() if name != path})
        with self.assertRaisesRegex(ks.Damaged, "nothing looked at"):
            check({**files, "more": b""})

    def test_nothing_stands_in_for_something_else(self):
        files = files_of(sets()[-1])
        sealed = sorted(path for path in files if path.endswith((".block", ".part", ".wrapped", ".sealed")))
        for path in sealed:
            for other in sealed:
                if files[path] != files[other]:
                    with self.assertRaises((ks.Damaged, kv.Failed), msg=f"{other} as {path}"):
                        check({**files, path: files[other]})

    def test_only_the_released_dictionary_opens_blocks(self):
        files = files_of(sets()[-1])
        with tempfile.TemporaryDirectory() as folder:
            for number in ks.DICTIONARIES:
                good = (kv.DICTIONARIES / f"{number}.zdict").read_bytes()
                (Path(folder) / f"{number}.zdict").write_bytes(kvec.flipped(good, 8 * len(good) - 1))
            with self.assertRaisesRegex(ks.Damaged, "not the released one"):
                check(files, folder)


class Page(unittest.TestCase):
    """The examples in storage-format.md are bytes of set 1."""

    def setUp(self):
        self.page = (Path(__file__).parents[1] / "storage-format.md").read_text()
        self.files = files_of(STORAGE / "1")
        self.zstd = ks.Zstd(kv.DICTIONARIES)
        self.root = ks.key_line(self.files["keys/root-1.key"], "keepwell-root-key-1:")
        self.record = json.loads(self.files["expected.json"])["snapshot"]["record"]
        tenant = ks.TenantKeys(7, self.root, self.files["keys/tenant-1.wrapped"])
        self.keys = tenant.record_keys(self.record, self.files["keys/record-2.wrapped"])

    def plain(self, path, what):
        data = self.files[path]
        if what is None:
            return data
        if path == "keys/tenant-1.wrapped":
            return ks.unseal_with_nonce(self.root, b"KWT1" + struct.pack(">I", 7) + data[:8], data[8:], path)
        if what == "frame 0":
            return ks.Block(data, self.keys, self.zstd).frames[0]
        return ks.snapshot_part(data, 0, 7, self.record, 1, self.keys, self.zstd)[2]

    def test_every_example_is_what_the_vectors_hold(self):
        examples = re.findall(r"```hex (\S+)(?: \(([^)\n]+)\))?\n(.*?)```", self.page, re.S)
        self.assertGreater(len(examples), 6)
        for path, what, lines in examples:
            data = self.plain(path, what or None)
            for line in lines.splitlines():
                at, shown, _ = re.fullmatch(r"([0-9a-f]{2})  ((?:[0-9a-f]{2} ?)+)  +(.*)", line).groups()
                found = data[int(at, 16) :][: len(bytes.fromhex(shown))]
                self.assertEqual(found.hex(" "), shown.strip(), f"{path} at {at}")

    def test_the_table_of_dictionaries_is_the_readers(self):
        table = re.findall(r"^\| (\d+) \| `(\d+)\.zdict` \| [\d,]+ \| `([0-9a-f]{64})`", self.page, re.M)
        self.assertEqual({int(number): sum for number, _, sum in table}, ks.DICTIONARIES)


if __name__ == "__main__":
    unittest.main()
