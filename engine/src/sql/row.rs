//! What comes out of a query, and how words and documents are written.

use crate::EngineError;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

/// A row that comes out of one.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(crate) fn get<T>(&self, column: &str) -> Result<T, EngineError>
    where
        T: for<'r> Decode<'r, Sqlite>
            + Type<Sqlite>
            + for<'r> Decode<'r, Postgres>
            + Type<Postgres>,
    {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn int(&self, column: &str) -> Result<i64, EngineError> {
        self.get(column)
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, EngineError> {
        self.get(column)
    }

    /// A count or size, which no schema lets be negative.
    pub(crate) fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, EngineError> {
        let count = self.int(column)?;
        T::try_from(count)
            .map_err(|_| EngineError::corrupt("number", format!("{column} is {count}")))
    }

    /// A JSON document.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, EngineError> {
        let text = self.text(column)?;
        serde_json::from_str(&text)
            .map_err(|error| EngineError::corrupt("document", format!("{column}: {error}")))
    }

    /// A JSON document that may be missing.
    pub(crate) fn maybe_json<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, EngineError> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| EngineError::corrupt("document", format!("{column}: {error}")))
    }

    /// A plain word, as serde spells the variants of an enumeration.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T, EngineError> {
        let word = self.text(column)?;
        unword(&word)
    }

    /// A plain word that may be missing.
    pub(crate) fn maybe_word<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, EngineError> {
        let word: Option<String> = self.get(column)?;
        word.as_deref().map(unword).transpose()
    }
}

fn unword<T: DeserializeOwned>(word: &str) -> Result<T, EngineError> {
    serde_json::from_value(word.into()).map_err(|error| EngineError::corrupt("word", error))
}

/// The word for a variant, as serde spells it.
pub(crate) fn word<T: Serialize>(variant: &T) -> String {
    let value = serde_json::to_value(variant).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// A document as text.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, EngineError> {
    serde_json::to_string(value)
        .map_err(|error| EngineError::invalid("document", error.to_string()))
}
