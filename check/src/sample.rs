//! Task data made up from a schema: mostly what the schema allows, now and then what it does not.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// How deep a document may get; a schema that refers to itself would make it deeper without end.
const DEEPEST: usize = 8;
/// How many values a document may hold.
const MOST: usize = 2000;
/// One value in so many is of any kind, whatever the schema says.
const ODD: usize = 24;

/// Texts that programs stumble over.
const TEXTS: [&str; 12] = [
    "",
    "a",
    "./x.dsc",
    "../../etc/passwd",
    "-h",
    "$(id)",
    "a b",
    "ä€😀",
    "\0",
    "\n",
    "null",
    "1e999",
];

/// Makes documents up from one schema.
#[derive(Debug)]
pub(crate) struct Sampler<'a> {
    root: &'a Value,
    random: Rng,
    /// How many values there may still be.
    left: usize,
}

/// The document of that schema that has that seed.
pub(crate) fn sample(schema: &Value, seed: u32) -> Value {
    let random = Rng::with_seed(seed.into());
    Sampler {
        root: schema,
        random,
        left: MOST,
    }
    .value(schema, 0)
}

impl Sampler<'_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        let Value::Object(keywords) = schema else {
            return self.anything(depth);
        };
        self.left = self.left.saturating_sub(1);
        if depth > DEEPEST || self.left == 0 {
            return Value::Null;
        }
        if self.random.usize(..ODD) == 0 {
            return self.anything(depth);
        }
        if let Some(value) = keywords.get("const") {
            return value.clone();
        }
        if let Some(Value::Array(values)) = keywords.get("enum") {
            return self.choose(values).unwrap_or_default();
        }
        let mut value = self.typed(keywords, depth);
        for inner in self.inner(keywords) {
            value = Some(merge(value, self.value(&inner, depth + 1)));
        }
        value.unwrap_or_else(|| self.anything(depth))
    }

    /// The schemas that hold as well: what is referred to, all of all, and one of some.
    fn inner(&mut self, keywords: &Map<String, Value>) -> Vec<Value> {
        let mut schemas = Vec::new();
        let reference = keywords.get("$ref").and_then(Value::as_str);
        let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
        schemas.extend(
            pointer
                .and_then(|pointer| self.root.pointer(pointer))
                .cloned(),
        );
        if let Some(Value::Array(all)) = keywords.get("allOf") {
            schemas.extend(all.iter().cloned());
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(some)) = keywords.get(keyword) {
                schemas.extend(self.choose(some));
            }
        }
        schemas
    }

    /// A value of the type that is named; none where none is.
    fn typed(&mut self, keywords: &Map<String, Value>, depth: usize) -> Option<Value> {
        let named = match keywords.get("type") {
            Some(Value::Array(names)) => self.choose(names)?,
            Some(name) => name.clone(),
            None if keywords.contains_key("properties") => "object".into(),
            None if keywords.contains_key("items") => "array".into(),
            None => return None,
        };
        Some(match named.as_str()? {
            "object" => self.object(keywords, depth),
            "array" => self.array(keywords, depth),
            "string" => self.string(keywords),
            "integer" => self.integer(keywords),
            "number" => self.number(keywords),
            "boolean" => self.random.bool().into(),
            _ => Value::Null,
        })
    }

    fn object(&mut self, keywords: &Map<String, Value>, depth: usize) -> Value {
        let empty = Map::new();
        let of = |name: &str| keywords.get(name).and_then(Value::as_object);
        let required = keywords.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|all| all.iter().any(|each| each == name));
        let mut object = Map::new();
        for (name, schema) in of("properties").unwrap_or(&empty) {
            let is_left_out = if is_required(name) {
                self.random.usize(..ODD) == 0
            } else {
                self.random.bool()
            };
            if !is_left_out {
                object.insert(name.clone(), self.value(schema, depth + 1));
            }
        }
        if let Some(schema) = keywords.get("additionalProperties")
            && *schema != Value::Bool(false)
            && self.random.bool()
        {
            let name = self.text().to_owned();
            object.insert(name, self.value(schema, depth + 1));
        }
        if self.random.usize(..ODD) == 0 {
            object.insert("no such key".to_owned(), self.anything(depth));
        }
        object.into()
    }

    fn array(&mut self, keywords: &Map<String, Value>, depth: usize) -> Value {
        let bound = |name: &str| keywords.get(name).and_then(Value::as_u64);
        let least = bound("minItems").unwrap_or(0).min(16);
        let most = bound("maxItems")
            .unwrap_or(least + 3)
            .clamp(least, least + 16);
        let count = self.random.u64(least..=most);
        let any = Value::Bool(true);
        let schema = keywords.get("items").unwrap_or(&any);
        let places = keywords.get("prefixItems").unwrap_or(schema);
        let made = (0..usize::try_from(count).unwrap_or(0)).map(|at| {
            let schema = places.get(at).unwrap_or(schema);
            self.value(schema, depth + 1)
        });
        made.collect()
    }

    fn string(&mut self, keywords: &Map<String, Value>) -> Value {
        let bound = |name: &str| keywords.get(name).and_then(Value::as_u64);
        let least = usize::try_from(bound("minLength").unwrap_or(0)).unwrap_or(0);
        let mut text = self.text().to_owned();
        if self.random.usize(..ODD) == 0 {
            text = "x".repeat(10_000);
        }
        while text.chars().count() < least.min(10_000) {
            text.push(self.random.alphanumeric());
        }
        if let Some(most) = bound("maxLength").and_then(|most| usize::try_from(most).ok()) {
            text = text.chars().take(most).collect();
        }
        text.into()
    }

    fn integer(&mut self, keywords: &Map<String, Value>) -> Value {
        let bound = |name: &str| keywords.get(name).and_then(Value::as_i64);
        let least =
            bound("minimum").or(bound("exclusiveMinimum").map(|least| least.saturating_add(1)));
        let most =
            bound("maximum").or(bound("exclusiveMaximum").map(|most| most.saturating_sub(1)));
        let (least, most) = (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX));
        if least > most {
            return least.into();
        }
        let near = [0, 1, -1, 7, least, most].map(|number| number.clamp(least, most));
        match self.random.usize(..8) {
            0 => self.random.i64(least..=most).into(),
            at => near[at % near.len()].into(),
        }
    }

    fn number(&mut self, keywords: &Map<String, Value>) -> Value {
        let bound = |name: &str| keywords.get(name).and_then(Value::as_f64);
        let least = bound("minimum").unwrap_or(-1e9);
        let most = bound("maximum").unwrap_or(1e9).max(least);
        let near =
            [0.0, -0.0, 0.1, least, most, 1e-300].map(|number: f64| number.clamp(least, most));
        let between = least + (most - least) * self.random.f64();
        json!(self.random.choice(near).unwrap_or(between))
    }

    fn text(&mut self) -> &'static str {
        TEXTS[self.random.usize(..TEXTS.len())]
    }

    fn anything(&mut self, depth: usize) -> Value {
        match self.random.usize(..9) {
            0 => Value::Null,
            1 => self.random.bool().into(),
            2 => json!(self.random.i64(..)),
            3 => json!(u64::MAX),
            4 => json!(self.random.f64() * 1e300),
            5 => self.text().into(),
            6 if depth < DEEPEST => json!([self.anything(depth + 1)]),
            7 if depth < DEEPEST => {
                let name = self.text();
                json!({name: self.anything(depth + 1)})
            }
            _ => json!({}),
        }
    }

    fn choose(&mut self, values: &[Value]) -> Option<Value> {
        self.random.choice(values).cloned()
    }
}

/// What two schemas of one value make together: the keys of both objects, else the latter.
fn merge(first: Option<Value>, second: Value) -> Value {
    match (first, second) {
        (Some(Value::Object(mut first)), Value::Object(second)) => {
            first.extend(second);
            first.into()
        }
        (_, second) => second,
    }
}

#[cfg(test)]
mod tests;
