//! Transactions that were in each other's way are tried again.

use crate::EngineError;
use std::time::Duration;
use tokio::time::sleep;

/// How often. Each try is another transaction.
const TRIES: u32 = 10;
/// How long until the second try; doubled with each further one.
const PAUSE: Duration = Duration::from_millis(5);

/// Asks until the answer is another than that the database undid the transaction in favour of others.
pub(crate) async fn again<T>(
    answer: impl AsyncFn() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let mut tries = 0;
    loop {
        match answer().await {
            Err(error) if error.is_passing() && tries < TRIES => {
                log::debug!("tried again: {error}");
                sleep(PAUSE * 2_u32.pow(tries)).await;
                tries += 1;
            }
            answer => return answer,
        }
    }
}
