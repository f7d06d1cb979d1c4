-- The tables of docs/storage-format.md, "Tables". Every value is sealed, hashed or a plain count; ids are random.
CREATE TABLE tenant (
    tenant INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    log_size INTEGER NOT NULL DEFAULT 0,
    checkpoint_size INTEGER NOT NULL DEFAULT 0,
    checkpoint BLOB
) STRICT;

CREATE TABLE record (
    record BLOB PRIMARY KEY,
    tenant INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    care_seq INTEGER NOT NULL DEFAULT 0,
    care_hash BLOB,
    care_next INTEGER NOT NULL DEFAULT 1,
    care_tag BLOB,
    access_seq INTEGER NOT NULL DEFAULT 0,
    access_hash BLOB,
    access_next INTEGER NOT NULL DEFAULT 1,
    access_tag BLOB,
    merged BLOB,
    merged_tag BLOB,
    erased INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX record_merged ON record (merged) WHERE merged IS NOT NULL;

CREATE TABLE block (
    record BLOB NOT NULL,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    block BLOB NOT NULL,
    PRIMARY KEY (record, stream, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot (
    record BLOB NOT NULL,
    stream INTEGER NOT NULL,
    part INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (record, stream, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE alias (
    tenant INTEGER NOT NULL,
    idx BLOB NOT NULL,
    record BLOB NOT NULL,
    tag BLOB NOT NULL,
    PRIMARY KEY (tenant, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_record ON alias (record);

CREATE TABLE idempotency (
    tenant INTEGER NOT NULL,
    idx BLOB NOT NULL,
    forget_after INTEGER NOT NULL,
    blocks BLOB NOT NULL,
    PRIMARY KEY (tenant, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_forget ON idempotency (forget_after);

CREATE TABLE erasure (
    record BLOB PRIMARY KEY,
    tenant INTEGER NOT NULL,
    stub BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_pending (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    record BLOB NOT NULL,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE log_leaf (
    record BLOB NOT NULL,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    leaf INTEGER NOT NULL,
    PRIMARY KEY (record, stream, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_tile (
    tenant INTEGER NOT NULL,
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, level, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE side (
    tenant INTEGER NOT NULL,
    side INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (tenant, side, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX side_expires ON side (expires);
