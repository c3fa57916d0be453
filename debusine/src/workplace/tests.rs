use super::*;
use std::fs;

fn finding(top: &Path) -> Finding {
    Finding {
        home: Some(top.join("home")),
        state: top.join("state"),
        tokens: None,
        allow_http: false,
    }
}

#[test]
fn debusines_own_worker_is_replaced_in_place() {
    let top = tempfile::tempdir().unwrap();
    let finding = finding(top.path());
    let folder = top.path().join("home").join(OF_USER);
    let find = |url: &str| Workplace::find(url, &finding);
    let before = find("debusine+http://localhost:1/api").unwrap();
    let state = top.path().join("state/debusine/http-localhost_3a1-api");
    assert_eq!(before.token_file(1), state.join("token"));
    assert!(find("debusine:").is_err() || Path::new(OF_MACHINE).exists());
    fs::create_dir_all(&folder).unwrap();
    let config = "[General]\napi-url = http://localhost:1/api\n";
    fs::write(folder.join(config_ini::FILE), config).unwrap();
    let named = format!("debusine:{}", folder.display());
    for url in [
        "debusine+http://localhost:1/api/",
        "debusine:",
        "debusine",
        &named,
    ] {
        let found = find(url).unwrap();
        assert_eq!(found.token_file(1), folder.join("token"), "{url}");
        assert_eq!(found.token_file(2), folder.join("token-2"));
        assert_eq!(found.activation_file(1), folder.join("activation-token"));
        assert_eq!(found.url().to_string(), "debusine+http://localhost:1/api");
    }
    let other = find("debusine+http://localhost:2/api").unwrap();
    assert!(other.token_file(1).starts_with(top.path().join("state")));
}

#[test]
fn one_process_is_a_worker() {
    let top = tempfile::tempdir().unwrap();
    let workplace = Workplace::find("debusine+http://[::1]/api", &finding(top.path())).unwrap();
    let lock = workplace.lock().unwrap();
    let error = workplace.lock().unwrap_err().to_string();
    assert!(error.contains("another process"), "{error}");
    drop(lock);
    workplace.lock().unwrap();
}

#[test]
fn one_process_uses_a_token() {
    let top = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|state| {
        let mut finding = finding(top.path());
        finding.state = top.path().join(state);
        finding.tokens = Some(top.path().join("tokens"));
        Workplace::find("debusine+http://localhost:1/api", &finding).unwrap()
    });
    fs::create_dir(top.path().join("tokens")).unwrap();
    fs::write(one.token_file(1), "secret").unwrap();
    let _lock = (one.lock().unwrap(), one.lock_token(1).unwrap());
    other.lock().unwrap();
    let error = other.lock_token(1).unwrap_err().to_string();
    assert!(error.contains("another process"), "{error}");
}

#[test]
fn engines_are_told_apart() {
    for url in [
        "debusine:",
        "debusine",
        "debusine+https://h/api",
        "debusine+http://x",
        "debusine:/etc",
    ] {
        assert!(is_debusine(url), "{url}");
    }
    assert!(!is_debusine("sqlite:///debusine") && !is_debusine("debusined"));
}

/// A service may read `/etc`, and not write there.
#[test]
fn tokens_that_cannot_be_beside_debusines_are_with_the_results() {
    assert!(may_hold_more(Ok(())) && may_hold_more(Err(Errno::NOENT)));
    assert!(!may_hold_more(Err(Errno::ACCESS)) && !may_hold_more(Err(Errno::ROFS)));
    let top = tempfile::tempdir().unwrap();
    let mut finding = finding(top.path());
    // Nobody makes files there.
    finding.tokens = Some(PathBuf::from("/proc/self/fdinfo"));
    let found = Workplace::find("debusine+http://localhost:1/api", &finding).unwrap();
    let file = found.token_file(2);
    let may_write = access("/proc/self/fdinfo", Access::WRITE_OK).is_ok();
    assert!(
        may_write || file.starts_with(top.path()),
        "{}",
        file.display()
    );
}
