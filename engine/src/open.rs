//! From a URL to an engine.

use crate::{Engine, EngineError, place::Place, postgres, sql::SqlEngine, sqlite};
use std::{path::Path, sync::Arc};

/// Opens the engine that `url` names, and brings its schema up to date.
///
/// - `sqlite:///absolute/path`: a file on this machine. What follows `sqlite://` is its path as it stands, nothing is
///   unescaped. It is created where missing, readable for its owner alone, with the folders above it. It must belong to
///   root or the user, and nobody else may write to it or its folder; root may use that of a folder's owner, and what it
///   makes there is that owner's.
/// - `postgres://user:password@host:port/database` (or `postgresql://`); a socket's folder goes in `?host=/run/postgresql`.
///   The schema `taskbay` in it is made by whoever opens it first, who has to be permitted to.
///
/// # Errors
///
/// When the URL is no such one, the database cannot be reached, others may change its file, or it was made by a newer program.
pub fn open(url: &str) -> Result<Arc<dyn Engine>, EngineError> {
    let place = Place::of(url);
    match url.split_once("://") {
        Some(("sqlite", path)) => {
            let path = absolute(path, &place)?;
            let engine = SqlEngine::open(place, async |place| sqlite::open(place, path).await)?;
            Ok(Arc::new(engine))
        }
        Some(("postgres" | "postgresql", _)) => {
            let engine = SqlEngine::open(place, async |place| postgres::open(place, url).await)?;
            Ok(Arc::new(engine))
        }
        _ => Err(EngineError::UnknownScheme {
            url: place.to_string(),
        }),
    }
}

fn absolute<'a>(path: &'a str, place: &Place) -> Result<&'a Path, EngineError> {
    let found = Path::new(path);
    if found.is_absolute() && found.file_name().is_some() {
        return Ok(found);
    }
    Err(EngineError::BadUrl {
        url: place.to_string(),
        reason: format!("`{path}` is no absolute path of a file"),
    })
}
