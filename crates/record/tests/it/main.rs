//! The engine on real stores. Each rule of the contract runs on every store.

mod contract;
mod fixture;
