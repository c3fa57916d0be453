//! What fuzzing checks of the protocol: both ways of reading agree, and what was read can be sent on.

use super::{FromHost, ToHost, frame, holds_frame, read_frame, take_frame};
use serde::{Serialize, de::DeserializeOwned};

/// Reads the bytes as a stream from a host, and as one to a host. Says how many messages there were.
///
/// # Panics
///
/// When something is wrong with the reader.
#[doc(hidden)]
pub fn check_frames(bytes: &[u8]) -> usize {
    check::<FromHost>(bytes) + check::<ToHost>(bytes)
}

fn check<T: Serialize + DeserializeOwned>(mut stream: &[u8]) -> usize {
    let mut received = stream.to_vec();
    let mut count = 0;
    loop {
        let holds = holds_frame(&received);
        let taken = take_frame::<T>(&mut received);
        let read = read_frame::<T>(&mut stream);
        match taken {
            Ok(Some(message)) => {
                assert!(holds);
                let sent = frame(&message).expect("what was read can be sent");
                let read = read.expect("both read it").expect("both read it");
                assert_eq!(frame(&read).expect("it can be sent"), sent);
                let again = take_frame::<T>(&mut sent.clone()).expect("what was sent can be read");
                let again = again.expect("what was sent is whole");
                assert_eq!(frame(&again).expect("it can be sent"), sent);
            }
            Ok(None) => {
                assert!(!holds);
                // A stream that ends within a frame is an error to whoever waits for the rest.
                assert!(!matches!(read, Ok(Some(_))));
                return count;
            }
            Err(_) => {
                assert!(read.is_err());
                return count;
            }
        }
        assert_eq!(received, stream);
        count += 1;
    }
}
