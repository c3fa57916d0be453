//! Lookups of any number of artifacts.

use crate::{Lookup, Query};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names any number of artifacts: a list of lookups and queries, or one query alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Lookups {
    /// All artifacts that the query finds.
    Query(Query),
    /// All that any of these names.
    List(Vec<Selector>),
}

/// Names one artifact, or those that a query finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Selector {
    /// One artifact.
    Lookup(Lookup),
    /// All artifacts that the query finds.
    Query(Query),
}

/// One of [`Lookups`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Selected<'a> {
    /// One artifact.
    Lookup(&'a Lookup),
    /// All artifacts that the query finds.
    Query(&'a Query),
}

impl Lookups {
    /// Whether no artifact is named, whatever a server has.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::List(list) if list.is_empty())
    }

    /// Each lookup and query, with its place in this as a JSON pointer.
    pub fn iter(&self) -> impl Iterator<Item = (String, Selected<'_>)> {
        let (alone, list) = match self {
            Self::Query(query) => (Some((String::new(), Selected::Query(query))), &[][..]),
            Self::List(list) => (None, &**list),
        };
        let numbered = list.iter().enumerate();
        let list = numbered.map(|(number, selector)| (format!("/{number}"), selector.selected()));
        alone.into_iter().chain(list)
    }
}

impl Default for Lookups {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl FromIterator<Lookup> for Lookups {
    fn from_iter<I: IntoIterator<Item = Lookup>>(lookups: I) -> Self {
        Self::List(lookups.into_iter().map(Selector::Lookup).collect())
    }
}

impl Selector {
    fn selected(&self) -> Selected<'_> {
        match self {
            Self::Lookup(lookup) => Selected::Lookup(lookup),
            Self::Query(query) => Selected::Query(query),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(data: &Value) -> Lookups {
        let lookups = Lookups::deserialize(data).unwrap();
        assert_eq!(serde_json::to_value(&lookups).unwrap(), *data);
        lookups
    }

    #[test]
    fn each_has_its_place() {
        let places = |data| {
            let lookups = parse(&data);
            let each = lookups
                .iter()
                .map(|(place, selected)| (place, matches!(selected, Selected::Query(_))));
            each.collect::<Vec<_>>()
        };
        let query = || json!({"collection": 3, "name": "x"});
        assert_eq!(places(query()), [(String::new(), true)]);
        assert_eq!(
            places(json!([7, query(), "./a.deb"])),
            [
                ("/0".into(), false),
                ("/1".into(), true),
                ("/2".into(), false)
            ]
        );
        assert_eq!(places(json!([])), []);
    }

    #[test]
    fn a_query_may_find_something() {
        assert!(parse(&json!([])).is_empty() && Lookups::default().is_empty());
        assert!(!parse(&json!({"collection": "x"})).is_empty());
        assert_eq!(Lookups::from_iter([Lookup::Id(7)]), parse(&json!([7])));
    }
}
