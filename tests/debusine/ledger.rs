//! What became of each request, in order, as the server notes it by itself.

use crate::server::Server;
use serde_json::Value;

/// Notes each time that a request is given to a worker, and each end of one.
const LEDGER: &str = "
    create table ledger (request bigint not null, what text not null);
    create function note() returns trigger language plpgsql as $$ begin
        insert into ledger values (new.id, case new.status when 'running' then 'given' else new.status end);
        return null;
    end $$;
    create trigger ledger after update on db_workrequest for each row
        when (new.status <> 'pending' and old.status is distinct from new.status) execute function note();";

impl Server {
    /// From now on it notes what becomes of requests.
    pub(crate) fn keeps_a_ledger(&self) {
        self.records.change(LEDGER);
    }

    /// What became of a request, in order.
    pub(crate) fn ledger(&self, id: i64) -> Value {
        let query = format!("select what from ledger where request = {id}");
        let rows = self.records.rows(&query);
        rows.iter().map(|row| row["what"].clone()).collect()
    }

    /// How many requests there are: one that is tried again is another.
    pub(crate) fn requests(&self) -> usize {
        self.records.rows("select id from db_workrequest").len()
    }
}
