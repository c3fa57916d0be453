//! What a service tells the service manager that started it. The manager is a socket of the test's.

use crate::bay::{Bay, LIMIT};
use rustix::process::Signal;
use std::os::unix::net::UnixDatagram;

/// The socket on which a service manager listens.
struct Manager(UnixDatagram);

impl Manager {
    fn hears(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).expect("it says nothing");
        String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
    }

    /// What comes up to that message, which is the last.
    fn hears_until(&self, wanted: &str) -> Vec<String> {
        let mut heard = Vec::new();
        while heard.last().is_none_or(|last| last != wanted) {
            heard.push(self.hears());
        }
        heard
    }
}

pub(crate) fn services_say_that_they_are_ready_and_live(bay: &Bay) {
    for service in ["serve", "worker", "scheduler"] {
        let socket = bay.farm.path(&format!("{service}.socket"));
        let manager = Manager(UnixDatagram::bind(&socket).unwrap());
        manager.0.set_read_timeout(Some(LIMIT)).unwrap();
        let environment = [
            ("NOTIFY_SOCKET", socket.to_str().unwrap()),
            ("WATCHDOG_USEC", "600000"),
        ];
        let service = bay.start_with(&[service], &environment);
        manager.hears_until("READY=1");
        manager.hears_until("WATCHDOG=1");
        manager.hears_until("WATCHDOG=1");
        service.signal(Signal::TERM);
        let last = manager.hears_until("STOPPING=1");
        assert!(!last.contains(&"READY=1".to_owned()), "{last:?}");
        assert_eq!(service.ends(), Some(0));
    }
    // A worker is ready when the engine knows it.
    let known = bay.run(&["workers", "--json"]).succeeds().json();
    assert_eq!(known["workers"].as_array().unwrap().len(), 1, "{known:#}");
}
