//! What a plugin says of task data that is valid.

use crate::{Confinement, Requirement};
use serde::{Deserialize, Serialize};

/// What a plugin says of task data that is valid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Configured {
    /// The data as JSON text, defaults filled in.
    pub data: String,
    /// What a worker must fulfil: the declared requirements, and the implied one on the architecture.
    pub requirements: Vec<Requirement>,
    /// How the task's own code decides, where it has some.
    pub own_code: Option<OwnCode>,
    /// What the task says of itself beside that.
    #[serde(default)]
    pub declared: Declared,
}

/// A task that decides with code of its own, after its requirements are fulfilled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnCode {
    /// Data with the same key is decided in the same way. Without one, each data may be another case.
    pub match_key: Option<String>,
}

/// What a configured task says of itself, beside its data and what decides who may execute it.
///
/// A key that is not there, as of an older plugin, has its default; one that is not known here is a newer plugin's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Declared {
    /// How little of the machine it can live with as it executes.
    pub confinement: Confinement,
}
