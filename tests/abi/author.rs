//! What authors have written against `taskbay-plugin-api` and `taskbay-test`: a task with no more than it must have, a task
//! with all that it may have, and their tests, with every public item.
//!
//! What is here stays as it is: where it no longer compiles, or no longer passes, the tasks of others break. What is new to
//! authors is added.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::Arc,
};
use taskbay_plugin_api::{
    Abort, Artifact, ArtifactId, Backend, Condition, Confinement, Context, Lookup, Lookups,
    Metadata, MetadataKey, Query, Refusal, Relation, RelationKind, Requirement, Selected, Selector,
    Server, ServerCall, ServerError, ServerReply, Task, TaskConfigError, TaskError, TaskName,
    export_task, is_available, log, make_directory, run, run_heard, run_to_file, run_to_files,
};
use taskbay_test::{
    Configured, Execution, FIRST_UPLOAD, FakeServer, LoadedConfigured, LoadedTask, LogLine, Reason,
    ReasonCode, Verdict, WorkerMetadata, artifact, configure, debian_mirror, empty_file,
    environment, execute, has_tools, is_full, native_architecture, packages,
};

/// As short as a task can be.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Least {}

impl Task for Least {
    const NAME: &'static str = "least";
    const VERSION: u32 = 1;

    fn execute(&self, _: &Context) -> Result<bool, TaskError> {
        Ok(true)
    }
}

/// With all that a task can say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({"input": 1}))]
struct Whole {
    input: Lookup,
    #[serde(default)]
    backend: Backend,
    #[serde(default)]
    least: f64,
    #[serde(default)]
    more: Lookups,
}

impl Task for Whole {
    const NAME: &'static str = "whole";
    const VERSION: u32 = 2;
    const HAS_CAN_RUN_ON: bool = true;

    fn schema() -> Option<Value> {
        Some(schemars::schema_for!(Self).into())
    }

    fn analyze_worker(known: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("whole:available", is_available("sh"));
        found.insert("whole:known", known.len());
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        if self.least < 0.0 {
            let fault = TaskConfigError::new("/least", "is negative").caused_by("the minus");
            return vec![fault];
        }
        Vec::new()
    }

    fn requirements(&self) -> Vec<Requirement> {
        vec![
            Requirement::equals("whole:available", true).because("sh is not installed"),
            Requirement::contains("system:architectures", "amd64"),
            Requirement::at_least("system:cpu_count", self.least),
            Requirement::present("system:worker_type"),
            Requirement::one_of("system:host_architecture", ["amd64", "arm64"]),
            Requirement::new("whole:broken", Condition::Present(false)),
        ]
    }

    fn can_run_on(&self, worker: &Metadata) -> Result<(), Refusal> {
        match worker.value("moon").and_then(Value::as_str) {
            Some("full") => Err(Refusal::new("the moon is full").and("wolves are out")),
            _ => Ok(()),
        }
    }

    fn match_key(&self) -> Option<String> {
        Some(self.least.to_string())
    }

    fn confinement(&self) -> Confinement {
        Confinement::Strict
    }

    fn label(&self) -> Option<String> {
        Some(format!("whole of {}", self.input))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let inputs = make_directory(context, "inputs")?;
        let server: &dyn Server = context.server();
        let (id, known): (ArtifactId, Artifact) = server.resolve(&self.input)?;
        let (_, fetched) = server.fetch(&self.input, &inputs)?;
        log::info!("{} has {} files", known.category, fetched.files.len());
        for (place, selected) in self.more.iter() {
            let ids: Vec<ArtifactId> = match selected {
                Selected::Lookup(lookup) => vec![server.resolve(lookup)?.0],
                Selected::Query(query) => server.find(query)?,
            };
            log::info!("at {place} are {ids:?}");
        }
        let report = context.work_directory().join("report");
        let mut heard = Vec::new();
        let sh = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let status: ExitStatus = run_to_file(context, &mut sh("echo 1"), &report)?;
        run(context, &mut sh("echo 2"))?;
        run_to_files(context, &mut sh("echo 3"), &report, &inputs.join("errors"))?;
        run_heard(context, &mut sh("echo 4"), [None, None], |line| {
            heard.push(line.to_owned());
        })?;
        if context.abort().is_set() || heard != ["4"] {
            return Err(TaskError::new("it was aborted"));
        }
        let made = Artifact::new("report", json!({"of": id}), vec![report]);
        let made = server.upload(made.with_root(context.work_directory()))?;
        let kind = RelationKind::RelatesTo;
        server.relate(Relation {
            artifact: made,
            target: id,
            kind,
        })?;
        Ok(status.success())
    }
}

export_task!(Whole);

/// A server of an author's own.
struct Deaf;

impl Server for Deaf {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        match call {
            ServerCall::Upload { .. } => Ok(ServerReply::Uploaded { id: 1 }),
            _ => Err(ServerError("it is deaf".to_owned())),
        }
    }
}

#[test]
fn a_task_is_tested_in_process() {
    let place = tempfile::tempdir().unwrap();
    let file: PathBuf = empty_file(place.path(), "input");
    assert_eq!(Least::requirements(&Least {}).len(), 0);
    assert!(execute(&Least {}, Vec::new()).is_success());

    let faults: Vec<TaskConfigError> =
        configure::<Whole>(&json!({"input": 1, "least": -1.0})).unwrap_err();
    assert_eq!(
        (&*faults[0].pointer, faults[0].cause.as_deref()),
        ("/least", Some("the minus"))
    );
    let task: Configured<Whole> = configure(&json!({"input": 1})).unwrap();
    assert_eq!(
        (task.data()["backend"].as_str(), task.least),
        (Some("auto"), 0.0)
    );

    let worker = WorkerMetadata::offering::<Whole>().with("whole:available", true);
    let verdict: Verdict = task.verdict(&worker.clone().build());
    assert!(verdict.can_run());
    let refused = task.verdict(&worker.clone().without("whole:available").build());
    let reason: &Reason = &refused.reasons[0];
    assert_eq!(
        (reason.code, reason.key.as_deref()),
        (ReasonCode::Requirement, Some("whole:available"))
    );
    assert_eq!(
        task.verdict(&worker.with("moon", "full").build())
            .reasons
            .len(),
        2
    );

    let execution: Execution = task.execute(vec![artifact("text", vec![file])]);
    assert!(execution.is_success() && execution.has_logged("text has 1 files"));
    execution.assert_logged("2");
    let lines: &[LogLine] = &execution.logs;
    assert!(
        lines
            .iter()
            .any(|line| line.level == log::Level::Info && !line.target.is_empty())
    );
    let server: &FakeServer = &execution.server;
    assert_eq!(server.uploads()[0].data, json!({"of": 1}));
    assert_eq!(server.relations(), [(FIRST_UPLOAD, 1)]);
    assert!(execution.work.path().join("inputs/input").exists());
    assert!(execute(&*task, Vec::new()).result.is_err());

    let query: Query = serde_json::from_value(json!({"collection": "x@debian:suite"})).unwrap();
    assert_eq!(
        (&query.collection, query.conditions.len()),
        (&Lookup::Text("x@debian:suite".to_owned()), 0)
    );
    let both = [Selector::Lookup(Lookup::Id(1)), Selector::Query(query)];
    let more = Lookups::List(both.into());
    assert!(!more.is_empty() && Lookups::default().is_empty());
    let task = configure::<Whole>(&json!({"input": 1, "more": more})).unwrap();
    let execution = task.execute(vec![
        artifact("text", Vec::new()),
        artifact("more", Vec::new()),
    ]);
    assert!(execution.has_logged("at /0 are [1]") && execution.has_logged("at /1 are [1, 2]"));
}

#[test]
fn a_context_is_made_by_hand() {
    let place = tempfile::tempdir().unwrap();
    let latch = Abort::new();
    let context = Context::new(place.path(), latch.clone()).with_server(Arc::new(Deaf));
    latch.set();
    assert!(context.abort().is_set() && Abort::watching(|| true).is_set());
    let server = context.server();
    let error: ServerError = server.resolve(&Lookup::Text("x".to_owned())).unwrap_err();
    assert_eq!(error.to_string(), "it is deaf");
    let made = Artifact::new("x", Value::Null, Vec::new());
    assert_eq!(server.upload(made).unwrap(), 1);
    let error = TaskError::from(TaskConfigError::new("/a", "gone"));
    assert_eq!(error.message(), "/a: gone");
    assert_eq!(
        Lookup::Text("./a".to_owned()).local_path(),
        Some(Path::new("./a"))
    );
    let name = TaskName::fold("Whole").unwrap();
    assert_eq!((name.as_str(), &*name.prefix("x")), ("whole", "whole:x"));
    let worker = Metadata::parse(r#"{"whole:version": 2}"#).unwrap();
    assert_eq!(
        worker.get(&MetadataKey::new("whole:version")),
        Some(&json!(2))
    );
    assert!(!Backend::Qemu.requirement().holds(&worker));
    let requirement = Requirement::present("whole:version");
    assert!(requirement.holds(&worker) && requirement.key().as_str() == "whole:version");
    let keys: BTreeSet<_> = worker.iter().map(|(key, _)| key).collect();
    assert_eq!((keys.len(), worker.is_empty()), (1, false));
}

#[test]
fn a_plugin_is_tested_behind_the_loader() {
    let file = crate::farm::built().join("libtaskbay_task_noop.so");
    let plugin: LoadedTask = LoadedTask::load(&file);
    assert_eq!((plugin.version(), plugin.schema().is_some()), (1, true));
    let worker: Metadata = WorkerMetadata::new().with("noop:version", 1).build();
    assert!(plugin.analyze(&worker).value("noop:broken").is_none());
    assert!(plugin.configure(&json!({"result": 1})).is_err());
    let task: LoadedConfigured<'_> = plugin.configure(&json!({})).unwrap();
    assert_eq!(
        (task.data(), task.requirements().len()),
        (json!({"result": true}), 0)
    );
    assert_eq!(
        (task.confinement(), task.label()),
        (Confinement::Strict, None)
    );
    assert!(task.verdict(&worker).can_run());
    assert!(task.execute(Vec::new()).is_success());
}

/// Some take minutes or the network, so it is enough that they are there.
#[test]
fn packages_and_tools_are_at_hand() {
    let _: [fn() -> bool; 1] = [is_full];
    let _: fn() -> Option<Artifact> = environment;
    let _: fn() -> Option<String> = debian_mirror;
    let _ = |directory: &Path| LoadedTask::build(directory, "taskbay-task-noop");
    if !has_tools(&["dpkg", "dpkg-deb", "dpkg-source"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let name = format!("hello_1.0_{}.deb", native_architecture());
    let deb = packages::deb(place.path(), &name, &[("usr/share/hello", "hello\n")]);
    let source = packages::source(place.path(), "hello_1.0.dsc", &[]);
    assert!(deb.is_file() && source[0].is_file());
    assert!(fs::metadata(&source[1]).unwrap().len() > 0);
}
