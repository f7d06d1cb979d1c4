"""Tests of the stand-alone verifier: run `python3 test_keepwell_verify.py` in this folder."""

import contextlib
import io
import shutil
import tempfile
import unittest
from pathlib import Path

import keepwell_verify as kv

VECTORS = Path(__file__).parent / "vectors"
LOG = VECTORS / "log"


def log_key():
    return kv.Key((LOG / "log.vkey").read_text(), kv.LOG_KEY)


def witness_key():
    return kv.Key((LOG / "witness.vkey").read_text(), kv.WITNESS_KEY)


def cosignature_lines(note):
    return [line for line in note.decode().split("\n") if line.startswith("\u2014 vectors.example/witness")]


class Trees(unittest.TestCase):
    def test_the_reference_vectors_of_certificate_transparency_hold(self):
        entries = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"]
        entries += [bytes(range(0x50, 0x58)), bytes(range(0x60, 0x70))]
        root = kv.tree_root([kv.leaf_hash(entry) for entry in entries])
        self.assertEqual(root.hex(), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")

    def test_every_path_of_small_trees_leads_to_the_root_and_to_no_other_place(self):
        def path(index, leaves):
            if len(leaves) == 1:
                return []
            k = 1 << ((len(leaves) - 1).bit_length() - 1)
            if index < k:
                return path(index, leaves[:k]) + [kv.tree_root(leaves[k:])]
            return path(index - k, leaves[k:]) + [kv.tree_root(leaves[:k])]

        leaves = [kv.leaf_hash(bytes([i])) for i in range(40)]
        for size in range(1, 41):
            root = kv.tree_root(leaves[:size])
            for index in range(size):
                proof = path(index, leaves[:size])
                self.assertEqual(kv.root_from_path(leaves[index], index, size, proof), root)
                for other in set(range(size)) - {index}:
                    try:
                        self.assertNotEqual(kv.root_from_path(leaves[index], other, size, proof), root)
                    except kv.Failed:
                        pass
                for wrong in (proof[1:], proof + [root]) if proof else ([root],):
                    with self.assertRaises(kv.Failed):
                        kv.root_from_path(leaves[index], index, size, wrong)
            for index in (-1, size, size + 1):
                with self.assertRaises(kv.Failed):
                    kv.root_from_path(leaves[0], index, size, [])

    def test_tile_paths_are_those_of_the_specification(self):
        self.assertEqual(kv.tile_path(0, 1234067, 256), "tile/0/x001/x234/067")
        self.assertEqual(kv.tile_path("entries", 273, 112), "tile/entries/273.p/112")


class Keys(unittest.TestCase):
    TEXT = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

    def test_the_specifications_example_note_verifies(self):
        key = kv.Key(self.TEXT, kv.LOG_KEY)
        signature = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
        text, lines = kv.read_note(f"This is an example message.\n\n\u2014 example.com/foo {signature}\n".encode())
        self.assertTrue(key.claims(lines[0]))
        key.check(lines[0][2], text.encode())
        with self.assertRaises(kv.Failed):
            key.check(lines[0][2], b"This is another message.\n")

    def test_a_mistyped_key_is_refused(self):
        for text in ("", "a", self.TEXT[:-1], self.TEXT.replace("foo", "fop"), self.TEXT.replace("530d", "530e")):
            with self.assertRaises(kv.Failed):
                kv.Key(text, kv.LOG_KEY)
        with self.assertRaises(kv.Failed):
            kv.Key(self.TEXT, kv.WITNESS_KEY)


class Proofs(unittest.TestCase):
    def setUp(self):
        self.block = (LOG / "137.block").read_bytes()
        self.proof = (LOG / "137.tlog-proof").read_bytes()

    def test_the_committed_vectors_hold(self):
        self.assertEqual(kv.check_vectors(VECTORS)[0], "log: 300 entries and 4 proofs hold")

    def test_no_bit_of_a_proof_or_block_may_change(self):
        keys = (log_key(), [witness_key()], 1)
        self.assertEqual(kv.verify_proof(self.block, self.proof, *keys)[0], 137)
        for at in range(len(self.proof) * 8):
            changed = bytearray(self.proof)
            changed[at // 8] ^= 1 << at % 8
            with self.assertRaises(kv.Failed, msg=f"bit {at}"):
                kv.verify_proof(self.block, bytes(changed), *keys)
        for length in range(len(self.proof)):
            with self.assertRaises(kv.Failed, msg=f"cut at {length}"):
                kv.verify_proof(self.block, self.proof[:length], *keys)
        for at in range(len(self.block) * 8):
            changed = bytearray(self.block)
            changed[at // 8] ^= 1 << at % 8
            with self.assertRaises(kv.Failed):
                kv.verify_proof(bytes(changed), self.proof, *keys)

    def test_the_line_that_nobody_signed_proves_nothing(self):
        other = (LOG / "0.block").read_bytes()
        start, end = self.proof.index(b"extra "), self.proof.index(b"index ")
        without = self.proof[:start] + self.proof[end:]
        self.assertEqual(kv.verify_proof(self.block, without, log_key())[0], 137)
        with self.assertRaisesRegex(kv.Failed, "does not lead to the root"):
            kv.verify_proof(other, without, log_key())
        with self.assertRaisesRegex(kv.Failed, "another block"):
            kv.verify_proof(other, self.proof, log_key())

    def test_witnesses_count_only_if_known_and_true(self):
        self.assertEqual(kv.verify_proof(self.block, self.proof, log_key())[1].cosigned, {})
        with self.assertRaisesRegex(kv.Failed, "0 known witnesses cosigned, 1 are wanted"):
            kv.verify_proof(self.block, self.proof, log_key(), [], 1)
        line = cosignature_lines(self.proof)[0] + "\n"
        twice = self.proof + line.encode()
        self.assertEqual(len(kv.verify_proof(self.block, twice, log_key(), [witness_key()], 1)[1].cosigned), 1)
        with self.assertRaisesRegex(kv.Failed, "1 known witnesses cosigned, 2 are wanted"):
            kv.verify_proof(self.block, twice, log_key(), [witness_key()], 2)


class Logs(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp()) / "log"
        shutil.copytree(LOG, self.folder)
        self.addCleanup(shutil.rmtree, self.folder.parent)

    def verify(self, **options):
        return kv.verify_log(self.folder, log_key(), [witness_key()], 1, **options)

    def test_a_changed_or_missing_tile_is_named(self):
        self.assertEqual(self.verify()[0].size, 300)
        for name in ("tile/entries/000", "tile/entries/001.p/44", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"):
            path = self.folder / name
            good = path.read_bytes()
            for at in (0, 5, len(good) - 1):
                path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
                with self.assertRaises(kv.Failed, msg=name):
                    self.verify()
            path.write_bytes(good[:-1])
            with self.assertRaisesRegex(kv.Failed, "wrong length"):
                self.verify()
            path.unlink()
            with self.assertRaisesRegex(kv.Failed, "missing"):
                self.verify()
            path.write_bytes(good)
        self.verify()

    def test_an_earlier_checkpoint_must_be_continued(self):
        earlier = (LOG / "earlier.checkpoint").read_bytes()
        self.verify(since=earlier)
        shutil.copy(LOG / "earlier.checkpoint", self.folder / "checkpoint")
        for kind, bytes_each in (("entries", 34), (0, 32)):
            partial = self.folder / kv.tile_path(kind, 0, 200)
            partial.parent.mkdir()
            partial.write_bytes((self.folder / kv.tile_path(kind, 0, 256)).read_bytes()[: 200 * bytes_each])
        self.assertEqual(self.verify()[0].size, 200)
        for kind in ("entries", 0):
            shutil.rmtree((self.folder / kv.tile_path(kind, 0, 200)).parent)
        self.assertEqual(self.verify()[0].size, 200, "a full tile serves for the partial one")
        with self.assertRaisesRegex(kv.Failed, "shorter"):
            self.verify(since=(LOG / "checkpoint").read_bytes())

    def test_the_command_line_says_proved_or_not_proved_by_its_exit_status(self):
        def run(*arguments):
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    status = kv.main([str(argument) for argument in arguments])
                except SystemExit as stopped:
                    status = stopped.code
            return status, (out.getvalue() + err.getvalue()).split(":")[0]

        keys = ["--key", LOG / "log.vkey", "--witness", (LOG / "witness.vkey").read_text().strip()]
        self.assertEqual(run("log", self.folder, *keys), (0, "proved"))
        self.assertEqual(run("proof", LOG / "0.block", LOG / "0.tlog-proof", *keys), (0, "proved"))
        self.assertEqual(run("proof", LOG / "0.block", LOG / "137.tlog-proof", *keys), (1, "NOT PROVED"))
        self.assertEqual(run("proof", LOG / "missing", LOG / "137.tlog-proof", *keys), (1, "NOT PROVED"))
        self.assertEqual(run("vectors", VECTORS)[0], 0)
        self.assertEqual(run("vectors", self.folder / "tile"), (1, "NOT PROVED"))
        self.assertEqual(run("log", self.folder, "--key", "nonsense")[0], 2)
        self.assertEqual(run("log", self.folder, *keys[2:])[0], 2)


if __name__ == "__main__":
    unittest.main()
