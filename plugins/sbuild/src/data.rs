//! What an sbuild work request may say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use taskbay_debian::InEnvironment;
use taskbay_plugin_api::{Lookup, Lookups, TaskConfigError};

/// What an sbuild work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({
    "input": {"source_artifact": "./hello_2.10-3.dsc"},
    "environment": "debian/match:codename=bookworm:variant=buildd",
    "build_architecture": "amd64"
}))]
pub(crate) struct Sbuild {
    /// What is built.
    pub(crate) input: Input,
    /// Where it runs.
    #[serde(flatten)]
    pub(crate) place: InEnvironment,
    /// Which packages are built.
    #[serde(default = "any")]
    pub(crate) build_components: Vec<Component>,
    /// Builds binary packages of another version from the same source.
    #[serde(default)]
    pub(crate) binnmu: Option<BinNmu>,
    /// The build profiles.
    #[serde(default)]
    pub(crate) build_profiles: Option<Vec<String>>,
    /// How build dependencies are chosen.
    #[serde(default)]
    pub(crate) build_dep_resolver: Option<Resolver>,
    /// What aspcud minimises, where it chooses them.
    #[serde(default)]
    pub(crate) aspcud_criteria: Option<String>,
    /// Whether alternatives beyond the first are looked at.
    #[serde(default)]
    pub(crate) resolve_alternatives: Option<bool>,
}

/// What is built.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The source package: an artifact of category `debian:source-package` or `debian:upload`.
    pub(crate) source_artifact: Lookup,
    /// Binary packages that build dependencies may be, too.
    #[serde(default)]
    pub(crate) extra_binary_artifacts: Lookups,
}

/// Which packages are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Component {
    /// Those for one architecture.
    Any,
    /// Those for all architectures.
    All,
    /// The source package.
    Source,
}

/// A build of another version from the same source.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BinNmu {
    /// The entry in the list of changes.
    pub(crate) changelog: String,
    /// What is put behind the version, as `+b1`.
    pub(crate) suffix: String,
    /// The date of the entry, in RFC 3339, as `2024-01-31T12:00:00Z` or `2024-01-31T13:00:00+01:00`.
    #[serde(default)]
    pub(crate) timestamp: Option<String>,
    /// Who makes it, as `Name <address>`.
    #[serde(default)]
    pub(crate) maintainer: Option<String>,
}

/// How build dependencies are chosen.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Resolver {
    /// By apt.
    Apt,
    /// By aptitude.
    Aptitude,
    /// By a solver of constraints.
    Aspcud,
    /// For cross builds.
    Xapt,
}

fn any() -> Vec<Component> {
    vec![Component::Any]
}

impl Sbuild {
    /// The architecture to build for; empty only where [`faults`](Self::faults) says so.
    pub(crate) fn architecture(&self) -> &str {
        self.place.architecture().unwrap_or_default()
    }

    /// What the build is for, as its log is filed: an architecture, or `all` or `source` where nothing else is built.
    pub(crate) fn target(&self) -> &str {
        match self.build_components[..] {
            [Component::All] => "all",
            [Component::Source] => "source",
            _ => self.architecture(),
        }
    }

    /// What is wrong beyond what the schema says.
    pub(crate) fn faults(&self) -> Vec<TaskConfigError> {
        let mut faults = self.place.faults_with_architecture();
        let mut fault = |pointer: &str, message: &str| {
            faults.push(TaskConfigError::new(pointer, message));
        };
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        };
        if self.build_components.is_empty() {
            fault("/build_components", "needs `any`, `all` or `source`");
        }
        if !self
            .build_profiles
            .iter()
            .flatten()
            .all(|profile| is_word(profile))
        {
            fault(
                "/build_profiles",
                "holds something that is no name of a profile",
            );
        }
        if let Some(binnmu) = &self.binnmu {
            if self.build_components.contains(&Component::All) {
                fault(
                    "/build_components",
                    "cannot hold `all` in a binNMU, which is for one architecture",
                );
            }
            if binnmu.suffix.is_empty() {
                fault("/binnmu/suffix", "must not be empty, as `+b1`");
            }
            if binnmu.timestamp.is_some() && binnmu.seconds().is_none() {
                fault(
                    "/binnmu/timestamp",
                    "is no time in RFC 3339, as `2024-01-31T12:00:00Z` or `2024-01-31T13:00:00+01:00`",
                );
            }
        }
        faults
    }
}

impl BinNmu {
    /// Its date in seconds since 1970.
    pub(crate) fn seconds(&self) -> Option<u64> {
        let text = self.timestamp.as_ref()?.to_ascii_uppercase();
        let zone = text.len().checked_sub("+00:00".len());
        let zone = zone.and_then(|at| text.split_at_checked(at));
        let (local, offset) = match zone {
            Some((local, zone)) if zone.starts_with(['+', '-']) && zone.contains(':') => {
                (format!("{local}Z"), offset(zone)?)
            }
            _ => (text, 0),
        };
        let time = humantime::parse_rfc3339_weak(&local).ok()?;
        let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
        since.as_secs().checked_add_signed(-offset)
    }
}

/// How many seconds the clocks are ahead of UTC with that offset, as `+01:00`.
fn offset(zone: &str) -> Option<i64> {
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let number = |digits: &str, end: i64| -> Option<i64> {
        let is_number = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| is_number)?;
        (number < end).then_some(number)
    };
    let seconds = number(hours, 24)? * 3600 + number(minutes, 60)? * 60;
    Some(if zone.starts_with('-') {
        -seconds
    } else {
        seconds
    })
}
