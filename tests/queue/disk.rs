//! A disk that is full: what was recorded stays, and work goes on once there is room again.

use crate::{bay::Bay, database::Database, ledger::Ledger, server, small_disk::SmallDisk};
use std::{fs, process::Command};
use taskbay_core::TaskName;
use taskbay_engine::{Engine, EngineError, NewRequest};

/// Submits requests until the engine has no room for more; says how many were taken.
fn submit_until_full(engine: &dyn Engine) -> i64 {
    let task = TaskName::fold("noop").unwrap();
    let data = format!("{{}}{}", " ".repeat(60_000));
    let request = NewRequest::new(task, data);
    for taken in 0..10_000 {
        match engine.submit(&request) {
            Ok(_) => {}
            Err(EngineError::Unavailable { .. }) => return taken,
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("the disk is not full");
}

/// The disk is filled while a request is executed and others wait.
fn goes_on(bay: &Bay, disk: &SmallDisk, mend: impl FnOnce()) {
    let ledger = Ledger::of(bay);
    let _scheduler = bay.scheduler();
    let _worker = bay.worker("worker");
    let running = bay.submit(&["sleep", r#"{"seconds": 1}"#]);
    bay.runs(running, 1);
    let waiting = bay.submit(&["sleep", r#"{"seconds": 0}"#]);
    disk.fill();
    let mut taken = submit_until_full(&*bay.engine());
    // A request that is not taken is not half taken.
    let data = bay.farm.path("large.json");
    fs::write(&data, format!("{{}}{}", " ".repeat(60_000))).unwrap();
    let submit = ["submit", "noop", data.to_str().unwrap()];
    loop {
        let ran = bay.run(&submit);
        if ran.code != Some(0) {
            ran.fails(6, &["is not available", "the disk is not full"]);
            break;
        }
        // A server that has found no room may have made some, at the cost of what it kept for later.
        taken += 1;
        disk.fill();
    }
    disk.clear();
    mend();
    bay.run(&submit).succeeds();
    let all = 2 + taken + 1;
    ledger.wait_for(bay, all);
    ledger.all_succeeded(all);
    assert_eq!(bay.show(running)["result"], "success");
    assert_eq!(bay.show(waiting)["result"], "success");
}

pub(crate) fn a_file_on_a_full_disk_stays_whole() {
    let bay = Bay::sqlite();
    let place = bay.farm.path("small");
    fs::create_dir(&place).unwrap();
    let Some(disk) = SmallDisk::on(&place, "16m") else {
        return;
    };
    let bay = Bay::at(format!("sqlite://{}", place.join("queue.db").display()));
    goes_on(&bay, &disk, || {});
    let ledger = Ledger::at(&bay);
    assert_eq!(
        ledger.count("select integrity_check = 'ok' from pragma_integrity_check"),
        1
    );
}

pub(crate) fn a_server_on_a_full_disk_stays_whole() {
    let folder = server::folder();
    let data = folder.join("data");
    fs::create_dir(&data).unwrap();
    let Some(disk) = SmallDisk::on(&data, "160m") else {
        fs::remove_dir_all(folder).unwrap();
        return;
    };
    // To whoever the folder is given.
    let _ = server::unprivileged(&folder);
    let given = Command::new("chown")
        .arg(format!("--reference={}", folder.display()))
        .arg(&data)
        .status();
    assert!(given.unwrap().success());
    let mode = Command::new("chmod").arg("700").arg(&data).status();
    assert!(mode.unwrap().success());
    let sizes = "-c max_wal_size=32MB -c min_wal_size=32MB";
    let Some(mut database) = Database::in_folder(folder, sizes) else {
        return;
    };
    let bay = Bay::at(database.url("postgres"));
    // Without room for its journal it stops, and somebody starts it again.
    goes_on(&bay, &disk, || database.restart_if_dead());
    drop(bay);
    // First, so that the server's folder can go with it.
    drop(disk);
    database.stop();
}
