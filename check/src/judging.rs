//! Verdicts: always the same, and decided by the given metadata and data alone.

use crate::{
    Options,
    answering::Answered,
    options::bare,
    record::Record,
    test::{Objection, Tried, fault, found, passed, skip},
};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{Condition, Metadata, Requirement, Verdict};
use taskbay_worker::{Failure, Hosts};

/// How often each worker is judged by one process.
const TURNS: usize = 3;

/// How much later a worker is judged again: a clock that shows seconds shows other ones.
const LATER: Duration = Duration::from_millis(1100);

/// Judges workers, and judges them again elsewhere.
pub(crate) fn run(answered: &Answered, options: &Options, record: &mut Record) -> Option<()> {
    let workers = workers(answered);
    record.test("verdict-code", || code(answered, &workers, options));
    let verdicts = record.test("verdict", || repeats(answered, &workers, options))?;
    let judged = Instant::now();
    record.test("verdict-facts", || {
        facts(answered, &workers, &verdicts, judged, options)
    });
    record.test("verdict-elsewhere", || {
        elsewhere(answered, &workers, &verdicts, options)
    });
    Some(())
}

/// Code of its own is asked.
fn code(answered: &Answered, workers: &[Metadata], options: &Options) -> Tried<()> {
    if answered.configured.own_code.is_some() {
        return passed("it judges with code of its own, which is asked");
    }
    let mut hosts = options.hosts();
    for worker in workers {
        let verdict = hosts.own_code(&answered.loaded.file, &answered.configured, worker)?;
        if !verdict.can_run() {
            return fault(
                format!(
                    "it has code of its own that nobody asks: {}",
                    said(&verdict)
                ),
                "set `const HAS_CAN_RUN_ON: bool = true;` beside Task::can_run_on, or leave that out",
            );
        }
    }
    passed("it judges by its requirements alone")
}

/// This worker, the same with everything that the task requires, and one that says nothing of itself.
fn workers(answered: &Answered) -> [Metadata; 3] {
    let mut suitable = answered.worker.clone();
    for requirement in &answered.configured.requirements {
        fulfil(requirement, &mut suitable);
    }
    [suitable, answered.worker.clone(), Metadata::default()]
}

/// Makes the worker one that fulfils the requirement.
fn fulfil(requirement: &Requirement, worker: &mut Metadata) {
    let key = requirement.key().as_str();
    let value = match requirement.condition() {
        Condition::Equals(value) => value.clone(),
        Condition::Contains(value) => match worker.value(key) {
            Some(Value::Array(others)) => {
                let mut all = others.clone();
                all.push(value.clone());
                all.into()
            }
            _ => json!([value]),
        },
        Condition::AtLeast(least) => json!(least),
        Condition::Present(true) => json!(true),
        Condition::Present(false) => Value::Null,
        Condition::OneOf(values) => values.first().cloned().unwrap_or_default(),
    };
    if !requirement.holds(worker) {
        worker.insert(key, value);
    }
}

/// Each worker is judged several times by one process, and again by another.
fn repeats(answered: &Answered, workers: &[Metadata], options: &Options) -> Tried<Vec<Verdict>> {
    let first = judge(answered, workers, &mut options.hosts())?;
    let mut hosts = options.hosts();
    for (worker, verdict) in workers.iter().zip(&first) {
        let again = judge(answered, &vec![worker.clone(); TURNS], &mut hosts)?;
        compare(&vec![verdict.clone(); TURNS], &again, "asked again")?;
    }
    let suitable = match first.first() {
        Some(verdict) if !verdict.can_run() => {
            "; its own code refuses a worker that has all it requires"
        }
        _ => "",
    };
    let message = format!(
        "{} verdicts on {} workers, each the same every time{suitable}",
        (TURNS + 1) * workers.len(),
        workers.len()
    );
    found(first, message)
}

/// What is not in the metadata changes nothing, and neither does what is there and none of the task's business.
fn facts(
    answered: &Answered,
    workers: &[Metadata],
    verdicts: &[Verdict],
    judged: Instant,
    options: &Options,
) -> Tried<()> {
    let elsewhere = judge(answered, workers, &mut options.hosts_in(bare()))?;
    compare(
        verdicts,
        &elsewhere,
        "asked with another environment and directory",
    )?;
    let more: Vec<_> = workers.iter().map(with_unrelated).collect();
    let more = judge(answered, &more, &mut options.hosts())?;
    compare(
        verdicts,
        &more,
        "asked of workers with more keys, none of them its own",
    )?;
    thread::sleep(LATER.saturating_sub(judged.elapsed()));
    let later = judge(answered, workers, &mut options.hosts())?;
    compare(verdicts, &later, "asked a second later")?;
    passed(
        "the same in another environment and directory, a second later, and of workers with more keys",
    )
}

/// What this machine is changes nothing either.
fn elsewhere(
    answered: &Answered,
    workers: &[Metadata],
    verdicts: &[Verdict],
    options: &Options,
) -> Tried<()> {
    let mut hosts = options.hosts_elsewhere();
    // What can be loaded here and cannot there has no other machine to be asked on.
    match hosts.describe(&answered.loaded.file) {
        Err(Failure::Interrupted) => return Err(Failure::Interrupted.into()),
        Err(failure) => {
            return skip(
                format!("it cannot be asked on what would be another machine to it: {failure}"),
                "check it where this user may make namespaces, as `unshare --mount --uts --map-root-user true` does, with all \
                 libraries that it needs below /usr/lib or /usr/local/lib",
            );
        }
        Ok(_) => {}
    }
    let there = judge(answered, workers, &mut hosts)?;
    compare(verdicts, &there, "asked on another machine")?;
    passed("the same on another machine")
}

fn with_unrelated(worker: &Metadata) -> Metadata {
    let mut more = Metadata::default();
    more.insert("aaa-unrelated:available", true);
    more.extend(worker.clone());
    for number in 0..100 {
        more.insert(
            &format!("zzz-unrelated:{number}"),
            json!([number, null, "x"]),
        );
    }
    more
}

fn judge(
    answered: &Answered,
    workers: &[Metadata],
    hosts: &mut Hosts,
) -> Result<Vec<Verdict>, Objection> {
    let mut verdicts = Vec::new();
    for worker in workers {
        let verdict = hosts.can_run(&answered.loaded.file, &answered.configured, worker)?;
        if verdict.has_failed() {
            return fault(
                format!("it failed to judge a worker: {}", said(&verdict)),
                "make Task::can_run_on answer for any metadata",
            );
        }
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

fn compare(first: &[Verdict], again: &[Verdict], when: &str) -> Result<(), Objection> {
    match first.iter().zip(again).find(|(one, other)| one != other) {
        None => Ok(()),
        Some((one, other)) => fault(
            format!(
                "{when}, it says \"{}\", and had said \"{}\"",
                said(other),
                said(one)
            ),
            "decide by the given metadata and the task data alone: verdicts are kept, and asked for elsewhere",
        ),
    }
}

fn said(verdict: &Verdict) -> String {
    if verdict.can_run() {
        return "yes".to_owned();
    }
    let messages = verdict.reasons.iter().map(|reason| reason.message.as_str());
    messages.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_can_be_made_to_fulfil_every_condition() {
        for requirement in [
            Requirement::equals("a", 1),
            Requirement::contains("b", "x"),
            Requirement::at_least("c", 7.0),
            Requirement::present("d"),
            Requirement::new("e", Condition::Present(false)),
            Requirement::one_of("f", ["y", "z"]),
        ] {
            let text = r#"{"a": 2, "b": ["w"], "c": 1, "d": null, "e": 1, "f": "x"}"#;
            let mut worker = Metadata::parse(text).unwrap();
            assert!(!requirement.holds(&worker), "{requirement:?}");
            fulfil(&requirement, &mut worker);
            assert!(requirement.holds(&worker), "{requirement:?}");
        }
    }
}
