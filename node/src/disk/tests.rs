use std::path::Path;

use super::*;

fn disks() -> (SimDisk, RealDisk, tempfile::TempDir) {
    (SimDisk::new(), RealDisk, tempfile::tempdir().unwrap())
}

/// Both disks answer the same calls alike.
#[test]
fn both_disks_agree_on_the_contract() {
    let (sim, real, folder) = disks();
    for disk in [&sim as &dyn Disk, &real as &dyn Disk] {
        let dir = folder.path().join("a/b");
        disk.create_dir(&dir).unwrap();
        disk.create_dir(&dir).unwrap();
        assert!(disk.list(&dir).unwrap().is_empty());
        assert_eq!(
            disk.list(&dir.join("none")).unwrap_err().kind,
            DiskErrorKind::NotFound
        );

        let mut file = disk.create(&dir.join("two")).unwrap();
        file.append(b"hello ").unwrap();
        file.append(b"world").unwrap();
        file.sync().unwrap();
        let mut five = [0; 5];
        file.read_at(6, &mut five).unwrap();
        assert_eq!(&five, b"world");
        assert_eq!(
            file.read_at(7, &mut five).unwrap_err().kind,
            DiskErrorKind::Short
        );
        file.truncate(5).unwrap();
        file.append(b"!").unwrap();
        assert_eq!(file.len().unwrap(), 6);

        let error = disk.create(&dir.join("two")).err().unwrap();
        assert_eq!(
            (error.op, error.kind),
            (DiskOp::Create, DiskErrorKind::Exists)
        );
        assert!(
            error.to_string().starts_with("creating ") && error.to_string().contains("two"),
            "{error}"
        );
        disk.create(&dir.join("one")).unwrap();
        disk.rename(&dir.join("one"), &dir.join("three")).unwrap();
        disk.sync_dir(&dir).unwrap();
        assert_eq!(disk.list(&dir).unwrap(), ["three", "two"]);
        disk.remove(&dir.join("three")).unwrap();
        assert_eq!(
            disk.open(&dir.join("three")).err().unwrap().kind,
            DiskErrorKind::NotFound
        );

        let held = disk.lock(&dir.join("lock")).unwrap();
        assert_eq!(
            disk.lock(&dir.join("lock")).err().unwrap().kind,
            DiskErrorKind::Locked
        );
        drop(held);
        disk.lock(&dir.join("lock")).unwrap();
        assert_ne!(disk.fresh_id(), disk.fresh_id());
        assert_eq!(disk.boot_id(), disk.boot_id());
    }
}

/// Synced bytes under synced names survive every cut; what was not synced comes back in every way
/// the model knows.
#[test]
fn a_power_cut_takes_only_what_was_not_synced() {
    let dir = Path::new("/d");
    let path = dir.join("f");
    let disk = SimDisk::new();
    disk.create_dir(dir).unwrap();
    let mut file = disk.create(&path).unwrap();
    file.append(&[1; 200]).unwrap();
    file.sync().unwrap();
    disk.sync_dir(dir).unwrap();
    file.append(&[2; 200]).unwrap();
    disk.create(&dir.join("g")).unwrap();
    let (mut lost, mut kept, mut torn, mut reordered, mut named) = (0, 0, 0, 0, 0);
    for seed in 0..200 {
        let image = disk.fork();
        image.power_cut(seed);
        let bytes = image.bytes(&path).unwrap();
        assert_eq!(bytes[..200], [1; 200]);
        let tail = &bytes[200..];
        match tail.len() {
            0 => lost += 1,
            _ if tail.iter().any(|byte| *byte != 2) => reordered += 1,
            200 => kept += 1,
            _ => torn += 1,
        }
        named += u32::from(image.bytes(&dir.join("g")).is_some());
        let again = disk.fork();
        again.power_cut(seed);
        assert_eq!(again.bytes(&path).unwrap(), bytes, "the seed decides");
    }
    assert!(
        lost > 0 && kept > 0 && torn > 0 && reordered > 0,
        "{lost} {kept} {torn} {reordered}"
    );
    assert!(named > 0 && named < 200);
    assert_eq!(disk.fork().boot_id(), disk.boot_id());
    file.append(b"x").unwrap();
    disk.kill();
    assert_eq!(file.append(b"x").unwrap_err().kind, DiskErrorKind::Gone);
    assert_eq!(
        disk.bytes(&path).unwrap().len(),
        401,
        "a dead process loses nothing it wrote"
    );
}

/// A synced file whose name was never synced may be gone: the reason for [`Disk::sync_dir`].
#[test]
fn a_name_is_durable_only_with_its_folder() {
    let dir = Path::new("/d");
    let disk = SimDisk::new();
    disk.create_dir(dir).unwrap();
    let mut file = disk.create(&dir.join("f")).unwrap();
    file.append(b"x").unwrap();
    file.sync().unwrap();
    let gone = (0..50).filter(|seed| {
        let image = disk.fork();
        image.power_cut(*seed);
        image.bytes(&dir.join("f")).is_none()
    });
    assert!(gone.count() > 0);
}

/// After a failed sync a second one answers well and saves nothing.
#[test]
fn a_failed_sync_dooms_its_bytes() {
    let dir = Path::new("/d");
    let disk = SimDisk::new();
    disk.create_dir(dir).unwrap();
    let mut file = disk.create(&dir.join("f")).unwrap();
    disk.sync_dir(dir).unwrap();
    file.append(b"abc").unwrap();
    disk.inject(Fault {
        op: Some(DiskOp::Sync),
        after: 0,
        kind: FaultKind::Io,
    });
    assert_eq!(file.sync().unwrap_err().op, DiskOp::Sync);
    disk.clear_faults();
    file.sync().unwrap();
    let lost = (0..50).filter(|seed| {
        let image = disk.fork();
        image.power_cut(*seed);
        image.bytes(&dir.join("f")).unwrap() != b"abc"
    });
    assert!(lost.count() > 0);
}

#[test]
fn space_and_halting() {
    let dir = Path::new("/d");
    let disk = SimDisk::new();
    disk.create_dir(dir).unwrap();
    let mut file = disk.create(&dir.join("f")).unwrap();
    disk.set_space(Some(4));
    assert_eq!(
        file.append(b"abcdef").unwrap_err().kind,
        DiskErrorKind::Full
    );
    assert_eq!(disk.bytes(&dir.join("f")).unwrap(), b"abcd");
    disk.set_space(None);
    disk.halt_after(1);
    file.sync().unwrap();
    assert_eq!(file.append(b"x").unwrap_err().kind, DiskErrorKind::Gone);
    assert!(disk.halted());
}
