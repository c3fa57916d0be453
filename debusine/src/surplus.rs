//! Seats that a worker had when it had more slots.

use crate::{seat::Seat, shared::Shared, token::Token, workplace::Workplace};
use std::{
    thread,
    time::{Duration, Instant},
};
use taskbay_core::with_sources;
use taskbay_engine::EngineError;

/// How often the server is told again.
const RETRY: Duration = Duration::from_secs(30);
/// How often it is looked whether the worker ends.
const LOOK: Duration = Duration::from_millis(200);

/// The seats beyond those that are used now which have a result that the server does not know yet.
///
/// # Errors
///
/// When a token cannot be read.
pub(crate) fn seats(workplace: &Workplace, used: usize) -> Result<Vec<Seat>, EngineError> {
    let mut seats = Vec::new();
    for number in used + 1.. {
        let Some(token) = Token::read(&workplace.token_file(number))? else {
            break;
        };
        let seat = Seat::new(number, token, workplace.shelf(number)?);
        if seat.has_result() {
            seats.push(seat);
        }
    }
    Ok(seats)
}

/// Tells the server what these have, until it knows all. They are not connected, so they get no work.
pub(crate) fn settle(shared: &Shared, seats: &[Seat]) {
    while seats.iter().any(Seat::has_result) {
        for seat in seats {
            if let Err(fault) = shared.tell_kept(seat) {
                log::warn!("{}; trying again", with_sources(&fault));
            }
        }
        let until = Instant::now() + RETRY;
        while Instant::now() < until && seats.iter().any(Seat::has_result) {
            if shared.is_over() {
                return;
            }
            thread::sleep(LOOK);
        }
    }
}
