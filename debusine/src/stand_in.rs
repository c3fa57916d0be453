//! Stands in for a server in tests of what the real one cannot be brought to do: connections that are cut at some byte, and
//! answers that are out of order.

use crate::{
    client::{Client, Login},
    server_url::ServerUrl,
    token::Token,
};
use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Its method and path.
    pub(crate) line: String,
    /// Its `Content-Range` or `Range`.
    pub(crate) range: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Says {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// After so many bytes of the body the connection is cut.
    pub(crate) cut_at: Option<usize>,
}

impl Says {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// The connection is closed without an answer.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn cut_at(mut self, at: usize) -> Self {
        self.cut_at = Some(at);
        self
    }
}

/// A server that answers as a test says.
pub(crate) struct StandIn {
    pub(crate) client: Client,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    pub(crate) fn new(mut answer: impl FnMut(&Asked) -> Says + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                // One request a connection: a client has to cope with that.
                if let Some(request) = read(&stream) {
                    noted.lock().unwrap().push(request.clone());
                    write(stream, &answer(&request));
                }
            }
        });
        let url = ServerUrl::parse(&format!("http://127.0.0.1:{port}/api"), false).unwrap();
        Self {
            client: Client::new(url),
            asked,
        }
    }

    pub(crate) fn login() -> Login {
        Login::of(&Token::parse("secret").unwrap())
    }

    /// The lines of the requests that came, with their ranges.
    pub(crate) fn lines(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let line =
            |asked: &Asked| format!("{} {}", asked.line, asked.range.as_deref().unwrap_or("-"));
        asked.iter().map(line).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut asked = Asked {
        line: line.rsplit_once(' ')?.0.to_owned(),
        range: None,
        token: None,
        body: Vec::new(),
    };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-range" | "range" => asked.range = Some(value.to_owned()),
            "token" => asked.token = Some(value.to_owned()),
            _ => {}
        }
    }
    asked.body = vec![0; length];
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

fn write(mut stream: TcpStream, says: &Says) {
    if says.status == 0 {
        return;
    }
    let length = says.body.len();
    let mut head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {length}\r\nConnection: close\r\n",
        says.status
    );
    for (name, value) in &says.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let body = &says.body[..says.cut_at.unwrap_or(length)];
    let sent = stream
        .write_all(format!("{head}\r\n").as_bytes())
        .and_then(|()| stream.write_all(body));
    // The client may be gone.
    let _ = sent;
}
