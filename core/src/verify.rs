//! What an auditor depends on: receipts, state proofs, epoch chains, light client.
