//! What files may say, and what is said of their mistakes.

use super::*;

#[test]
fn later_files_win_and_what_they_do_not_say_stays() {
    let top = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = top.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    };
    let main = file(
        "etc/config.toml",
        "engine = \"sqlite:///a\"\n[worker]\nslots = 1\nlease = \"1m\"\n",
    );
    file("etc/config.d/20-b.toml", "[worker]\nslots = 3\n");
    file(
        "etc/config.d/10-a.toml",
        "[worker]\nslots = 2\nname = \"a\"\n",
    );
    file("etc/config.d/ignored.conf", "nonsense");
    let user = file("home/taskbay/config.toml", "engine = \"sqlite:///b\"\n");
    let config = Config::of_files(None, &main, Some(&user)).unwrap();
    assert_eq!(config.engine.as_deref(), Some("sqlite:///b"));
    assert_eq!(config.worker.slots, Some(3));
    assert_eq!(config.worker.name.as_deref(), Some("a"));
    assert_eq!(config.worker.lease, Some(Duration::from_mins(1)));
    assert_eq!(config.scheduler.keep, None);
    let day = file("day.toml", "[scheduler]\nkeep = \"1d\"\n");
    let forever = file("forever.toml", "[scheduler]\nkeep = \"forever\"\n");
    let keep = |over: &Path| {
        let config = Config::of_files(None, &day, Some(over)).unwrap();
        config.scheduler.keep
    };
    assert_eq!(keep(&day), Some(Duration::from_hours(24)));
    assert_eq!(keep(&forever), Some(Duration::MAX));
    let none = Config::of_files(None, &top.path().join("none/config.toml"), None).unwrap();
    assert_eq!(none, Config::default());
}

#[test]
fn mistakes_name_the_file_and_the_line() {
    let top = tempfile::tempdir().unwrap();
    let main = top.path().join("config.toml");
    for (text, part) in [
        ("engine = 7\n", "invalid type"),
        ("\n[worker]\nslotz = 2\n", "slotz"),
        ("[worker]\nlease = \"soon\"\n", "write a time such as"),
        ("engine = \n", "line 1"),
        ("[scheduler]\nkeep = \"long\"\n", "write a time such as"),
    ] {
        fs::write(&main, text).unwrap();
        let error = Config::of_files(None, &main, None).unwrap_err().to_string();
        assert!(error.contains("config.toml is no configuration"), "{error}");
        assert!(error.contains(part), "{error}");
    }
}

/// The snippet that a parser shows is of the very file that keeps the password.
#[test]
fn mistakes_show_no_part_of_the_file() {
    let top = tempfile::tempdir().unwrap();
    let main = top.path().join("config.toml");
    for (text, place) in [
        ("engine = \"postgres://u:s3cretpw@h/db\n", "line 1, column"),
        ("\nengine = postgres://u:s3cretpw@h/db\n", "line 2, column"),
        (
            "engine = \"postgres://u:s3cretpw@h/db\"\nengine = 7\n",
            "line 2, column 1:",
        ),
        (
            "engin = \"postgres://u:s3cretpw@h/db\"\n",
            "line 1, column 1:",
        ),
        (
            "[worker]\nslots = \"postgres://u:s3cretpw@h/db\"\n",
            "line 2, column 9:",
        ),
        (
            "[worker]\nlease = \"postgres://u:s3cretpw@h/db\"\n",
            "line 2, column 9:",
        ),
        (
            "worker = \"postgres://u:s3cretpw@h/db\"\n",
            "line 1, column 10:",
        ),
    ] {
        fs::write(&main, text).unwrap();
        let error = Config::of_files(None, &main, None).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
        assert!(!error.contains("s3cretpw"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn files_may_say_what_flags_may() {
    let top = tempfile::tempdir().unwrap();
    let main = top.path().join("config.toml");
    for (setting, part) in [
        ("slots = 0", "1 to 1024"),
        ("slots = 1025", "1 to 1024"),
        ("lease = \"3days\"", "a day or less"),
        ("lease = \"10ms\"", "a second or more"),
        ("drain = \"500000000000 years\"", "a hundred years"),
        ("grace = \"101years\"", "a hundred years"),
        ("name = \"\"", "it is empty"),
    ] {
        fs::write(&main, format!("[worker]\n{setting}\n")).unwrap();
        let read = Config::of_files(None, &main, None).map_err(|error| error.to_string());
        let error = read.expect_err(setting);
        assert!(error.contains(part), "{error}");
        assert!(error.contains("line 2"), "{error}");
    }
    fs::write(&main, "[worker]\nlease = \"1.5\"\ndrain = \"0\"\n").unwrap();
    let config = Config::of_files(None, &main, None).unwrap();
    assert_eq!(config.worker.lease, Some(Duration::from_millis(1500)));
    assert_eq!(config.worker.drain, Some(Duration::ZERO));
}

/// Whoever mistypes its name shall not work with other settings.
#[test]
fn a_file_that_is_named_is_there() {
    let top = tempfile::tempdir().unwrap();
    let (main, typo) = (top.path().join("config.toml"), top.path().join("typo.toml"));
    fs::write(&main, "engine = \"sqlite:///a\"\n").unwrap();
    let none = top.path().join("none.toml");
    let read = Config::of_files(Some(&main), &none, None).unwrap();
    assert_eq!(read.engine.as_deref(), Some("sqlite:///a"));
    let error = Config::of_files(Some(&typo), &main, None).unwrap_err();
    assert!(matches!(error, ConfigError::Missing { .. }), "{error}");
}
