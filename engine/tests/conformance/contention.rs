use crate::bay::{Bay, noop, success, wait_for};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{sync::mpsc, thread, time::Duration};
use taskbay_core::{Metadata, Verdict};
use taskbay_engine::{Lease, NewRequest, NewVerdict, Status};

/// Makes every such change of a table take half a second, so that another is sure to come in between.
fn slow(bay: &Bay, trigger: &str) {
    bay.execute(
        "create or replace function dawdle() returns trigger language plpgsql as $$ begin
            perform pg_sleep(0.5);
            return new;
        end $$",
    );
    bay.execute(&format!(
        "create {trigger} for each row execute function taskbay.dawdle()"
    ));
}

/// Calls a function past the engine, which would try again.
fn call(bay: &Bay, function: &str, lease: &Lease, more: &str) {
    let Lease {
        request,
        attempt,
        fence,
    } = lease;
    let sql = format!("select taskbay.{function}({request}, {attempt}, {fence}, {more})");
    let done = wait_for(async {
        let mut connection = PgConnection::connect(&bay.url).await?;
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
    });
    done.unwrap();
}

/// The second of two calls that lock the same rows comes while the first is in the middle.
fn meanwhile(first: impl FnOnce() + Send, second: impl FnOnce()) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        thread::sleep(Duration::from_millis(200));
        second();
        first.join().unwrap();
    });
}

#[test]
fn an_attempt_ends_while_it_stores_an_artifact() {
    let Some(bay) = Bay::postgres() else { return };
    bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    slow(&bay, "trigger slow before insert on taskbay.artifacts");
    meanwhile(
        || call(&bay, "create_artifact", &lease, "'test', '{}', '[]'"),
        || call(&bay, "complete", &lease, "'success', '[]'"),
    );
    assert_eq!(bay.number("select count(*) from artifacts"), 1);
}

/// What is tried again while old requests are removed waits, and is not removed.
#[test]
fn a_request_is_tried_again_while_it_is_removed() {
    let Some(bay) = Bay::postgres() else { return };
    let id = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    bay.engine.complete(&lease, &success()).unwrap();
    slow(&bay, "trigger slow before update on taskbay.requests");
    meanwhile(
        || bay.engine.retry(id).unwrap(),
        || assert!(bay.engine.prune(Duration::ZERO).is_ok()),
    );
    let request = bay.engine.request(id).unwrap().request;
    assert_eq!(request.status, Status::Pending);
}

#[test]
fn what_others_were_in_the_way_of_is_tried_again() {
    let Some(bay) = Bay::postgres() else { return };
    // What a sequence gave, no rollback takes back.
    bay.execute("create sequence tries");
    bay.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin
            case nextval('taskbay.tries')
                when 1 then raise exception using errcode = '40001';
                when 2 then raise exception using errcode = '40P01';
                else return new;
            end case;
        end $$",
    );
    bay.execute(
        "create trigger refuse before insert on requests for each row execute function refuse()",
    );
    bay.engine.submit(&NewRequest::new(noop(), "{}")).unwrap();
    assert_eq!(bay.number("select count(*) from requests"), 1);
    assert_eq!(bay.number("select last_value from tries"), 3);
}

fn moved_on() -> Metadata {
    let mut metadata = Metadata::default();
    metadata.insert("test:moved", json!("on"));
    metadata
}

/// Verdict rows on metadata that no worker has.
fn strays(bay: &Bay) -> i64 {
    bay.number("select count(*) from verdicts v where not exists (select from workers w where w.hash = v.hash)")
}

#[test]
fn a_verdict_on_what_is_given_up_meanwhile_stays_not() {
    let Some(bay) = Bay::postgres() else { return };
    let id = bay.submit(0);
    assert!(bay.engine.sign(id, "s").unwrap().is_some());
    let verdict = NewVerdict {
        signature: "s".to_owned(),
        metadata_hash: bay.report("w"),
        verdict: Verdict::default(),
    };
    slow(&bay, "trigger slow before insert on taskbay.verdicts");
    meanwhile(
        || assert_eq!(bay.engine.record_verdicts(&[verdict]).unwrap(), 1),
        || drop(bay.report_with("w", moved_on())),
    );
    assert_eq!(strays(&bay), 0);
}

#[test]
fn what_two_workers_give_up_at_once_is_gone() {
    let Some(bay) = Bay::postgres() else { return };
    let mut same = Metadata::default();
    same.insert("test:same", json!(true));
    let hash = bay.report_with("first", same.clone());
    bay.report_with("second", same);
    let id = bay.submit(0);
    assert!(bay.engine.sign(id, "s").unwrap().is_some());
    bay.verdict("s", &hash, Verdict::default());
    // At the end of the transaction.
    slow(
        &bay,
        "constraint trigger slow after update on taskbay.workers deferrable initially deferred",
    );
    meanwhile(
        || drop(bay.report_with("first", moved_on())),
        || drop(bay.report_with("second", moved_on())),
    );
    assert_eq!(strays(&bay), 0);
    assert_eq!(bay.number("select count(*) from verdicts"), 0);
}

/// A signature that comes into use while it is removed stays, and keeps nothing else from being removed.
#[test]
fn what_comes_into_use_meanwhile_is_not_pruned() {
    let Some(bay) = Bay::postgres() else { return };
    let [old, id] = [bay.submit(0), bay.submit(0)];
    assert!(bay.engine.sign(old, "s").unwrap().is_some());
    bay.execute(&format!(
        "update requests set signature_id = null where id = {old}"
    ));
    bay.execute("insert into chunks (sha256, bytes, kept_at) values ('stray', '', 0)");
    slow(&bay, "trigger slow before update on taskbay.requests");
    meanwhile(
        || assert!(bay.engine.sign(id, "s").unwrap().is_some()),
        || assert_eq!(bay.engine.prune(Duration::MAX).unwrap().chunks, 1),
    );
    assert_eq!(bay.engine.pending_signatures(0, 9).unwrap()[0].key, "s");
}

/// A verdict on a signature that is removed meanwhile is dropped, and takes none of those that come with it along.
#[test]
fn a_verdict_on_what_is_pruned_meanwhile_is_dropped() {
    let Some(bay) = Bay::postgres() else { return };
    let [old, id] = [bay.submit(0), bay.submit(0)];
    assert!(bay.engine.sign(old, "gone").unwrap().is_some());
    assert!(bay.engine.sign(id, "stays").unwrap().is_some());
    bay.engine.abort(old).unwrap();
    let hash = bay.report("w");
    let verdicts = ["gone", "stays"].map(|signature| NewVerdict {
        signature: signature.to_owned(),
        metadata_hash: hash.clone(),
        verdict: Verdict::default(),
    });
    bay.execute("update requests set signature_id = null where status = 'completed'");
    slow(&bay, "trigger slow after delete on taskbay.signatures");
    meanwhile(
        || assert_eq!(bay.engine.prune(Duration::MAX).unwrap().signatures, 1),
        || assert_eq!(bay.engine.record_verdicts(&verdicts).unwrap(), 1),
    );
    assert_eq!(bay.work_off("w"), [id]);
}

/// Whoever is paused in the middle of a transaction, or whose machine is gone, keeps nobody for long from what it locked. It is
/// told that it changed nothing, and works on.
#[test]
fn what_a_paused_transaction_locked_is_free_soon() {
    let Some(bay) = Bay::postgres() else { return };
    bay.report("w");
    let engine = bay.reopened();
    let (tells, is_told) = mpsc::channel();
    let (wakes, is_woken) = mpsc::channel::<()>();
    let drain = move || {
        engine.change_worker("w", &|settings| {
            settings.draining = true;
            let _ = tells.send(());
            let _ = is_woken.recv();
        })
    };
    thread::scope(|scope| {
        // Woken, too, where the rest fails.
        let wakes = wakes;
        let paused = scope.spawn(move || (drain(), drain()));
        is_told.recv().unwrap();
        bay.report_with("w", moved_on());
        drop(wakes);
        let (paused, next) = paused.join().unwrap();
        assert!(paused.unwrap_err().is_temporary());
        assert!(next.unwrap().draining);
    });
}
