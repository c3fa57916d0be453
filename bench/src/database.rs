//! Databases of this program's own, and a client that sends them statements and does nothing else.

use crate::server::{Server, folder};
use anyhow::{Context as _, Result, ensure};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use std::{cell::Cell, path::PathBuf};
use tokio::runtime::{Builder, Runtime};

/// Where databases are made.
pub(crate) enum Place {
    Files(PathBuf),
    Server(Server, Cell<u32>),
}

/// A client with one connection.
pub(crate) struct Client {
    pub(crate) runtime: Runtime,
    pub(crate) connection: Connection,
}

/// Its connection.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Place {
    /// A server that flushes what it is told to, where PostgreSQL is installed.
    pub(crate) fn server() -> Result<Option<Self>> {
        let Some(server) = Server::in_folder(folder(), "-c fsync=on -c max_connections=300") else {
            return Ok(None);
        };
        ensure!(
            server.is_ready(1),
            "PostgreSQL does not start: {}",
            server.log()
        );
        Ok(Some(Self::Server(server, Cell::new(0))))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Files(_) => "SQLite",
            Self::Server(..) => "PostgreSQL",
        }
    }

    /// The URL of a new database of that name.
    pub(crate) fn create(&self, name: &str) -> Result<String> {
        match self {
            Self::Files(folder) => {
                let file = folder.join(name);
                Ok(format!("sqlite://{}", file.display()))
            }
            Self::Server(server, made) => {
                made.set(made.get() + 1);
                let name = format!("bench{}", made.get());
                let mut client = Client::connect(&server.url("postgres", "postgres"))?;
                client.execute(&format!("create database {name}"))?;
                Ok(server.url("postgres", &name))
            }
        }
    }
}

impl Client {
    pub(crate) fn connect(url: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(async {
            if url.starts_with("sqlite:") {
                let mut connection = SqliteConnection::connect(url).await?;
                let same = "pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 30000; pragma foreign_keys = on";
                connection.execute(same).await?;
                return anyhow::Ok(Connection::Sqlite(connection));
            }
            let mut connection = PgConnection::connect(url).await?;
            connection.execute("set search_path = taskbay").await?;
            Ok(Connection::Postgres(connection))
        })?;
        Ok(Self {
            runtime,
            connection,
        })
    }

    /// Statements that answer nothing.
    pub(crate) fn execute(&mut self, sql: &str) -> Result<()> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        self.runtime
            .block_on(async {
                match &mut self.connection {
                    Connection::Sqlite(connection) => {
                        statements.execute(connection).await.map(drop)
                    }
                    Connection::Postgres(connection) => {
                        statements.execute(connection).await.map(drop)
                    }
                }
            })
            .with_context(|| format!("this failed: {sql}"))
    }

    /// The text for the database at hand, where they differ.
    pub(crate) fn pick<'t>(&self, sqlite: &'t str, postgres: &'t str) -> &'t str {
        match self.connection {
            Connection::Sqlite(_) => sqlite,
            Connection::Postgres(_) => postgres,
        }
    }
}
