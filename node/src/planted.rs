//! Faults that are put in on purpose, each of which the suites must catch: a harness has to prove
//! that it can fail (RULINGS A63).
//!
//! Only the package in `tests/planted`, outside the workspace, enables the feature `planted`.
//! Without it there is nothing to switch on, and `planted!` is the constant `false`.

/// A fault.
#[cfg(feature = "planted")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// Votes are signed and sent before their guard record is durable.
    SignBeforeSync,
    /// Two f validators decide.
    Quorum2f,
    /// After a restart the guard and the consensus log are not consulted.
    GuardSkipped,
    /// Blocks fetched from peers are taken without looking at their certificate.
    SyncUnchecked,
    /// The question of RULINGS A8 is not asked.
    AskSkipped,
    /// Fresh proposals of any time are taken at once.
    AnyTime,
    /// The time of a cosignature is not judged.
    CosignatureUnjudged,
    /// Records that do not apply stay in the queue.
    NothingParked,
    /// An answer with blocks need not begin with the one that was asked for, and nobody is asked before
    /// a slower one.
    AnyAnswer,
    /// Answers to the question of RULINGS A8 count whoever gave them, and before this node has
    /// caught up.
    AnswersKept,
    /// Of two or three validators a restored one asks nobody.
    NobodyAsked,
    /// At height 0 a restored node overlooks what others hold of it.
    StatementIgnored,
    /// A statement under the own key that the guard does not know is overlooked.
    CloneUnnoticed,
    /// A restored validator asks for blocks in vain.
    NeverWoken,
    /// What is voted for is forgotten in the order of ids.
    AnyWantForgotten,
    /// Records of the pool go in order of arrival, whoever they are from.
    TurnsForgotten,
    /// Nobody who missed a turn stands behind.
    NobodyBehind,
    /// Any number of frames of later heights waits.
    FramesUnbounded,
    /// A receipt is told with one cosignature less than a quorum.
    ReceiptShort,
    /// What a node a height back may have passed on is called forged.
    ForgedToo,
    /// A record that is known by its id is known, whatever its signatures.
    AnyCopyKnown,
    /// Whoever connects puts off what is said again.
    AgainPutOff,
    /// A node says that its tip is one block higher than it is.
    TipAhead,
    /// The real clock is wrong.
    WrongClock {
        /// By so many milliseconds; above zero it is ahead.
        by_ms: i64,
    },
}

/// The variable of the environment that plants a fault in a process: `wrong-clock=MILLISECONDS`.
#[cfg(feature = "planted")]
pub const VARIABLE: &str = "ROLLBOOK_PLANTED";

/// The fault that the environment of this process asks for. Anything that is not understood is no
/// fault: only suites set the variable.
#[cfg(feature = "planted")]
pub fn of_process() -> Option<Planted> {
    let asked = std::env::var(VARIABLE).ok()?;
    let by_ms = asked.strip_prefix("wrong-clock=")?.parse().ok()?;
    tracing::warn!("{} {VARIABLE} is {asked}", rollbook_core::planted::mark());
    Some(Planted::WrongClock { by_ms })
}

/// `planted!(config, Fault)`: whether a replica with these settings has the fault.
#[cfg(feature = "planted")]
macro_rules! planted {
    ($config:expr, $fault:ident) => {
        $config.planted.contains(&$crate::planted::Planted::$fault)
    };
}

/// `planted!(config, Fault)`: without the feature no replica has any.
#[cfg(not(feature = "planted"))]
macro_rules! planted {
    ($config:expr, $fault:ident) => {
        false
    };
}

pub(crate) use planted;
