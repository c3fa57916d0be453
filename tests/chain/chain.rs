//! An engine with a worker, and requests that are made of it.

use crate::{
    bay::{Bay, Service},
    farm::{Farm, Ran},
};
use serde_json::Value;
use std::{
    cell::Cell,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

/// An SQLite engine, and a service that executes what is asked of it.
pub(crate) struct Chain {
    pub(crate) bay: Bay,
    serve: Service,
    exported: AtomicUsize,
}

/// A request that is completed.
pub(crate) struct Step<'c> {
    chain: &'c Chain,
    task: &'c str,
    request: Value,
}

/// An artifact, as `taskbay artifact show` tells of it.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) id: u64,
    json: Value,
}

impl Chain {
    /// One that can execute these tasks, two at a time.
    pub(crate) fn of(tasks: &[&str]) -> Self {
        Self::with_worker(tasks, |_| Vec::new())
    }

    /// The same, with variables for its worker.
    pub(crate) fn with_worker(
        tasks: &[&str],
        variables: impl FnOnce(&Farm) -> Vec<(&'static str, String)>,
    ) -> Self {
        let farm = Farm::with(tasks);
        let url = format!("sqlite://{}", farm.path("queue.db").display());
        let bay = Bay { farm, url };
        let variables = variables(&bay.farm);
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let serve = bay.start_with(&["serve", "--name", "chain", "--slots", "2"], &variables);
        Self {
            bay,
            serve,
            exported: AtomicUsize::new(0),
        }
    }

    /// Stores what stands for that file.
    #[track_caller]
    pub(crate) fn import(&self, file: &Path) -> Made {
        let ran = self
            .bay
            .run(&["artifact", "import", file.to_str().unwrap(), "--json"]);
        self.artifact(ran.succeeds().json()["id"].as_u64().unwrap())
    }

    /// The artifact of that number.
    #[track_caller]
    pub(crate) fn artifact(&self, id: u64) -> Made {
        let ran = self
            .bay
            .run(&["artifact", "show", &id.to_string(), "--json"]);
        let json = ran.succeeds().json();
        Made { id, json }
    }

    /// The folder into which the files of that artifact have been written.
    #[track_caller]
    pub(crate) fn export(&self, made: &Made) -> PathBuf {
        let number = self.exported.fetch_add(1, Ordering::Relaxed);
        let folder = self.bay.farm.path(&format!("exported-{number}"));
        let id = made.id.to_string();
        let export = ["artifact", "export", &id, folder.to_str().unwrap()];
        self.bay.run(&export).succeeds();
        folder
    }

    /// Has the worker execute a task, and waits for what it comes to.
    #[track_caller]
    pub(crate) fn request<'c>(&'c self, task: &'c str, data: &Value) -> Step<'c> {
        let submit = ["submit", task, &data.to_string(), "--wait", "--json"];
        let ran = self
            .bay
            .run(&[&submit[..], &["--timeout", "40m", "--attempts", "1"]].concat());
        assert!(!ran.stdout.is_empty(), "{ran:?}\n{}", self.bay.logs());
        Step {
            chain: self,
            task,
            request: ran.json(),
        }
    }
}

impl Step<'_> {
    /// The same, which has this result.
    #[track_caller]
    pub(crate) fn is(self, result: &str) -> Self {
        assert_eq!(
            self.request["result"],
            result,
            "{}: {:#}\n{}",
            self.task,
            self.request,
            self.log()
        );
        self
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        let id = self.request["id"].to_string();
        self.chain.bay.run(&["logs", &id]).stdout
    }

    /// What went wrong.
    pub(crate) fn errors(&self) -> String {
        self.request["errors"].to_string()
    }

    /// What it made, in the order in which it did.
    pub(crate) fn made(&self) -> Vec<Made> {
        let artifacts = self.request["artifacts"].as_array().unwrap().iter();
        let ids = artifacts.map(|artifact| artifact["id"].as_u64().unwrap());
        ids.map(|id| self.chain.artifact(id)).collect()
    }

    /// The only artifact of that category that it made.
    #[track_caller]
    pub(crate) fn only(&self, category: &str) -> Made {
        let mut made = self.made();
        made.retain(|made| made.category() == category);
        assert_eq!(made.len(), 1, "{category}: {:#}", self.request);
        made.remove(0)
    }

    /// Asserts that it made artifacts of these categories, in that order.
    #[track_caller]
    pub(crate) fn made_only(&self, categories: &[&str]) {
        let made = self.made();
        let found: Vec<_> = made.iter().map(Made::category).collect();
        assert_eq!(found, categories, "{}", self.task);
    }
}

impl Made {
    pub(crate) fn category(&self) -> &str {
        self.json["category"].as_str().unwrap()
    }

    /// What is known of it.
    pub(crate) fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// Asserts that its data has these keys, and no others.
    #[track_caller]
    pub(crate) fn knows(&self, keys: &[&str]) -> &Self {
        let mut wanted = keys.to_vec();
        wanted.sort_unstable();
        let data = self.data().as_object().unwrap();
        let mut found: Vec<_> = data.keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, wanted, "{}", self.category());
        self
    }

    /// The names of its files.
    pub(crate) fn files(&self) -> Vec<&str> {
        let files = self.json["files"].as_array().unwrap().iter();
        files.map(|file| file["name"].as_str().unwrap()).collect()
    }

    /// The name of its file that ends so.
    #[track_caller]
    pub(crate) fn file(&self, ending: &str) -> &str {
        let mut files = self.files().into_iter();
        let found = files.find(|name| name.ends_with(ending));
        found.unwrap_or_else(|| panic!("no {ending} in {:#}", self.json))
    }

    /// Asserts that it is in that relation to each of these.
    #[track_caller]
    pub(crate) fn is_related(&self, kind: &str, targets: &[&Self]) -> &Self {
        let relations = self.json["relations"].as_array().unwrap();
        for target in targets {
            let is_it = |relation: &&Value| {
                relation["artifact"] == self.id
                    && relation["target"] == target.id
                    && relation["kind"] == kind
            };
            assert!(
                relations.iter().any(|relation| is_it(&relation)),
                "{} does not {kind} {}: {:#}",
                self.category(),
                target.category(),
                self.json
            );
        }
        self
    }
}

/// Says something past the harness, which shows nothing of a test that passes.
pub(crate) fn say(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}
