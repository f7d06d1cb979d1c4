//! The portal as a browser meets it.
