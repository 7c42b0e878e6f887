//! Follows an alliance from its genesis file and verifies one record, whatever the nodes say:
//! `cargo run --release -p rollbook-client --example follow -- GENESIS-FILE RECORD-ID NODE...`

use std::error::Error;
use std::sync::Arc;

use rollbook_client::client::Client;
use rollbook_client::fetch::{Target, fetch};
use rollbook_client::keep::{Keep, Memory};
use rollbook_client::trust::Trust;
use rollbook_core::genesis::file::GenesisFile;

/// One line about the record, if it is proved and the proof is of the last hour. Heads and policies
/// that were verified are in `keep` afterwards, and a second call begins there.
pub fn follow(
    genesis: &GenesisFile,
    keep: Arc<dyn Keep>,
    nodes: &[String],
    id: &str,
) -> Result<String, Box<dyn Error>> {
    let client = Client::new(nodes.iter().cloned());
    let trust = Trust::open(genesis.genesis.hash(), client, keep, 3_600)?;
    let mut trust = trust.telling(|notice| eprintln!("{notice}"));
    let (fetched, grounds) = fetch(&mut trust, &Target::Record(id.to_lowercase()))?;
    if grounds.stale {
        return Err(format!("{} shows the log of {} s ago", grounds.node, grounds.age_s).into());
    }
    let (block, leaf) = (&fetched.proved.seal, &fetched.proved.receipt.verified);
    Ok(format!(
        "{id} is leaf {} of the log, recorded in block {}; {} nodes cosigned {} s ago",
        leaf.index,
        block.height,
        grounds.signers.len(),
        grounds.age_s
    ))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, id, nodes @ ..] = arguments.as_slice() else {
        return Err("follow GENESIS-FILE RECORD-ID NODE...".into());
    };
    let genesis = GenesisFile::decode(&std::fs::read(file)?)?;
    println!("{}", follow(&genesis, Arc::new(Memory::new()), nodes, id)?);
    Ok(())
}
