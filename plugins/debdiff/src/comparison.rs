//! Which files debdiff compares.

use crate::{input::Kind, side::Side};
use serde_json::{Value, json};
use std::{ffi::OsString, path::Path};
use taskbay_plugin_api::TaskConfigError;

/// The files that debdiff compares.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    original: Vec<&'a Path>,
    new: Vec<&'a Path>,
}

impl<'a> Comparison<'a> {
    /// Picks files of one type from both sides: of source packages the `.dsc`, else the `.changes`; of binary packages
    /// the `.changes`, which names them all, else the packages themselves.
    pub(crate) fn of(
        kind: Kind,
        original: &'a Side,
        new: &'a Side,
    ) -> Result<Self, TaskConfigError> {
        let (single, packages, wanted): (&[&str], &[&str], _) = match kind {
            Kind::Source => (
                &["dsc", "changes"],
                &[],
                "needs exactly one `.dsc` file, or exactly one `.changes` file, as the other side",
            ),
            Kind::Binary => (
                &["changes"],
                &["deb", "udeb"],
                "needs `.deb` or `.udeb` files, or exactly one `.changes` file, as the other side",
            ),
        };
        for ending in single {
            let (original, new) = (original.files(&[ending]), new.files(&[ending]));
            if original.len() == 1 && new.len() == 1 {
                return Ok(Self { original, new });
            }
        }
        let comparison = Self {
            original: original.files(packages),
            new: new.files(packages),
        };
        if comparison.original.is_empty() || comparison.new.is_empty() {
            let is_usable = |side: &Side| !side.files(&[single, packages].concat()).is_empty();
            let culprit = if is_usable(original) { new } else { original };
            return Err(culprit.fault(wanted));
        }
        Ok(comparison)
    }

    /// The files as debdiff takes them: a pair as it is, groups behind options.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let originals = self.original.iter().map(OsString::from);
        let news = self.new.iter().map(OsString::from);
        if let ([_], [_]) = (&self.original[..], &self.new[..]) {
            return originals.chain(news).collect();
        }
        let mut arguments = vec!["--from".into()];
        arguments.extend(originals);
        arguments.push("--to".into());
        arguments.extend(news);
        arguments
    }

    /// What the artifact says of the comparison: the names of the files, and what it is called.
    pub(crate) fn data(&self, label: Option<&str>) -> Value {
        json!({"original": names(&self.original), "new": names(&self.new), "label": label})
    }
}

fn names(files: &[&Path]) -> String {
    let names = files.iter().filter_map(|file| file.file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
    names.join(" ")
}
