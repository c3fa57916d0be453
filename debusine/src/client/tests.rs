use super::*;
use crate::{
    dialect::Dialect,
    stand_in::{Asked, Says, StandIn},
};

fn find(says: Says) -> Result<Dialect, Fault> {
    let server = StandIn::new(move |asked: &Asked| {
        assert_eq!(asked.token, None);
        says.clone()
    });
    Dialect::find(&server.client)
}

#[test]
fn another_server_is_refused() {
    let allowing = |text: &str| Says::status(401).header("Allow", text);
    assert_eq!(
        find(allowing("GET, HEAD, OPTIONS")).unwrap(),
        Dialect::Plain
    );
    assert_eq!(find(allowing("POST, OPTIONS")).unwrap(), Dialect::Scoped);
    for (says, words) in [
        (Says::status(404), "the answer is 404"),
        (Says::status(501), "the answer is 501"),
        (
            Says::status(301).header("Location", "http://127.0.0.1:1/"),
            "301",
        ),
        (allowing("GET, POST"), "neither 0.11.3 nor 0.16.2"),
    ] {
        let error = find(says).unwrap_err();
        assert!(matches!(error, Fault::Foreign { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    // One that starts is waited for.
    assert!(find(Says::status(503)).unwrap_err().is_passing());
}

#[test]
fn a_problem_is_told_in_the_servers_words() {
    let told = |kind: &str, body: &str| {
        let says = Says::status(400).header("Content-Type", kind).body(body);
        let server = StandIn::new(move |_: &Asked| says.clone());
        let answer = server
            .client
            .call(Method::GET, "/x/", &StandIn::login())
            .unwrap();
        answer
            .expect(&[200], server.client.url())
            .unwrap_err()
            .to_string()
    };
    let problem = r#"{"title": "No", "detail": null, "validation_errors": {"a": ["b"]}}"#;
    let text = told("application/problem+json", problem);
    assert_eq!(text, r#"the server refuses GET /x/ (400): No; {"a":["b"]}"#);
    let page = told("text/html", "<h1>secrets</h1>");
    assert!(page.ends_with("(text/html)"), "{page}");
    let obeyed = told("application/json", r#"{"title": "\u001b[31m"}"#);
    assert!(!obeyed.contains('\x1b'), "{obeyed}");
}

#[test]
fn an_answer_without_an_end_is_not_read() {
    let server = StandIn::new(|_: &Asked| Says::status(200).body(vec![b' '; 5 << 20]));
    let fault = server
        .client
        .call(Method::GET, "/x/", &StandIn::login())
        .unwrap_err();
    assert!(matches!(fault, Fault::Malformed { .. }), "{fault}");
}

/// The token is nobody else's.
#[test]
fn a_file_elsewhere_is_not_fetched() {
    let server = StandIn::new(|_: &Asked| Says::status(200));
    let fault = server
        .client
        .fetch("http://elsewhere.example/f", &StandIn::login(), 0, 1)
        .unwrap_err();
    assert!(matches!(fault, Fault::Malformed { .. }), "{fault}");
    assert!(server.lines().is_empty());
}
