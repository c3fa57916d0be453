use crate::bay::Bay;
use std::thread;
use taskbay_engine::{EngineError, open};

pub(crate) fn two_may_migrate_at_once(bay: &Bay) {
    let url = bay.another_url();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| open(&url).map(drop)))
            .collect();
        for each in threads {
            each.join().unwrap().unwrap();
        }
    });
    assert!(open(&url).unwrap().workers().unwrap().is_empty());
}

pub(crate) fn a_newer_schema_is_refused(bay: &Bay) {
    if bay.url.starts_with("sqlite") {
        bay.execute("pragma user_version = 99");
    } else {
        bay.execute("create or replace function schema_version() returns bigint language sql as 'select 99::bigint'");
    }
    let error = open(&bay.url).unwrap_err();
    assert!(
        matches!(error, EngineError::Newer { found: 99, .. }),
        "{error:?}"
    );
    assert!(error.help().unwrap().contains("upgrade"));
}

pub(crate) fn what_is_open_is_named_without_secrets(bay: &Bay) {
    assert!(format!("{:?}", bay.engine).starts_with("Engine(\""));
    let secret = bay
        .url
        .replace("postgres@localhost", "postgres:s3cret@localhost");
    let engine = open(&secret).unwrap();
    assert!(!format!("{engine:?} {}", engine.place()).contains("s3cret"));
}

/// Of addresses that name nothing, too.
#[test]
fn no_error_tells_a_password() {
    let urls = [
        "postgres://u:s3cret@/no/such/host:x/db",
        "postgres://u:s3cret@localhost:1/db",
        "postgres://u:s3cret@localhost:port/db",
        "postgres://u@localhost:1/db?password=s3cret&sslmode=nonsense",
        "mysql://u:s3cret@localhost/db",
        "postgres:u:s3cret@localhost",
        "sqlite://relative",
        "",
    ];
    for url in urls {
        let error = open(url).unwrap_err();
        let mut text = format!("{error:?} {error} {:?}", error.help());
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text} {cause} {cause:?}");
            source = cause.source();
        }
        assert!(!text.contains("s3cret"), "{text}");
    }
    let unknown = open("mysql://h/db").unwrap_err().to_string();
    assert!(
        unknown.contains("sqlite:///path") && unknown.contains("postgres://"),
        "{unknown}"
    );
}
