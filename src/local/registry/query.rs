//! The part of a URL after the question mark.

use std::borrow::Cow;

use axum::http::Uri;

/// Parameters by name.
pub struct Query(String);

impl Query {
    /// Those of this URL.
    pub fn of(uri: &Uri) -> Self {
        Query(uri.query().unwrap_or_default().to_owned())
    }

    /// The first parameter of this name.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        form_urlencoded::parse(self.0.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
    }
}
