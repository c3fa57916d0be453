//! A connection that is cut: what stands between a worker and its server.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
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
        thread::spawn(move || copy(from_server, to_worker, |_| true));
        let shared = Arc::clone(self);
        let mut carried = 0;
        let may_go_on = move |bytes| {
            carried += bytes;
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
fn copy(mut from: TcpStream, mut to: TcpStream, mut may_go_on: impl FnMut(i64) -> bool) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let length_here = i64::try_from(length).unwrap();
        if !may_go_on(length_here) || to.write_all(&piece[..length]).is_err() {
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
