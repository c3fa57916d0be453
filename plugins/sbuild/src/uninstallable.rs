//! Why build dependencies cannot be installed, as sbuild has dose explain it in the log.

use crate::block;
use serde_json::Value;

/// The line before an explanation.
const START: &str = "(I)Dose_applications: Solving...";
/// How the head of the next section starts.
const SECTION: &str = "+----";
/// More than any explanation has, in bytes; the data of an artifact has room for it.
const LONGEST: usize = 256 * 1024;
/// What an explanation counts.
const COUNTS: [&str; 4] = [
    "total-packages",
    "broken-packages",
    "background-packages",
    "foreground-packages",
];

/// The explanation in a log, which is read line by line.
#[derive(Debug, Default)]
pub(crate) struct Explanation {
    text: Option<String>,
    is_over: bool,
}

impl Explanation {
    /// Takes the next line.
    pub(crate) fn hear(&mut self, line: &str) {
        let Some(text) = &mut self.text else {
            self.text = (line == START).then(String::new);
            return;
        };
        self.is_over |= line.starts_with(SECTION);
        if self.is_over {
            return;
        }
        text.push_str(line);
        text.push('\n');
        if text.len() > LONGEST {
            text.clear();
            self.is_over = true;
        }
    }

    /// The explanation in the form of the category `debian:package-build-log`; none where there is none of that form, since a
    /// server refuses data of another.
    pub(crate) fn value(&self) -> Option<Value> {
        explanation(self.text.as_deref()?)
    }
}

fn explanation(text: &str) -> Option<Value> {
    let mut explanation = block::parse(text)?;
    for count in COUNTS {
        let number: u64 = explanation.get(count)?.as_str()?.parse().ok()?;
        explanation[count] = number.into();
    }
    for package in explanation.get_mut("report")?.as_array_mut()? {
        if let Some(essential) = package.get_mut("essential") {
            *essential = essential.as_str()?.parse::<bool>().ok()?.into();
        }
    }
    is_explanation(&explanation).then_some(explanation)
}

fn is_explanation(value: &Value) -> bool {
    let (counts, others): (Vec<_>, Vec<_>) =
        fields(value).partition(|(key, _)| COUNTS.contains(key));
    counts.len() == COUNTS.len()
        && value["output-version"].is_string()
        && others.into_iter().all(|(key, value)| match key {
            "output-version"
            | "native-architecture"
            | "foreign-architecture"
            | "host-architecture" => value.is_string(),
            "report" => all(value, is_package),
            _ => false,
        })
}

fn is_package(value: &Value) -> bool {
    let words = fields(value).filter(|(key, _)| !["reasons", "essential"].contains(key));
    has(value, &["package", "version", "status", "reasons"])
        && ["broken", "ok"].map(Value::from).contains(&value["status"])
        && all(&value["reasons"], is_reason)
        && are_words(
            words,
            &[
                "package",
                "version",
                "architecture",
                "status",
                "type",
                "source",
                "success",
            ],
        )
}

fn is_reason(value: &Value) -> bool {
    let mut reasons = fields(value);
    let (Some((kind, reason)), None) = (reasons.next(), reasons.next()) else {
        return false;
    };
    let (packages, chains, why): (&[&str], &[&str], _) = match kind {
        "missing" => (&["pkg"], &["depchains"], "unsat-dependency"),
        "conflict" => (
            &["pkg1", "pkg2"],
            &["depchain1", "depchain2"],
            "unsat-conflict",
        ),
        _ => return false,
    };
    has(reason, packages)
        && fields(reason).all(|(key, value)| {
            packages.contains(&key) && is_named(value, why)
                || chains.contains(&key) && all(value, is_chain)
        })
}

fn is_chain(value: &Value) -> bool {
    let is_link = |value: &Value| is_named(value, "depends");
    has(value, &["depchain"])
        && fields(value).all(|(key, value)| key == "depchain" && all(value, is_link))
}

/// Whether it names a package, and may say that of it.
fn is_named(value: &Value, may_say: &str) -> bool {
    has(value, &["package", "version"])
        && are_words(
            fields(value),
            &["package", "version", "architecture", may_say],
        )
}

fn are_words<'v>(fields: impl Iterator<Item = (&'v str, &'v Value)>, known: &[&str]) -> bool {
    let mut fields = fields;
    fields.all(|(key, value)| known.contains(&key) && value.is_string())
}

fn has(value: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| value.get(key).is_some())
}

fn all(value: &Value, is_one: impl Fn(&Value) -> bool) -> bool {
    value
        .as_array()
        .is_some_and(|values| values.iter().all(is_one))
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(key, value)| (key.as_str(), value))
}

#[cfg(test)]
mod tests;
