//! Random sequences of records without a scripted beginning: a genesis is drawn, and from then on
//! every step is drawn from what the ledger holds.
//!
//! * [`genesis`]: founders, offices, posts, relations, a charter within its floors; and drafts that
//!   do not stand. [`keys`]: the keys of everybody. [`mood`]: what a seed likes to do.
//! * [`hand`]: who is asked to act, and how a draft of an act becomes a record. [`acts`]: one file
//!   for each family; from the tables it says which acts would lead an object one step on. No order
//!   of steps is written down anywhere: the ledger says what fits, the seed draws.
//! * [`twist`]: makes a fitting draft unfitting, by the fields of the act whatever they are, by its
//!   signers, or by the envelope.
//! * [`blocks`]: the real ledger, with certificates, handovers and evidence, and what is checked
//!   after every block. [`faults`]: damage planted in the history of a run. [`run`]: one seed. [`coverage`]: what happened, against every act and every
//!   refusal code that the sources have; [`mod@never`]: the codes that no record meets, with reasons.

pub mod acts;
pub mod blocks;
pub mod coverage;
pub mod faults;
pub mod genesis;
pub mod hand;
pub mod keys;
pub mod mood;
pub mod never;
pub mod run;
pub mod stranger;
pub mod twist;
pub mod walk;
