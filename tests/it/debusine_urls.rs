//! Engines that are Debusine servers, as far as they can be told without one.

use crate::farm::Farm;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    thread,
};

#[test]
fn a_debusine_server_is_an_engine_for_workers() {
    let farm = Farm::with(&[]);
    let run = |url: &str, command: &str| farm.run(&["--engine", url, command]);
    run("debusine+https://host.invalid/api", "requests").fails(2, &["an engine for workers"]);
    run("debusine+http://host.invalid/api", "worker").fails(2, &["could read", "allow_http"]);
    run("debusine+ftp://host.invalid/api", "worker").fails(2, &["only `https` is spoken"]);
    run("debusine:/nowhere", "worker").fails(1, &["no config.ini in /nowhere"]);
}

/// A server that starts is waited for; one of another kind is not.
#[test]
fn another_server_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("debusine+http://{}/api", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    let farm = Farm::with(&[]);
    farm.run(&["--engine", &url, "worker"])
        .fails(6, &["the answer is 404", "0.11.3 or 0.16.2"]);
}

#[test]
fn a_token_that_others_can_read_is_not_used() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 403 Forbidden\r\nAllow: GET, HEAD, OPTIONS\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    let farm = Farm::with(&[]);
    let folder = farm.path("debusine-worker");
    fs::create_dir(&folder).unwrap();
    let config = format!("[General]\napi-url = http://{address}/api\n");
    fs::write(folder.join("config.ini"), config).unwrap();
    let token = folder.join("token");
    fs::write(&token, "0123456789abcdef").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o640)).unwrap();
    let url = format!("debusine:{}", folder.display());
    let mut command = farm.command(&["--engine", &url, "worker"]);
    command.env("STATE_DIRECTORY", farm.path("state"));
    crate::farm::Ran::of(&mut command).fails(6, &["others can read it", "chmod 600"]);
}
