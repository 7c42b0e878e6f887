//! The one RFC 6962 SHA-256 log: tree, proofs, checkpoints, cosignatures, policies, tlog-proofs.
