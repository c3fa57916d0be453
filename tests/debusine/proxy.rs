//! A connection that is cut: what stands between a worker and its server.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    thread,
};

/// Passes on what a worker and its server say, on a port of its own.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    /// So many bytes more the worker may say in one connection before that is cut; none is cut where it is negative.
    patience: AtomicI64,
    cut: AtomicU64,
    /// The answer to what begins with that is lost, once.
    losing: Mutex<Option<&'static str>>,
}

impl Proxy {
    /// One before the server on that port.
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server,
            patience: AtomicI64::new(-1),
            cut: AtomicU64::new(0),
            losing: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        // It ends with the process.
        thread::spawn(move || {
            for worker in listener.incoming().flatten() {
                accepting.pass_on(worker);
            }
        });
        Self { port, shared }
    }

    /// Where the server is for whoever goes through here.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/api", self.port)
    }

    /// Cuts the next connection that has carried so much from the worker, once.
    pub(crate) fn cut_after(&self, bytes: i64) {
        self.shared.patience.store(bytes, Ordering::SeqCst);
    }

    /// Cuts the next connection in which something that begins so is asked, once the server has answered it.
    pub(crate) fn lose_answer_to(&self, beginning: &'static str) {
        *self.shared.losing.lock().unwrap() = Some(beginning);
    }

    /// How many connections were cut.
    pub(crate) fn cut(&self) -> u64 {
        self.shared.cut.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn pass_on(self: &Arc<Self>, worker: TcpStream) {
        // The server may be away.
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else {
            return;
        };
        let (from_server, to_worker) = (server.try_clone().unwrap(), worker.try_clone().unwrap());
        let is_losing = Arc::new(AtomicBool::new(false));
        let (shared, loses) = (Arc::clone(self), Arc::clone(&is_losing));
        let answers = move |_: &[u8]| {
            let is_lost = loses.load(Ordering::SeqCst);
            shared.cut.fetch_add(is_lost.into(), Ordering::SeqCst);
            !is_lost
        };
        thread::spawn(move || copy(from_server, to_worker, answers));
        let shared = Arc::clone(self);
        let mut carried = 0;
        let may_go_on = move |piece: &[u8]| {
            carried += i64::try_from(piece.len()).unwrap();
            let mut losing = shared.losing.lock().unwrap();
            let is_it = losing.take_if(|beginning| piece.starts_with(beginning.as_bytes()));
            is_losing.fetch_or(is_it.is_some(), Ordering::SeqCst);
            shared.may_go_on(carried)
        };
        thread::spawn(move || copy(worker, server, may_go_on));
    }

    fn may_go_on(&self, carried: i64) -> bool {
        let patience = self.patience.load(Ordering::SeqCst);
        if patience < 0 || carried < patience {
            return true;
        }
        // Whoever is first to say so is cut, and nobody else.
        let is_first = self
            .patience
            .compare_exchange(patience, -1, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok();
        if is_first {
            self.cut.fetch_add(1, Ordering::SeqCst);
        }
        !is_first
    }
}

/// Copies until one side ends, or may not go on: then both are closed.
fn copy(mut from: TcpStream, mut to: TcpStream, mut may_go_on: impl FnMut(&[u8]) -> bool) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if !may_go_on(&piece[..length]) || to.write_all(&piece[..length]).is_err() {
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
