//! The tasks of this process, by name.

use crate::Plugin;
use std::{collections::BTreeMap, path::PathBuf};

/// The loaded plugins by their tasks' names.
#[derive(Debug, Default)]
pub struct Registry(BTreeMap<String, Plugin>);

/// A name that is taken by an earlier plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task `{name}` is taken by {}", file.display())]
pub struct Taken {
    /// The task's name.
    pub name: String,
    /// The file of the plugin that has it.
    pub file: PathBuf,
}

/// A name that no plugin has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no task `{name}`")]
pub struct UnknownTask {
    /// The name in lower case.
    pub name: String,
    /// The most similar name that there is.
    pub near: Option<String>,
}

impl Registry {
    /// Adds a plugin, unless an earlier one has its name: then that one stays.
    ///
    /// # Errors
    ///
    /// Who has the name.
    pub fn register(&mut self, plugin: Plugin) -> Result<(), Taken> {
        let name = plugin.name().as_str();
        if let Some(first) = self.0.get(name) {
            return Err(Taken {
                name: name.to_owned(),
                file: first.path().to_owned(),
            });
        }
        self.0.insert(name.to_owned(), plugin);
        Ok(())
    }

    /// Adds a plugin whose name a catalog gave to it alone.
    pub(crate) fn add(&mut self, plugin: Plugin) {
        let name = plugin.name().as_str().to_owned();
        self.0.entry(name).or_insert(plugin);
    }

    /// The plugin of that name in any case. Nothing is trimmed.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&Plugin, UnknownTask> {
        let name = name.to_ascii_lowercase();
        self.0
            .get(&name)
            .ok_or_else(|| UnknownTask::new(name, self.names()))
    }

    /// Whether there is a task of that name, in any case.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(&name.to_ascii_lowercase())
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The plugins, sorted by name.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.0.values()
    }
}

impl UnknownTask {
    /// An unknown name, next to those that are known.
    pub fn new<'a>(name: String, known: impl Iterator<Item = &'a str>) -> Self {
        // Of the longer names more letters may be wrong.
        let most = name.chars().count().div_ceil(3).max(1);
        let near = known
            .map(|each| (strsim::osa_distance(&name, each), each))
            .filter(|(distance, _)| *distance <= most)
            .min()
            .map(|(_, each)| each.to_owned());
        Self { name, near }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match &self.near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`taskbay list` shows the tasks that there are".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(name: &str, expected: Option<&str>) {
        let known = ["blhc", "debdiff", "lintian", "noop"];
        let unknown = UnknownTask::new(name.to_owned(), known.into_iter());
        assert_eq!(unknown.near.as_deref(), expected, "{name:?}");
    }

    #[test]
    fn suggests_a_near_name_or_none() {
        near("lintina", Some("lintian"));
        near(" noop", Some("noop"));
        near("debdif", Some("debdiff"));
        near("autopkgtest", None);
        near("", None);
    }
}
