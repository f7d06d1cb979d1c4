//! Measurements: codes, units, plausibility; pure.
