use super::*;
use serde_json::json;
use std::fs;

const DSC: &str = "\
Format: 3.0 (quilt)
Source: hello
Version: 1:2.10-3
Binary: hello, hello-doc
Package-List:
 hello deb devel optional arch=any
 hello-doc deb doc optional arch=all
Checksums-Sha256:
 aaaa 10 hello_2.10.orig.tar.gz
 bbbb 20 hello_2.10-3.debian.tar.xz
Files:
 cccc 10 hello_2.10.orig.tar.gz
 dddd 20 hello_2.10-3.debian.tar.xz
";

fn read(text: impl AsRef<[u8]>) -> Result<ControlFile, ControlFileError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.dsc");
    fs::write(&path, text).unwrap();
    ControlFile::read(&path)
}

/// The reason why `text` is refused, without the file before it and the remedy behind.
fn refused(text: impl AsRef<[u8]>) -> String {
    match read(text).and_then(|file| file.members()).unwrap_err() {
        ControlFileError::Malformed { reason, .. } => reason,
        other => other.to_string(),
    }
}

fn signed(text: &str) -> String {
    format!(
        "{SIGNED_START}\nHash: SHA512\nCharset: UTF-8\n\n{text}\n{SIGNATURE_START}\n\niQIz\n=x\n-----END PGP SIGNATURE-----\n"
    )
}

#[test]
fn reads_fields_and_members() {
    let dsc = read(DSC).unwrap();
    assert_eq!(dsc.field("source").unwrap(), "hello");
    let names: Vec<_> = dsc
        .members()
        .unwrap()
        .into_iter()
        .map(|member| member.name)
        .collect();
    let (orig, debian) = ("hello_2.10.orig.tar.gz", "hello_2.10-3.debian.tar.xz");
    assert_eq!(names, [orig, debian, orig, debian]);
    let fields = dsc.fields();
    assert_eq!(fields["Version"], "1:2.10-3");
    assert_eq!(
        fields["Package-List"],
        json!([
            {"package": "hello", "package-type": "deb", "section": "devel", "priority": "optional", "_other": "arch=any"},
            {"package": "hello-doc", "package-type": "deb", "section": "doc", "priority": "optional", "_other": "arch=all"},
        ])
    );
    assert_eq!(
        fields["Checksums-Sha256"][1],
        json!({"sha256": "bbbb", "size": "20", "name": debian})
    );
    assert_eq!(
        fields["Files"][0],
        json!({"md5sum": "cccc", "size": "10", "name": orig})
    );
}

#[test]
fn reads_the_files_of_an_upload() {
    let changes = read("Source: x\nFiles:\n aa 7 devel optional x_1_amd64.deb\n").unwrap();
    assert_eq!(
        changes.fields()["Files"],
        json!([{"md5sum": "aa", "size": "7", "section": "devel", "priority": "optional", "name": "x_1_amd64.deb"}])
    );
    let member = Member {
        name: "x_1_amd64.deb".to_owned(),
        size: 7,
        sha256: None,
    };
    assert_eq!(changes.members().unwrap(), [member]);
}

#[test]
fn a_signature_changes_nothing() {
    let plain = read(DSC).unwrap();
    for text in [
        signed(DSC),
        format!("\n{}", signed(DSC)),
        signed(DSC).replace('\n', "\r\n"),
    ] {
        let signed = read(text).unwrap();
        assert_eq!(signed.fields(), plain.fields());
        assert_eq!(signed.members().unwrap(), plain.members().unwrap());
    }
    let escaped = read(signed(&format!("{DSC}- -Odd: yes\n"))).unwrap();
    assert_eq!(escaped.field("-Odd").unwrap(), "yes");
}

#[test]
fn what_a_signature_does_not_cover_is_not_read() {
    let text = signed(DSC) + "\nVersion: 666\nFiles:\n aa 1 evil\n";
    assert_eq!(read(text).unwrap().field("Version").unwrap(), "1:2.10-3");
    let before = format!("Version: 666\n{}", signed(DSC));
    assert!(read(before).is_err());
}

#[test]
fn refuses_what_is_no_control_file() {
    assert_eq!(refused(""), "it is empty");
    assert_eq!(refused("\n# nothing\n"), "it is empty");
    assert_eq!(
        refused("\x7fELF\0\0\n"),
        "the line `\\u{7f}ELF\\0\\0` is no field"
    );
    assert!(refused(vec![b'x'; 1 << 20]).len() < 100);
    assert_eq!(refused(vec![b'\n'; (16 << 20) + 1]), "it is far too large");
    assert_eq!(refused("A: 1\n\nB: 2\n"), "it has more than one paragraph");
    assert_eq!(
        refused("A: 1\nFiles:\na: 2\n"),
        "it has the field `a` twice"
    );
    let cut = signed(DSC);
    let cut = &cut[..cut.len() / 2];
    assert_eq!(refused(cut), "it is signed, and ends before its signature");
    assert_eq!(
        refused("A: 1\n"),
        "it names no files under `Checksums-Sha256` or `Files`"
    );
    assert_eq!(
        read("A: \n")
            .unwrap()
            .field("A")
            .unwrap_err()
            .to_string()
            .split_once(": ")
            .unwrap()
            .1,
        "it has no field `A`; build the package again, or fetch it anew"
    );
}

#[test]
fn refuses_rows_that_name_no_file() {
    for row in [
        "aa",
        "aa 1",
        "aa x x.tar.gz",
        "aa -1 x.tar.gz",
        "aa 99999999999999999999 x",
    ] {
        let reason = refused(format!("Files:\n {row}\n"));
        assert_eq!(
            reason,
            format!("`{row}` in `Files` is no file with its size")
        );
    }
}

#[test]
fn refuses_names_that_lead_elsewhere() {
    for name in ["../evil", "/etc/passwd", "a/b", "..", ".", "a\0b"] {
        let error = read(format!("Files:\n aa 1 {name}\n"))
            .unwrap()
            .members()
            .unwrap_err();
        assert!(
            matches!(error, ControlFileError::Escape { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains("plain file names"), "{error}");
    }
    assert!(read("Files:\n aa 1 a..b\n").unwrap().members().is_ok());
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    for byte in 0..=255_u8 {
        for text in [
            vec![byte; 9],
            vec![b'A', b':', byte],
            [b"Files:\n ", &[byte; 5][..]].concat(),
        ] {
            if let Ok(file) = read(text) {
                file.members().ok();
                file.fields();
            }
        }
    }
}
