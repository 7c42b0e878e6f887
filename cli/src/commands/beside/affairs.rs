//! Who works in a direction and leads it, and what was corrected in an object, in words.

use rollbook_core::id::Id as _;
use rollbook_core::view::{CorrectionLine, DirectionView};
use rollbook_core::word::Word as _;
use rollbook_words::catalogue::{in_words, t};
use rollbook_words::dates::time;

use super::{joined, party};
use crate::output::print;

/// A direction.
pub(super) fn direction(view: &DirectionView) {
    match &view.lead {
        Some((lead, motion, since)) => {
            let facts = [
                ("lead", party(lead)),
                ("motion", motion.short().to_string()),
                ("since", time(*since)),
            ];
            print(t("direction.lead", &facts));
        }
        None => print(t("direction.without-lead", &[])),
    }
    let members = joined(view.members.iter().map(party));
    print(t("direction.members", &[("members", members)]));
}

/// What was corrected.
pub(super) fn corrections(lines: &[CorrectionLine]) {
    for line in lines {
        let facts = [
            ("correction", line.number.short().to_string()),
            ("field", in_words("clerical", line.entry.field.word())),
            ("reads", line.entry.reads.to_string()),
            ("should-read", line.entry.should_read.to_string()),
            ("evidence", line.entry.evidence.to_hex()),
            ("state", in_words("state.correction", line.status.word())),
        ];
        print(t("correction.line", &facts));
    }
}
