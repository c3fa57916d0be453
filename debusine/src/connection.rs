//! The websocket by which a server speaks to a worker.

use crate::{
    notice::Notice,
    server_url::ServerUrl,
    tls::{self, Stream},
    token::Token,
};
use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};
use tungstenite::{
    Error, HandshakeError, Message, WebSocket,
    client::{IntoClientRequest, client_with_config},
    http::HeaderValue,
    protocol::WebSocketConfig,
};

const PATH: &str = "/ws/1.0/worker/connect/";
/// The longest message that is read, in bytes: a server's are short.
const LONGEST: usize = 64 << 10;
const CONNECTING: Duration = Duration::from_secs(10);
/// How long opening may take once there is a connection, and how long a message may take to go.
const ANSWERING: Duration = Duration::from_secs(30);
/// After how long without a word the server is asked whether it is there, and after how long it is not.
const QUIET: Duration = Duration::from_secs(45);
const GONE: Duration = Duration::from_secs(75);

/// The websocket by which a server speaks to a worker.
pub(crate) struct Connection {
    socket: WebSocket<Line>,
    heard: Instant,
    is_asked: bool,
}

/// What the websocket speaks over.
enum Line {
    Plain(TcpStream),
    Encrypted(Box<Stream>),
}

impl Connection {
    /// Opens it.
    pub(crate) fn open(url: &ServerUrl, token: &Token) -> io::Result<Self> {
        let line = Line::connect(url)?;
        line.tcp().set_read_timeout(Some(ANSWERING))?;
        line.tcp().set_write_timeout(Some(ANSWERING))?;
        let mut request = url
            .websocket(PATH)
            .into_client_request()
            .map_err(io::Error::other)?;
        let mut token = HeaderValue::from_str(token.as_str()).map_err(io::Error::other)?;
        token.set_sensitive(true);
        request.headers_mut().insert("token", token);
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        let opened = client_with_config(request, line, Some(config));
        let (socket, _) = opened.map_err(|error| match error {
            HandshakeError::Failure(Error::Io(error)) => error,
            HandshakeError::Failure(error) => io::Error::other(error),
            HandshakeError::Interrupted(_) => io::ErrorKind::TimedOut.into(),
        })?;
        Ok(Self {
            socket,
            heard: Instant::now(),
            is_asked: false,
        })
    }

    /// What the server says next; none where it says nothing for so long.
    ///
    /// # Errors
    ///
    /// When the connection is over.
    pub(crate) fn hear(&mut self, patience: Duration) -> io::Result<Option<Notice>> {
        let patience = patience.max(Duration::from_millis(1));
        self.socket
            .get_ref()
            .tcp()
            .set_read_timeout(Some(patience))?;
        match self.socket.read() {
            Ok(message) => {
                self.heard = Instant::now();
                self.is_asked = false;
                Ok(match message {
                    Message::Text(text) => Some(Notice::parse(&text)),
                    _ => None,
                })
            }
            Err(Error::Io(error)) if is_silence(&error) => self.mind_silence(),
            Err(error) => Err(over(error)),
        }
    }

    /// Says something.
    pub(crate) fn say(&mut self, text: String) -> io::Result<()> {
        self.socket.send(Message::text(text)).map_err(over)
    }

    /// Says goodbye.
    pub(crate) fn close(mut self) {
        let _ = self.socket.close(None);
        let _ = self.socket.flush();
    }

    fn mind_silence(&mut self) -> io::Result<Option<Notice>> {
        if self.heard.elapsed() >= GONE {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("the server has said nothing for {} s", GONE.as_secs()),
            ));
        }
        if self.heard.elapsed() >= QUIET && !self.is_asked {
            self.is_asked = true;
            self.socket
                .send(Message::Ping(Vec::new().into()))
                .map_err(over)?;
        }
        Ok(None)
    }
}

fn is_silence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn over(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => {
            io::Error::new(io::ErrorKind::ConnectionAborted, "the server closed it")
        }
        error => io::Error::other(error),
    }
}

impl Line {
    fn connect(url: &ServerUrl) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
        for address in (url.host(), url.port()).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECTING) {
                Ok(tcp) => {
                    tcp.set_nodelay(true)?;
                    return if url.is_secure() {
                        let encrypted = tls::encrypted(url.host(), tcp)?;
                        Ok(Self::Encrypted(Box::new(encrypted)))
                    } else {
                        Ok(Self::Plain(tcp))
                    };
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Encrypted(stream) => stream.get_ref(),
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(buffer),
            Self::Encrypted(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}
