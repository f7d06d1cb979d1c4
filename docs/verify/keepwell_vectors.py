"""Opens one set of the committed test vectors of the storage format and compares it with what it should say."""

import json
from datetime import timedelta

import keepwell_storage as ks
from keepwell_storage import must


class Files:
    """The files of a set, and which of them were looked at."""

    def __init__(self, files):
        self.files, self.seen = files, set()

    def __getitem__(self, path):
        must(path in self.files, f"{path} is missing")
        self.seen.add(path)
        return self.files[path]

    def unseen(self):
        return sorted(set(self.files) - self.seen)


def same(found, expected, what):
    must(found == expected, f"{what} is {found!r} and should be {expected!r}")


def content(body):
    """A body as expected.json tells it."""
    try:
        if len(body) < 1024:
            return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        pass
    return {"length": len(body), "sha256": ks.sha256(body).hex()}


class Set:
    def __init__(self, files, dictionaries, check_proof, check_log):
        self.files, self.zstd = Files(files), ks.Zstd(dictionaries)
        self.check_proof, self.check_log = check_proof, check_log
        self.expected = json.loads(self.files["expected.json"])
        self.records = {row["record"]: row for row in self.expected["records"]}
        self.blocks, self.states, self.names = {}, {}, set()

    def check(self):
        """One line for each thing that holds."""
        yield self.keys()
        for record, row in self.records.items():
            if not row["erased"]:
                yield from self.streams(record, row)
        yield self.dictionaries()
        yield self.erasure()
        yield self.snapshot()
        yield self.aliases()
        yield self.side()
        yield self.idempotency()
        yield self.log()
        yield self.archive()
        same(self.files.unseen(), [], "the list of files that nothing looked at")

    def keys(self):
        about, number = self.expected["tenant"], self.expected["tenant"]["number"]
        roots = [ks.key_line(self.files[f"keys/root-{n}.key"], "keepwell-root-key-1:") for n in (1, 2)]
        wrapped = [self.files[f"keys/tenant-{n}.wrapped"] for n in (1, 2)]
        before, self.tenant = (ks.TenantKeys(number, *pair) for pair in zip(roots, wrapped))
        same(list(before.wrapping), [1], "the list of wrapping keys before the rotation")
        same(list(self.tenant.wrapping), [1, 2], "the list of wrapping keys after the rotation")
        for field in ("index", "side", "log_seed", "directory"):
            must(getattr(before, field) == getattr(self.tenant, field), f"the rotation changed the {field} key")
        must(before.wrapping[1] == self.tenant.wrapping[1], "the rotation changed the first wrapping key")
        same(self.tenant.directory, about["directory"], "the directory")
        same(self.tenant.log_key(), about["log_key"], "the log's key")
        person = self.expected["snapshot"]["record"]
        wrapped = [self.files[f"keys/record-{n}.wrapped"] for n in (1, 2)]
        first, second = (self.tenant.record_keys(person, data) for data in wrapped)
        same([data[:4] for data in wrapped], [b"\0\0\0\1"] * 2, "the list of keys that wrapped before the rotation")
        same((list(first.versions), list(second.versions)), ([1], [1, 2]), "the list of data keys")
        must(first.versions[1] == second.versions[1] and first.head == second.head, "a new data key changed the first")
        self.data_keys = {}
        for record, row in self.records.items():
            if not row["erased"]:
                wrapped = self.files[row["wrapped"]]
                same(wrapped[:4], b"\0\0\0\2", "the key that wraps after the rotation")
                self.data_keys[record] = self.tenant.record_keys(record, wrapped)
        same(self.data_keys[person].versions, second.versions, "the data keys after the rotation")
        return f"keys: 2 root keys, 2 states of the tenant's keys, {len(self.data_keys) + 2} wrapped data keys open"

    def streams(self, record, row):
        for code, stream in ks.STREAMS.items():
            expected = [b for b in self.expected["blocks"] if (b["record"], b["stream"]) == (record, stream)]
            keys = self.data_keys[record]
            blocks = [ks.Block(self.files[block["file"]], keys, self.zstd) for block in expected]
            state, aliases = ks.follow(blocks, record, stream)
            self.names |= {(system, value, record) for system, value in aliases}
            for block, wanted in zip(blocks, expected):
                what = wanted["file"]
                same(block.tenant, self.tenant.tenant, f"the tenant of {what}")
                same(block.hash.hex(), wanted["hash"], f"the hash of {what}")
                same((block.seq, block.time), (wanted["seq"], wanted["time"]), f"the place in time of {what}")
                same(block.author, wanted["author"], f"the author of {what}")
                same([list(a) for a in block.attach], wanted["attach"], f"the list of aliases that {what} attaches")
                same([list(a) for a in block.detach], wanted["detach"], f"the list of aliases that {what} detaches")
                fields = ("number", "kind", "labels", "source")
                entries = [{field: entry[field] for field in fields} for entry in block.entries]
                for found, entry in zip(entries, block.entries):
                    found["body"] = None if entry["body"] is None else content(entry["body"])
                same(entries, wanted["entries"], f"the list of entries of {what}")
            head = row[stream]
            if not blocks:
                same((head["seq"], head["hash"], head["next_number"]), (0, "00" * 32, 1), "the head of an empty stream")
                continue
            same(blocks[-1].hash.hex(), head["hash"], f"the head of {stream}")
            same((blocks[-1].seq, blocks[-1].next_number), (head["seq"], head["next_number"]), f"the head of {stream}")
            tag = keys.head_tag(code, head["seq"], blocks[-1].hash, head["next_number"])
            same(tag.hex(), head["tag"], f"the head tag of {stream}")
            self.blocks[record, stream], self.states[record, stream] = blocks, state
            counts = f"blocks {len(blocks)}, entries {len(state)}"
            yield f"{row['name']}/{stream}: {counts}, one chain up to the head and its tag"

    def dictionaries(self):
        blocks = [block for chain in self.blocks.values() for block in chain]
        same(max(block.dictionary for block in blocks), self.expected["dictionary"], "the newest dictionary")
        must(0 in self.zstd.used, "no block goes without a dictionary")
        must({len(block.frames) for block in blocks} > {1}, "no block has several frames")
        must({block.key_version for block in blocks} == {1, 2}, "not every data key seals a block")
        return f"dictionaries: {', '.join(map(str, sorted(self.zstd.used)))} are in use and as released"

    def erasure(self):
        for stub in self.expected["erasures"]:
            record = stub["record"]
            must(self.records[record]["erased"], "a record with a stub is not erased")
            index = self.tenant.blind(b"side", b"\0", ks.record_bytes(record))
            plain = self.tenant.open_side(0, index, ks.NEVER, self.files[stub["file"]], "the stub")
            found = json.loads(plain)
            wanted = {"record": record, "authority": stub["authority"], "care_blocks": 1, "access_blocks": 0}
            same({**found, "when": None}, {**wanted, "when": None}, "the stub")
            for block in self.expected["blocks"]:
                if block["record"] == record:
                    same(ks.sha256(self.files[block["file"]]).hex(), block["hash"], "the hash of an erased block")
        return f"erasure: {len(self.expected['erasures'])} stub opens; of the record's block only the hash counts"

    def snapshot(self):
        record = self.expected["snapshot"]["record"]
        keys, tenant = self.data_keys[record], self.tenant.tenant
        data = {part["part"]: self.files[part["file"]] for part in self.expected["snapshot"]["parts"]}
        parts, used = {}, set()
        for number, part in data.items():
            seq, head, plain = ks.snapshot_part(part, number, tenant, record, 1, keys, self.zstd)
            same(head, self.blocks[record, "care"][seq - 1].hash, "the head that a snapshot part was taken at")
            parts[number] = plain
        rows, state = ks.snapshot_index(parts[0]), self.states[record, "care"]
        same(list(rows), sorted(state), "the list of entries of the snapshot")
        for number, row in rows.items():
            entry = state[number]
            for field in ("kind", "labels", "source", "version", "time"):
                same(row[field], entry[field], f"the {field} of entry {number} of the snapshot")
            must((row["place"] is None) == (entry["body"] is None), f"entry {number} is deleted in one place only")
            if row["place"]:
                segment, offset, length = row["place"]
                if segment["tag"] is None:
                    run = self.blocks[record, "care"][segment["seq"] - 1].frames[segment["number"]]
                else:
                    same(data[segment["number"]][-16:], segment["tag"], "the tag of a snapshot part")
                    run = parts[segment["number"]]
                    used.add(segment["number"])
                same(len(run), segment["length"], "the length of a run of bodies")
                must(run[offset : offset + length] == entry["body"], f"entry {number} differs in the snapshot")
        same(used, set(parts) - {0}, "the list of snapshot parts in use")
        return f"snapshot: an index of {len(rows)} entries and {len(used)} parts say what the blocks say"

    def aliases(self):
        rows = {alias["index"]: alias for alias in self.expected["aliases"]}
        for name in self.expected["names"]:
            index = self.tenant.blind(b"alias", name["system"].encode(), name["value"].encode())
            row = rows.pop(index.hex(), None)
            must(row, "the blind index of an alias is another one")
            same(row["record"], name["record"], "the record of an alias")
            tag = self.tenant.blind(b"alias row", index, ks.record_bytes(name["record"]))[:16]
            same(tag.hex(), row["tag"], "the tag of an alias")
        same(rows, {}, "the list of aliases without a name")
        names = {(name["system"], name["value"], name["record"]) for name in self.expected["names"]}
        same(self.names, names, "the list of aliases that the blocks attach")
        merged = [row for row in self.records.values() if row["merged"]]
        for row in merged:
            into = row["merged"]["into"]
            tag = self.tenant.blind(b"merge", ks.record_bytes(row["record"]), ks.record_bytes(into))[:16]
            same(tag.hex(), row["merged"]["tag"], "the tag of a merge")
        return f"tags: {len(self.expected['names'])} aliases and {len(merged)} merge hold"

    def side(self):
        for row in self.expected["side"]:
            key = bytes.fromhex(row["key"])
            index = self.tenant.blind(b"side", bytes([row["table"]]), key)
            same(index.hex(), row["index"], "the blind key of a side row")
            value = self.tenant.open_side(row["table"], index, row["expires"], self.files[row["file"]], "a side row")
            same(value.hex(), row["value"], "the value of a side row")
        return f"side: {len(self.expected['side'])} rows open"

    def idempotency(self):
        row = self.expected["idempotency"]
        index = self.tenant.blind(b"idempotency", ks.sha256(row["name"].encode()))
        same(index.hex(), row["index"], "the blind idempotency key")
        blocks = self.files[row["file"]]
        must(len(blocks) % 19 == 0, "the list of blocks of an idempotency key is cut")
        for at in range(0, len(blocks), 19):
            record, stream = ks.record_text(blocks[at : at + 10]), ks.STREAMS.get(blocks[at + 10])
            seq = int.from_bytes(blocks[at + 11 : at + 19], "big")
            chain = self.blocks.get((record, stream), [])
            must(0 < seq <= len(chain), "an idempotency key names a block that is not there")
            days = timedelta(microseconds=chain[seq - 1].time).days
            same(row["forget_after"], days + 30, "the day after which an idempotency key may be forgotten")
        same(len(blocks) // 19, 2, "the number of blocks of an idempotency key")
        return "idempotency: a repeated commit finds its 2 blocks"

    def log(self):
        entries = [bytes.fromhex(block["hash"]) for block in self.expected["blocks"]]
        self.check_log(self.files["log.checkpoint"], self.tenant.log_key(), entries)
        return f"log: the signed checkpoint covers {len(entries)} blocks, erased ones too"

    def archive(self):
        expected = self.expected["archive"]
        record = expected["record"]
        key = ks.key_line(self.files[expected["key"]], "keepwell-archive-key-1:")
        info, keys, care, access, proofs = ks.read_archive(self.files[expected["file"]], key)
        log_key = self.expected["tenant"]["log_key"]
        wanted = {"record": record, "exported": expected["exported"], "tenant": self.expected["tenant"]["name"]}
        wanted.update(log_key=log_key, care_blocks=len(care), access_blocks=len(access))
        same(info, wanted, "what the archive says of itself")
        same(keys.versions, self.data_keys[record].versions, "the data keys in the archive")
        proofs = iter(proofs)
        for stream, blocks in (("care", care), ("access", access)):
            hashes = [ks.sha256(block) for block in blocks]
            same(hashes, [block.hash for block in self.blocks[record, stream]], f"the chain of {stream} in the archive")
            if blocks:
                proof = next(proofs, None)
                must(proof, "a proof is missing from the archive")
                self.check_proof(blocks[-1], proof, log_key)
        must(next(proofs, None) is None, "the archive has a proof too many")
        return f"archive: {len(care)} and {len(access)} blocks, the same as in the store, proved in the log"


def check_set(files, dictionaries, check_proof, check_log):
    """The lines of one set, or `Damaged`."""
    return list(Set(files, dictionaries, check_proof, check_log).check())


def flipped(data, at):
    changed = bytearray(data)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)
