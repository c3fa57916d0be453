//! A worker with several slots, each of which is a worker of the server, and offers that come more than once.

use crate::{
    api::LIMIT,
    fake,
    server::Server,
    site::until,
    worker::{Kind, Place, Worker},
};
use serde_json::{Value, json};
use std::{thread, time::Duration};

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

/// A worker with two slots, in each of which a request runs that ends when it is told to.
struct Two<'s> {
    server: &'s Server,
    worker: Worker<'s>,
    requests: [i64; 2],
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
        // One comes while the other is being given out.
        let requests = [0; 2].map(|_| server.submit("mmdebstrap", &fake::request()));
        let two = Self {
            server,
            worker,
            requests,
        };
        two.worker
            .wait_until("begin both", || fake::begun(two.worker.place()) == 2);
        two
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
        assert_eq!(self.server.requests(), 2 + more.len(), "{}", log());
        assert_eq!(fake::begun(self.worker.place()), 2, "{}", log());
    }
}

/// Asked for work by a worker that has some, a server has that done anew.
#[track_caller]
fn offers_in_mid_run_change_nothing(server: &Server) {
    let two = Two::of(server);
    let before = two.requests.map(|id| two.stands(id));
    assert_ne!(before[0].0, before[1].0, "{}", two.worker.place().log());
    // The server gives it to a worker that has one.
    let noop = server.submit("noop", &json!({}));
    server.records.change(&format!(
        "update db_workrequest set worker_id = {} where id = {noop}",
        before[0].0
    ));
    server.admin(&["shell", "-c", OFFER]);
    assert_eq!(two.requests.map(|id| two.stands(id)), before);
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
    let two = Two::of(server);
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
