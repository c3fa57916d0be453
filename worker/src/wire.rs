//! The socket to a plugin host: whole messages go out and come in, and nobody is ever waited for.

use crate::protocol::{FromHost, ToHost, frame, holds_frame, take_frame};
use rustix::{
    event::{PollFd, PollFlags},
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};
use std::{
    io,
    os::{fd::AsFd, unix::net::UnixStream},
};

/// The parent's end of the socket to a plugin host.
///
/// While the host has not taken all that was said to it, nothing that it says is taken either. So one that calls and
/// calls, and reads no reply, costs no memory here.
#[derive(Debug)]
pub(crate) struct Wire {
    socket: UnixStream,
    received: Vec<u8>,
    unsent: Vec<u8>,
    /// How many bytes of `unsent` are sent.
    sent: usize,
}

impl Wire {
    pub(crate) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            received: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
        }
    }

    /// Sends a message, or as much of it as the host takes now. [`exchange`](Self::exchange) sends the rest.
    ///
    /// # Errors
    ///
    /// When it is too large to be sent. That the host does not take it is no error here.
    pub(crate) fn send(&mut self, message: &ToHost) -> io::Result<()> {
        self.unsent.extend(frame(message)?);
        self.flush();
        Ok(())
    }

    /// What to wait for.
    pub(crate) fn poll(&self) -> PollFd<'_> {
        let flags = if self.has_unsent() {
            PollFlags::OUT
        } else {
            PollFlags::IN
        };
        PollFd::new(&self.socket, flags)
    }

    /// Sends what is unsent and takes in some of what is there, without waiting. Says whether there may be more.
    pub(crate) fn exchange(&mut self) -> io::Result<bool> {
        self.flush();
        if self.has_unsent() {
            return Ok(false);
        }
        let mut chunk = [0; 16 * 1024];
        match recv(self.socket.as_fd(), &mut chunk[..], RecvFlags::DONTWAIT) {
            Ok((0, _)) | Err(Errno::AGAIN | Errno::CONNRESET) => Ok(false),
            Ok((read, _)) => {
                self.received.extend_from_slice(&chunk[..read]);
                Ok(true)
            }
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the next message, if it is there whole.
    ///
    /// # Errors
    ///
    /// When what is there is no message.
    pub(crate) fn take(&mut self) -> io::Result<Option<FromHost>> {
        if self.has_unsent() {
            return Ok(None);
        }
        take_frame(&mut self.received)
    }

    /// Whether a whole message is there.
    pub(crate) fn holds_message(&self) -> bool {
        holds_frame(&self.received)
    }

    /// The host has ended: what is unsent, nobody takes any more, though something that it left may hold the socket.
    pub(crate) fn has_lost_host(&mut self) {
        self.unsent.clear();
        self.sent = 0;
    }

    fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    fn flush(&mut self) {
        while self.has_unsent() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match send(&self.socket, &self.unsent[self.sent..], flags) {
                Ok(sent) => self.sent += sent,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // Its end tells whoever waits for it.
                Err(_) => self.sent = self.unsent.len(),
            }
            if self.sent == self.unsent.len() {
                self.unsent = Vec::new();
                self.sent = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Question, read_frame};
    use std::{io::Read, thread};
    use taskbay_loader::FileIdentity;

    fn large(length: usize) -> ToHost {
        let plugin = FileIdentity::of(&rustix::fs::stat("/").unwrap());
        let data = "x".repeat(length);
        let question = Question::Configure { plugin, data };
        ToHost::Ask { nonce: 7, question }
    }

    #[test]
    fn who_reads_slowly_gets_all_of_it() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut wire = Wire::new(ours);
        wire.send(&large(4 << 20)).unwrap();
        wire.send(&ToHost::Abort).unwrap();
        assert!(wire.has_unsent());
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut chunk = [0; 5000];
            while let Ok(read @ 1..) = theirs.read(&mut chunk) {
                bytes.extend_from_slice(&chunk[..read]);
            }
            bytes
        });
        while wire.has_unsent() {
            wire.exchange().unwrap();
        }
        drop(wire);
        let bytes = reader.join().unwrap();
        let mut bytes = &bytes[..];
        let first = read_frame::<ToHost>(&mut bytes).unwrap().unwrap();
        assert!(matches!(first, ToHost::Ask { nonce: 7, .. }));
        let second = read_frame::<ToHost>(&mut bytes).unwrap().unwrap();
        assert!(matches!(second, ToHost::Abort));
    }

    #[test]
    fn who_is_gone_is_sent_nothing() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut wire = Wire::new(ours);
        wire.send(&large(4 << 20)).unwrap();
        drop(theirs);
        wire.exchange().unwrap();
        assert!(!wire.has_unsent());
        assert!(wire.take().unwrap().is_none());
    }
}
