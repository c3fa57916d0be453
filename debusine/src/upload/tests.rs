use super::*;
use crate::stand_in::{Asked, Says, StandIn};
use std::fs;

#[test]
fn names_stand_in_addresses() {
    let known = "tiny_1.0_amd64-2026-11-24T04%3A39%3A05Z.build";
    assert_eq!(escaped("tiny_1.0_amd64-2026-11-24T04:39:05Z.build"), known);
    assert_eq!(escaped("a/b c+d?é%"), "a/b%20c%2Bd%3F%C3%A9%25");
}

/// A new artifact with one file that the server wants, of that content; `part` answers what is sent of it.
fn upload(
    content: &str,
    part: impl Fn(&Asked, usize) -> Says + Send + 'static,
    tries: usize,
) -> (Vec<Result<ArtifactId, Fault>>, Vec<String>) {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("f");
    fs::write(&path, content).unwrap();
    let draft = Draft {
        category: "c".into(),
        data: Value::Null,
        files: vec![("f".into(), path)],
    };
    let mut count = 0;
    let server = StandIn::new(move |asked| {
        assert_eq!(asked.token.as_deref(), Some("secret"));
        if asked.line.starts_with("POST") {
            let said = json!({"id": 7, "category": "c", "data": {}, "files": {}, "files_to_upload": ["f"]});
            return Says::status(201).body(said.to_string());
        }
        count += 1;
        part(asked, count)
    });
    let login = StandIn::login();
    let mut upload = Upload::new(&server.client, &login, &draft, (1, "System")).unwrap();
    let results = (0..tries).map(|_| upload.go_on()).collect();
    let lines = server.lines();
    (results, lines)
}

const FILE: &str = "PUT /api/1.0/artifact/7/files/f/";

#[test]
fn what_the_server_has_is_not_sent_again() {
    let (results, lines) = upload(
        "0123456789",
        |asked, count| {
            if count == 1 {
                return Says::status(206).header("Range", "bytes=0-4");
            }
            assert_eq!(asked.body, b"456789");
            Says::status(201)
        },
        1,
    );
    assert_eq!(*results[0].as_ref().unwrap(), 7);
    let wanted = [
        "POST /api/1.0/artifact/ -".to_owned(),
        format!("{FILE} bytes */10"),
        format!("{FILE} bytes 4-9/10"),
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn a_file_that_is_held_to_be_another_is_sent_again() {
    let (results, lines) = upload(
        "0123456789",
        |_, count| match count {
            1 => Says::status(206).header("Range", "bytes=0-4"),
            2 => Says::status(409),
            _ => Says::status(201),
        },
        1,
    );
    assert!(results[0].is_ok());
    assert_eq!(lines[3], format!("{FILE} bytes 0-9/10"));
    let (results, lines) = upload(
        "0123456789",
        |_, count| match count {
            1 => Says::status(206).header("Range", "bytes=0-0"),
            2 => Says::status(409),
            3 => Says::status(200).header("Range", "bytes=0-4"),
            _ => Says::status(201),
        },
        1,
    );
    assert!(results[0].is_ok());
    assert_eq!(lines[4..], [format!("{FILE} bytes 4-9/10")]);
    let (results, lines) = upload(
        "0123456789",
        |_, count| match count {
            1 => Says::status(206).header("Range", "bytes=0-0"),
            _ => Says::status(409),
        },
        1,
    );
    assert!(matches!(
        results[0],
        Err(Fault::Refused { status: 409, .. })
    ));
    assert_eq!(lines.len(), 2 + TRIES as usize);
}

#[test]
fn an_upload_that_is_cut_goes_on() {
    let (results, lines) = upload(
        "0123456789",
        |_, count| match count {
            1 => Says::status(206).header("Range", "bytes=0-0"),
            2 => Says::status(502),
            3 => Says::status(206).header("Range", "bytes=0-7"),
            _ => Says::status(201),
        },
        2,
    );
    assert!(results[0].as_ref().unwrap_err().is_passing());
    assert!(results[1].is_ok());
    assert_eq!(lines[3], format!("{FILE} bytes */10"));
    assert_eq!(lines[4], format!("{FILE} bytes 7-9/10"));
}

#[test]
fn a_server_that_gets_nowhere_is_not_asked_for_ever() {
    let (results, _) = upload(
        "0123456789",
        |_, _| Says::status(206).header("Range", "bytes=0-3"),
        1,
    );
    assert!(matches!(results[0], Err(Fault::Malformed { .. })));
    let (results, _) = upload(
        "0",
        |_, _| Says::status(206).header("Range", "bytes=0-9"),
        1,
    );
    assert!(matches!(results[0], Err(Fault::Malformed { .. })));
    let (results, _) = upload("0", |_, _| Says::status(206), 1);
    assert!(matches!(results[0], Err(Fault::Malformed { .. })));
}
