//! A worker with several slots, each of which is a worker of the server, and offers that come more than once.

use crate::{
    api::LIMIT,
    fake,
    server::Server,
    site::until,
    worker::{Kind, Place, Worker},
};
use serde_json::{Value, json};
use std::{iter, thread, time::Duration};

/// Tells all workers again and again that they have work, as the server does when it gives one to them.
const OFFER: &str = "
import asyncio
from channels.layers import get_channel_layer
from debusine.db.models import Worker
workers = list(Worker.objects.filter(worker_type='external').values_list('token__hash', flat=True))
async def offer():
    for _ in range(60):
        for worker in workers:
            await get_channel_layer().group_send(worker, {'type': 'work_request.assigned'})
        await asyncio.sleep(0.05)
asyncio.run(offer())
";

/// A worker with two slots, and requests that end when they are told to.
struct Two<'s> {
    server: &'s Server,
    worker: Worker<'s>,
    requests: Vec<i64>,
}

impl<'s> Two<'s> {
    fn of(server: &'s Server) -> Self {
        server.keeps_a_ledger();
        let place = Place::new(server.url());
        place.configure("[worker]\nslots = 2\n");
        fake::add_to(&place, 1000);
        let worker = Worker::start_in(server, Kind::Ours, place);
        let both = "select id from db_worker where connected_at is not null and dynamic_metadata_updated_at is not null
            and worker_type = 'external'";
        worker.wait_until("offer what both slots can do", || {
            server.enable_workers();
            server.records.rows(both).len() == 2
        });
        Self {
            server,
            worker,
            requests: Vec::new(),
        }
    }

    /// Makes so many requests more, of which each but the first comes while another is being given out; they have begun then.
    #[track_caller]
    fn begin(&mut self, more: usize) {
        let submit = || self.server.submit("mmdebstrap", &fake::request());
        self.requests.extend(iter::repeat_with(submit).take(more));
        let all = self.requests.len();
        let place = self.worker.place();
        self.worker
            .wait_until("begin", || fake::begun(place) == all);
    }

    /// The worker of the server that a request is with, and what the request is at.
    fn stands(&self, request: i64) -> (Value, Value) {
        let query = format!("select worker_id, status from db_workrequest where id = {request}");
        let row = self.server.records.row(&query);
        (row["worker_id"].clone(), row["status"].clone())
    }

    /// Asserts that each of them was given out once, and ended well.
    #[track_caller]
    fn ends_well(&self, more: &[i64]) {
        let log = || self.worker.place().log();
        for id in self.requests.iter().chain(more) {
            let request = self.server.completes(*id, LIMIT);
            assert_eq!(request["result"], "success", "{request:#}\n{}", log());
            let once = json!(["given", "completed"]);
            assert_eq!(self.server.ledger(*id), once, "{request:#}\n{}", log());
        }
        let all = self.requests.len();
        assert_eq!(self.server.requests(), all + more.len(), "{}", log());
        assert_eq!(fake::begun(self.worker.place()), all, "{}", log());
    }
}

/// Asked for work by a worker that has some, a server has that done anew.
#[track_caller]
fn offers_in_mid_run_change_nothing(server: &Server) {
    let mut two = Two::of(server);
    let stand = |two: &Two| -> Vec<_> { two.requests.iter().map(|id| two.stands(*id)).collect() };
    two.begin(1);
    let before = stand(&two);
    // The other slot has room for what it is told of.
    server.admin(&["shell", "-c", OFFER]);
    assert_eq!(stand(&two), before);
    two.begin(1);
    let before = stand(&two);
    assert_ne!(before[0].0, before[1].0, "{}", two.worker.place().log());
    // The server gives it to a worker that has one.
    let noop = server.submit("noop", &json!({}));
    server.records.change(&format!(
        "update db_workrequest set worker_id = {} where id = {noop}",
        before[0].0
    ));
    server.admin(&["shell", "-c", OFFER]);
    assert_eq!(stand(&two), before);
    assert_eq!(two.stands(noop).1, "pending");
    fake::go_on(two.worker.place());
    two.ends_well(&[noop]);
}

#[test]
fn offers_in_mid_run_change_nothing_of_0_11() {
    if let Some(server) = Server::start_in_full() {
        offers_in_mid_run_change_nothing(&server);
    }
}

#[test]
fn offers_in_mid_run_change_nothing_of_0_16() {
    if let Some(server) = Server::start_newer() {
        offers_in_mid_run_change_nothing(&server);
    }
}

/// Offers come while the worker asks, while requests begin and while they end.
#[track_caller]
fn a_storm_of_offers_has_each_request_executed_once(server: &Server) {
    let mut two = Two::of(server);
    two.begin(2);
    fake::go_on(two.worker.place());
    let noops = thread::scope(|scope| {
        let storm = scope.spawn(|| server.admin(&["shell", "-c", OFFER]));
        let mut noops = Vec::new();
        while !storm.is_finished() {
            noops.push(server.submit("noop", &json!({})));
            thread::sleep(Duration::from_millis(200));
        }
        storm.join().unwrap();
        noops
    });
    assert!(noops.len() > 5, "{noops:?}");
    two.ends_well(&noops);
    let seats = "select distinct worker_id from db_workrequest";
    until(LIMIT, "both work", || {
        (server.records.rows(seats).len() == 2).then_some(())
    });
}

#[test]
fn a_storm_of_offers_has_each_request_executed_once_of_0_11() {
    if let Some(server) = Server::start_in_full() {
        a_storm_of_offers_has_each_request_executed_once(&server);
    }
}

#[test]
fn a_storm_of_offers_has_each_request_executed_once_of_0_16() {
    if let Some(server) = Server::start_newer() {
        a_storm_of_offers_has_each_request_executed_once(&server);
    }
}
