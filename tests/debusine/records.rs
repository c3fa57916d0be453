//! What the server has recorded, as its database tells.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use std::{path::Path, sync::Mutex};
use tokio::runtime::{Builder, Runtime};

/// The database of a server.
pub(crate) struct Records {
    options: PgConnectOptions,
    runtime: Runtime,
    connection: Mutex<Option<PgConnection>>,
}

/// A transaction that holds something.
pub(crate) struct Lock<'r> {
    records: &'r Records,
    connection: Option<PgConnection>,
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = self.records.runtime.block_on(connection.close());
        }
    }
}

impl Records {
    /// That of the server in that folder.
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            options: PgConnectOptions::new_without_pgpass()
                .socket(folder.join("run"))
                .username("postgres")
                .database("debusine"),
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            connection: Mutex::new(None),
        }
    }

    /// The rows of a query, as JSON objects.
    ///
    /// # Errors
    ///
    /// What the database says, or that it is not there.
    pub(crate) fn ask(&self, query: &str) -> Result<Vec<Value>, sqlx::Error> {
        let rows = format!("select coalesce(json_agg(found), '[]')::text from ({query}) found");
        let mut kept = self.connection.lock().unwrap();
        let is_kept = kept.is_some();
        let asked = self.runtime.block_on(async {
            match self.ask_with(kept.take(), &rows).await {
                // Of a database that was killed since.
                Err(_) if is_kept => self.ask_with(None, &rows).await,
                asked => asked,
            }
        });
        let (connection, found) = asked?;
        *kept = Some(connection);
        Ok(serde_json::from_str(&found).unwrap())
    }

    async fn ask_with(
        &self,
        connection: Option<PgConnection>,
        rows: &str,
    ) -> Result<(PgConnection, String), sqlx::Error> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.options).await?,
        };
        let found = sqlx::query_scalar(AssertSqlSafe(rows.to_owned()))
            .fetch_one(&mut connection)
            .await?;
        Ok((connection, found))
    }

    /// The rows of a query that cannot fail.
    #[track_caller]
    pub(crate) fn rows(&self, query: &str) -> Vec<Value> {
        self.ask(query).unwrap()
    }

    /// The only row of a query.
    #[track_caller]
    pub(crate) fn row(&self, query: &str) -> Value {
        let mut rows = self.rows(query);
        assert_eq!(rows.len(), 1, "{query}: {rows:#?}");
        rows.remove(0)
    }

    /// Changes something.
    #[track_caller]
    pub(crate) fn change(&self, statements: &str) {
        let done = self.runtime.block_on(async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
                .execute(&mut connection)
                .await
        });
        done.unwrap();
    }

    /// Holds what a query locks, until what is given back is dropped.
    #[track_caller]
    pub(crate) fn lock(&self, query: &str) -> Lock<'_> {
        let connection = self.runtime.block_on(async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            let begun = AssertSqlSafe(format!("begin; {query}"));
            sqlx::raw_sql(begun).execute(&mut connection).await?;
            Ok::<_, sqlx::Error>(connection)
        });
        Lock {
            records: self,
            connection: Some(connection.unwrap()),
        }
    }

    /// A request, as the server has it.
    pub(crate) fn request(&self, id: i64) -> Result<Value, sqlx::Error> {
        let query = format!(
            "select id, status, result, task_name, worker_id, output_data, supersedes_id
             from db_workrequest where id = {id}"
        );
        self.ask(&query)
            .map(|mut rows| rows.pop().unwrap_or(Value::Null))
    }

    /// The artifacts that a request made, with their files and relations, in the order in which it did.
    #[track_caller]
    pub(crate) fn made_by(&self, id: i64) -> Vec<Value> {
        self.rows(&format!(
            "select artifact.id, artifact.category, artifact.data,
                coalesce((select json_agg(json_build_object('path', has.path, 'size', file.size, 'complete', has.complete,
                        'sha256', encode(file.sha256, 'hex')) order by has.path)
                    from db_fileinartifact has join db_file file on file.id = has.file_id
                    where has.artifact_id = artifact.id), '[]') as files,
                coalesce((select json_agg(json_build_object('type', relation.type, 'target', target.category))
                    from db_artifactrelation relation join db_artifact target on target.id = relation.target_id
                    where relation.artifact_id = artifact.id), '[]') as relations
             from db_artifact artifact where artifact.created_by_work_request_id = {id} order by artifact.id"
        ))
    }
}
