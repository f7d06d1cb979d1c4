//! Keys: a root key wraps a set of keys per tenant, a tenant key wraps the data keys of each record
//! (architecture.md §4.2, docs/storage-format.md "Keys").

mod record;
mod root;
mod seal;
pub mod split;
mod tenant;

pub(crate) use record::RecordKeys;
pub use root::{RootKey, RootKeyFile, RootKeySource, RootKeyText, RootKeys};
pub(crate) use seal::{SealKey, Secret, TAG_LEN};
pub(crate) use tenant::TenantKeys;
