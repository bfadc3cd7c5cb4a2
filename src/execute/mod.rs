//! Carries out a plan through few ports, and says what happens as it happens.

pub mod events;
pub mod ports;
