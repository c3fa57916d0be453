//! Text in blocks by indentation, of which dose's explanations consist: the little of YAML that they use.

use serde_json::{Map, Value};

/// No explanation is that deep; a log can hold anything.
const DEEPEST: usize = 16;

/// What a text means: lists, objects, and texts in them. None where it is no such text.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let lines = text.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.is_empty());
    let lines: Vec<_> = lines
        .map(|line| {
            let content = line.trim_start_matches(' ');
            (line.len() - content.len(), content)
        })
        .collect();
    block(&lines, DEEPEST)
}

type Line<'t> = (usize, &'t str);

fn block(lines: &[Line<'_>], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    match lines.first()?.1 {
        "-" => list(lines, depth),
        _ => object(lines, depth),
    }
}

/// What starts with a line of `-`, each.
fn list(lines: &[Line<'_>], depth: usize) -> Option<Value> {
    let mut items = Vec::new();
    for (head, below) in parts(lines)? {
        if head != "-" {
            return None;
        }
        items.push(block(below, depth)?);
    }
    Some(Value::Array(items))
}

fn object(lines: &[Line<'_>], depth: usize) -> Option<Value> {
    let mut fields = Map::new();
    for (head, below) in parts(lines)? {
        let (name, value) = head.split_once(':')?;
        let value = match (value.trim(), below) {
            ("", below) => block(below, depth)?,
            ("[]", []) => Value::Array(Vec::new()),
            (text, []) => text.into(),
            _ => return None,
        };
        if fields.insert(name.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(Value::Object(fields))
}

/// The lines that start where the first one does, each with those below it that start further in.
fn parts<'l, 't>(lines: &'l [Line<'t>]) -> Option<Vec<(&'t str, &'l [Line<'t>])>> {
    let start = lines.first()?.0;
    let mut parts = Vec::new();
    let mut rest = lines;
    while let [(indent, head), below @ ..] = rest {
        if *indent != start {
            return None;
        }
        let is_next = |line: &Line<'_>| line.0 <= start;
        let length = below.iter().position(is_next).unwrap_or(below.len());
        let (own, others) = below.split_at(length);
        parts.push((*head, own));
        rest = others;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_are_lists_and_objects() {
        let text = "a: 1\nlist:\n -\n  x: b: c\n\n -\n  y:\n   z: 2\nnone: []\n";
        let wanted = json!({"a": "1", "list": [{"x": "b: c"}, {"y": {"z": "2"}}], "none": []});
        assert_eq!(parse(text), Some(wanted));
    }

    #[test]
    fn anything_else_is_nothing() {
        let deep: String = (0..100).map(|n| " ".repeat(n) + "a:\n").collect();
        for text in [
            "",
            "a",
            "-",
            "a:",
            "a: 1\na: 2",
            "  a: 1\nb: 2",
            "a: 1\n b: 2",
            " -\n  a: 1\n b: 2",
            &deep,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
