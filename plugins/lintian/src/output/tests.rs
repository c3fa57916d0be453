//! Each rule of the format. `binary.txt` has the form of what lintian 2.116 prints, blanks at the ends of lines included.

use super::*;

const BINARY: &str = include_str!("binary.txt");

fn tags(text: &str) -> Vec<Tag> {
    parse(Path::new("lintian.txt"), text).unwrap()
}

/// Parses the one tag of a line.
#[track_caller]
fn check(line: &str, expected: (Severity, &str, &str, &str, &str)) {
    let tags = tags(line);
    let [tag] = &tags[..] else {
        panic!("{tags:?}");
    };
    let found = (
        tag.severity,
        tag.package.as_str(),
        tag.name.as_str(),
        tag.note.as_str(),
        tag.pointer.as_str(),
    );
    assert_eq!(found, expected, "{line}");
}

/// The message about text that has a line which makes no sense.
fn message(text: &str) -> String {
    let parsed = parse(Path::new("lintian.txt"), text);
    parsed.unwrap_err().message()
}

fn find<'a>(tags: &'a [Tag], name: &str) -> &'a Tag {
    tags.iter().find(|tag| tag.name == name).unwrap()
}

#[test]
fn a_line_is_severity_package_tag_note_and_pointer() {
    check(
        "E: qnetload source: the-tag some information [debian/changelog:33]",
        (
            Severity::Error,
            "qnetload source",
            "the-tag",
            "some information",
            "debian/changelog:33",
        ),
    );
    check(
        "P: hello: the-tag",
        (Severity::Pedantic, "hello", "the-tag", "", ""),
    );
    check(
        "I: hello-udeb udeb: team/pkg-js/vcs/no-git note: with [brackets] in it",
        (
            Severity::Info,
            "hello-udeb udeb",
            "team/pkg-js/vcs/no-git",
            "note: with [brackets] in it",
            "",
        ),
    );
}

#[test]
fn each_letter_is_a_severity() {
    let letters = ["E", "W", "I", "P", "X", "O", "C"];
    for (letter, severity) in letters.into_iter().zip(Severity::ALL) {
        check(
            &format!("{letter}: hello: the-tag"),
            (severity, "hello", "the-tag", "", ""),
        );
    }
}

#[test]
fn the_pointer_is_what_stands_in_brackets_at_the_end() {
    for (context, note, pointer) in [
        ("", "", ""),
        ("note", "note", ""),
        ("[a:1]", "", "a:1"),
        ("note [a:1]", "note", "a:1"),
        ("no [te] [a:1]", "no [te]", "a:1"),
        ("[usr/a [b] file]", "", "usr/a [b] file"),
        ("note [usr/a]b]", "note", "usr/a]b"),
        ("[a] b", "[a] b", ""),
        ("field[1]", "field[1]", ""),
        ("a]", "a]", ""),
    ] {
        assert_eq!(split_pointer(context), (note, pointer), "{context}");
    }
}

#[test]
fn a_bare_line_after_a_note_repeats_the_line_before() {
    let tags = tags(
        "W: hello: the-tag with a note\nN:\nW: the-tag\nN:\nN:   What it means.\nN:\nE: hello: other\n",
    );
    assert_eq!(tags.len(), 2);
    assert_eq!(find(&tags, "the-tag").note, "with a note");
    assert_eq!(find(&tags, "the-tag").explanation, "What it means.");
    assert_eq!(find(&tags, "other").explanation, "");
    assert_eq!(
        message("W: hello: the-tag\nW: the-tag\n"),
        "lintian.txt:2: this is no line of lintian's output: `W: the-tag`"
    );
}

#[test]
fn masked_tags_are_dropped() {
    assert_eq!(tags("M: hello: the-tag [a]\n"), []);
    let tags = tags("N: masked by screen a/b\nM: hello: masked\nE: hello: the-tag\n");
    let [tag] = &tags[..] else {
        panic!("{tags:?}");
    };
    assert_eq!((tag.name.as_str(), tag.comment.as_str()), ("the-tag", ""));
}

#[test]
fn anything_else_is_an_error_that_names_the_line() {
    assert_eq!(
        message("N:\nE: hello: fine\nwarning: the sky falls\n"),
        "lintian.txt:3: this is no line of lintian's output: `warning: the sky falls`"
    );
    for line in [
        "Z: hello: the-tag",
        "EE: hello: the-tag",
        "E:hello: the-tag",
        "E: hello",
        "E: hello: ",
        "E: : the-tag",
        "E: hello orig: the-tag",
        "E: one two three: the-tag",
        " E: hello: the-tag",
        "\nE: hello: the-tag",
    ] {
        assert!(message(line).starts_with("lintian.txt:1: "), "{line}");
    }
}

#[test]
fn nothing_printed_is_no_tag() {
    assert_eq!(tags(""), []);
}

#[test]
fn reads_explanations_without_their_indentation() {
    let tags = tags(BINARY);
    assert_eq!(
        find(&tags, "no-copyright-file").explanation,
        "Every package says who may copy it. The file is\nusr/share/doc/*pkg*/copyright\n\n\
         Please refer to chapter 12 of a manual for details.\n\n\
         Visibility: error\nShow-Always: no\nCheck: debian/copyright"
    );
    let unusual = find(&tags, "file-in-unusual-dir");
    assert_eq!(unusual.pointer, "usr/local/x/a [b] file");
    assert!(
        unusual
            .explanation
            .starts_with("Nobody looks there.\n\nMove it:\n mv here there\n\nVisibility"),
        "{}",
        unusual.explanation
    );
}

#[test]
fn a_tag_that_comes_again_has_the_same_explanation() {
    let tags = tags(BINARY);
    let fields: Vec<_> = tags
        .iter()
        .filter(|tag| tag.name == "trimmed-field")
        .collect();
    assert_eq!(fields.len(), 2);
    assert_eq!(fields[0].note, "Architecture amd64");
    assert_eq!(fields[1].note, r"Description says hello\n Says hello.");
    assert_eq!(fields[0].explanation, fields[1].explanation);
    assert!(fields[0].explanation.ends_with("Check: fields/trimmed"));
}

#[test]
fn reads_the_comment_on_an_override() {
    let tags = tags(BINARY);
    assert_eq!(
        find(&tags, "dir-in-usr-local").comment,
        "This comment is long enough that lintian wraps it when it prints it,\n\
         which is at eighty columns. Second paragraph é."
    );
    assert_eq!(
        find(&tags, "dir-in-usr-local").explanation,
        "That place is the administrator's.\n\nVisibility: error"
    );
    let commented = tags.iter().filter(|tag| !tag.comment.is_empty());
    assert_eq!(commented.count(), 1);
}

#[test]
fn tags_are_sorted_by_package_and_gravity() {
    let tags = tags("C: b: x\nW: b: y 2\nW: b: y 1\nE: b: z\nE: a source: a\nE: a: a\nO: a: a\n");
    let order: Vec<_> = tags
        .iter()
        .map(|tag| format!("{} {} {}", tag.package, tag.name, tag.note))
        .collect();
    assert_eq!(
        order,
        [
            "a a ",
            "a a ",
            "a source a ",
            "b z ",
            "b y 1",
            "b y 2",
            "b x "
        ]
    );
}
