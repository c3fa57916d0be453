use super::*;
use crate::{
    stand_in::{Asked, Says, StandIn},
    workplace::Finding,
};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const REGISTER: &str = "POST /api/1.0/worker/register/";

/// What a server does with a question about registering.
#[derive(Clone, Copy)]
enum Does {
    Answers(u16),
    /// It does what is asked, and its answer is lost.
    Loses,
    /// The question is lost.
    Ignores,
}

/// The workers that a server has: the token of each, and its name.
type Workers = Arc<Mutex<Vec<(String, String)>>>;

/// A server that has so many activation tokens, and does in turn as said, at last what it should.
fn server(mut does: Vec<Does>, mut activations: usize) -> (StandIn, Workers) {
    let workers = Workers::default();
    let known = Arc::clone(&workers);
    let mut enabled = Vec::new();
    let server = StandIn::new(move |asked: &Asked| {
        let mut known = known.lock().unwrap();
        if asked.line != REGISTER {
            let is_enabled = asked.token.as_ref().is_some_and(|it| enabled.contains(it));
            return Says::status(if is_enabled { 405 } else { 403 });
        }
        let does = if does.is_empty() {
            Does::Answers(201)
        } else {
            does.remove(0)
        };
        if let Does::Ignores | Does::Answers(400..) = does {
            let Does::Answers(status) = does else {
                return Says::nothing();
            };
            return Says::status(status);
        }
        let document: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
        let text = |key: &str| document[key].as_str().unwrap().to_owned();
        let (token, name) = (text("token"), text("fqdn"));
        if asked.token.is_some() && activations > 0 {
            activations -= 1;
            enabled.push(token.clone());
        } else if known.iter().any(|(known, _)| *known == token) {
            // Debusine 0.11.3 would try one name after the other for ever.
            assert_eq!(name.len(), LONGEST, "{name}");
            return Says::status(400).body(r#"{"title": "Error"}"#);
        }
        known.push((token, name));
        match does {
            Does::Loses => Says::nothing(),
            _ => Says::status(201),
        }
    });
    (server, workers)
}

fn workplace(server: &StandIn) -> (TempDir, Workplace) {
    let top = tempfile::tempdir().unwrap();
    let finding = Finding {
        state: top.path().to_owned(),
        ..Finding::default()
    };
    let workplace = Workplace::find(&server.client.url().to_string(), &finding).unwrap();
    (top, workplace)
}

#[track_caller]
fn is_registered_once(does: Vec<Does>) -> String {
    let (server, workers) = server(does, 0);
    let (_top, workplace) = workplace(&server);
    let token = token(&server.client, &workplace, "build.example", 1).unwrap();
    let workers = workers.lock().unwrap();
    assert_eq!(workers.len(), 1);
    assert_eq!(workers[0].0, token.as_str());
    let file = workplace.token_file(1);
    assert_eq!(Token::read(&file).unwrap(), Some(token));
    assert!(!file.with_extension("new").exists());
    workers[0].1.clone()
}

#[test]
fn an_answer_that_is_lost_makes_no_second_worker() {
    assert_eq!(is_registered_once(vec![]), "build.example");
    assert_eq!(is_registered_once(vec![Does::Loses]), "build.example");
    let name = is_registered_once(vec![Does::Ignores]);
    assert!(name.starts_with("build-example-"), "{name}");
}

/// Whoever is killed, or finds no server, goes on with the same token.
#[test]
fn the_next_process_goes_on_with_the_same_token() {
    let (server, workers) = server(vec![Does::Loses, Does::Answers(502)], 0);
    let (_top, workplace) = workplace(&server);
    let ask = || token(&server.client, &workplace, "build.example", 1);
    assert!(ask().unwrap_err().is_temporary());
    let token = ask().unwrap();
    let workers = workers.lock().unwrap();
    assert_eq!(workers.len(), 1);
    assert_eq!(workers[0].0, token.as_str());
}

/// One that knows it fails always.
#[test]
fn a_server_that_fails_for_a_while_does_not_know_the_token() {
    let mut does = vec![Does::Ignores];
    does.extend([Does::Answers(500); 4]);
    let name = is_registered_once(does);
    assert!(name.starts_with("build-example-"), "{name}");
}

/// The server takes it once.
#[test]
fn an_activation_token_that_is_used_is_not_asked_with_again() {
    let (server, workers) = server(vec![Does::Loses], 1);
    let (_top, workplace) = workplace(&server);
    Workplace::make_folder_of(&workplace.token_file(1)).unwrap();
    let activation = Token::random().unwrap();
    activation.write(&workplace.activation_file(1)).unwrap();
    let token = token(&server.client, &workplace, "build.example", 1).unwrap();
    assert_eq!(workers.lock().unwrap()[0].0, token.as_str());
    assert_eq!(workers.lock().unwrap().len(), 1);
    let asked = server.lines();
    assert_eq!(
        asked
            .iter()
            .filter(|line| line.starts_with(REGISTER))
            .count(),
        1
    );
}

#[test]
fn what_a_server_did_not_do_leaves_nothing() {
    let (server, workers) = server(vec![Does::Answers(400), Does::Answers(500)], 0);
    let (_top, workplace) = workplace(&server);
    for _ in 0..2 {
        token(&server.client, &workplace, "build.example", 1).unwrap_err();
        assert!(!workplace.token_file(1).with_extension("new").exists());
    }
    token(&server.client, &workplace, &"x".repeat(400), 1).unwrap();
    assert!(workers.lock().unwrap()[0].1.len() < LONGEST);
    // A server that is not there was asked nothing.
    let url = crate::server_url::ServerUrl::parse("http://127.0.0.1:1/api", false).unwrap();
    let error = token(&Client::new(url), &workplace, "x", 2).unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(!workplace.token_file(2).with_extension("new").exists());
}

#[test]
fn a_filled_name_is_a_slug() {
    let token = Token::random().unwrap();
    for name in ["Build_1.example", "", "-.-", &"a.b".repeat(100)] {
        let filled = filled(name, &token);
        assert_eq!(filled.len(), LONGEST, "{filled}");
        assert!(
            !filled.contains("--") && !filled.starts_with('-'),
            "{filled}"
        );
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(filled.chars().all(is_plain), "{filled}");
    }
}
