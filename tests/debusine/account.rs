//! What came of a request, as lines: two workers that did the same give the same lines.

use crate::server::Server;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The lines of one request: its result, and all artifacts and relations that it made, with how many there are of a kind.
#[derive(Debug)]
pub(crate) struct Account(BTreeSet<String>);

/// Lines that only one of two workers gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// What they start with: whose they are, the request's name, and the line itself.
    pub(crate) lines: &'static [&'static str],
    /// Why that is right.
    pub(crate) why: &'static str,
}

impl Account {
    /// That of the request of that number, which is completed.
    pub(crate) fn of(server: &Server, id: i64) -> Self {
        let request = server.records.request(id).unwrap();
        let mut lines = BTreeSet::new();
        lines.insert(format!("result {}", request["result"].as_str().unwrap()));
        let output = request["output_data"].as_object().unwrap();
        lines.extend(output.keys().map(|key| format!("told {key}")));
        let mut counted = BTreeMap::new();
        let mut count = |line: String| *counted.entry(line).or_insert(0) += 1;
        for artifact in server.records.made_by(id) {
            let category = artifact["category"].as_str().unwrap();
            count(format!("artifact {category}"));
            // How a worker logs is its own.
            if category == "debusine:work-request-debug-logs" {
                continue;
            }
            leaves(&artifact["data"], category, &mut lines);
            for file in artifact["files"].as_array().unwrap() {
                let path = steady(file["path"].as_str().unwrap());
                let complete = &file["complete"];
                lines.insert(format!("{category} file {path}, complete: {complete}"));
            }
            for relation in artifact["relations"].as_array().unwrap() {
                let kind = relation["type"].as_str().unwrap();
                let target = relation["target"].as_str().unwrap();
                count(format!("{category} {kind} {target}"));
            }
        }
        let counted = counted.into_iter();
        lines.extend(counted.map(|(line, times)| format!("{line}, {times} times")));
        Self(lines)
    }

    /// Asserts that the accounts of the same requests are the same but for these differences, which all are there.
    #[track_caller]
    pub(crate) fn assert_all_same(
        stock: &[(&str, Self)],
        ours: &[(&str, Self)],
        known: &[Difference],
    ) {
        let mut found = Vec::new();
        for ((name, stock), (_, ours)) in stock.iter().zip(ours) {
            let only = |lines: &Self, others: &Self| -> Vec<String> {
                lines.0.difference(&others.0).cloned().collect()
            };
            found.extend(
                only(stock, ours)
                    .iter()
                    .map(|line| format!("stock, {name}: {line}")),
            );
            found.extend(
                only(ours, stock)
                    .iter()
                    .map(|line| format!("ours, {name}: {line}")),
            );
        }
        let known: Vec<&str> = known
            .iter()
            .flat_map(|known| known.lines)
            .copied()
            .collect();
        let new: Vec<_> = found
            .iter()
            .filter(|line| !known.iter().any(|known| line.starts_with(known)))
            .collect();
        let gone: Vec<_> = known
            .iter()
            .filter(|known| !found.iter().any(|line| line.starts_with(**known)))
            .collect();
        assert!(
            new.is_empty() && gone.is_empty(),
            "differences that are not known: {new:#?}\nknown ones that are none: {gone:#?}"
        );
    }
}

/// A line for each value in a document that holds no others, with the way to it.
fn leaves(value: &Value, way: &str, lines: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                leaves(member, &format!("{way}.{}", steady(key)), lines);
            }
        }
        Value::Array(members) => {
            for member in members {
                leaves(member, &format!("{way}[]"), lines);
            }
        }
        other => {
            lines.insert(format!("{way} = {}", steady(&other.to_string())));
        }
    }
}

/// A text without what is another each time: digests, lengths of what was compressed or dated, and points in time.
fn steady(text: &str) -> String {
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    words.map(steady_word).collect()
}

/// A word with the letter that ends it.
fn steady_word(word: &str) -> String {
    let bare = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let is_digest = bare.len() >= 32 && bare.bytes().all(|letter| letter.is_ascii_hexdigit());
    let is_number = bare.len() >= 2 && bare.bytes().all(|letter| letter.is_ascii_digit());
    // As in 04:39:05Z and 2026-11-24T04.
    let is_time = bare.len() >= 3
        && bare.bytes().any(|letter| letter == b'T' || letter == b'Z')
        && bare.bytes().filter(u8::is_ascii_digit).count() == bare.len() - 1;
    let rest = &word[bare.len()..];
    match (is_digest, is_number || is_time) {
        (true, _) => format!("DIGEST{rest}"),
        (_, true) => format!("N{rest}"),
        _ => word.to_owned(),
    }
}
