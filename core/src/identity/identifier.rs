//! LEI, USCC, did:key: our own check rules (reference 3.1, 3.2).
