//! What the admin socket answers, besides the public status and the list of a backup.

use serde::{Deserialize, Serialize};

/// To a request to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// True: the node stops in order.
    pub stopping: bool,
}

/// To a step of a sample chain's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTime {
    /// The clock's new time.
    pub now_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_as_they_were() {
        let stopping = serde_json::to_string(&Stopping { stopping: true }).unwrap();
        assert_eq!(stopping, r#"{"stopping":true}"#);
        let time = serde_json::to_string(&ClockTime { now_ms: 7 }).unwrap();
        assert_eq!(time, r#"{"now_ms":7}"#);
    }
}
