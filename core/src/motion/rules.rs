//! stub
use bincode::{Decode, Encode};
/// stub
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub enum MotionKind {
    /// stub
    Admit,
}
/// stub
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub struct MotionRule(pub u8);
/// stub
pub fn preset(_: crate::charter::Preset) -> Vec<(MotionKind, MotionRule)> {
    Vec::new()
}
/// stub
pub fn check_floors(_: MotionKind, _: &MotionRule) -> Result<(), String> {
    Ok(())
}
