//! Parts that several pages share: their typed views. Their markup is in `templates/components`.

pub(crate) mod chart;
pub(crate) mod pagination;
pub(crate) mod result;
pub(crate) mod ticks;
