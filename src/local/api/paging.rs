//! Pages of long answers. A page begins after the key that its token names, so that what comes or goes between two
//! calls shifts nothing.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::local::refusal::Refusal;

/// In items. Source: ECR API model.
const DEFAULT_SIZE: i64 = 100;
const MAX_SIZE: i64 = 1000;

/// The members of a request that ask for a page.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paging {
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// A page, and the token of the next if there is one.
#[derive(Debug, PartialEq)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// Where to go on.
    pub next_token: Option<String>,
}

impl<T: Serialize> Page<T> {
    /// The answer: the items under this name, and the token where there is one.
    pub fn into_output(self, name: &str) -> Value {
        let mut output = json!({ name: self.items });
        if let Some(token) = self.next_token {
            output["nextToken"] = token.into();
        }
        output
    }
}

impl Paging {
    /// Whether the request asks for anything in particular.
    pub fn is_given(&self) -> bool {
        self.max_results.is_some() || self.next_token.is_some()
    }

    /// Whether the request asks for the first page.
    pub fn is_first(&self) -> bool {
        self.next_token.is_none()
    }

    /// What the key of the last item before the page begins with: the name or digest where to look for the page.
    pub fn start<T: FromStr>(&self) -> Result<Option<T>, Refusal> {
        let Some(key) = self.after()? else { return Ok(None) };
        let name = key.split(' ').next().unwrap_or_default();
        name.parse().map(Some).map_err(|_| bad_token())
    }

    /// The page that the request asks for, out of items in the ascending order of their keys. They may begin
    /// anywhere before the page; near it, they cost less.
    pub fn page<T>(&self, items: impl Iterator<Item = (String, T)>) -> Result<Page<T>, Refusal> {
        let size = self.max_results.unwrap_or(DEFAULT_SIZE);
        let size = usize::try_from(size).ok().filter(|_| (1..=MAX_SIZE).contains(&size)).ok_or_else(|| {
            Refusal::parameter("maxResults", format_args!("Member must have value between 1 and {MAX_SIZE}"))
        })?;
        let after = self.after()?;
        let mut items = items.skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after)).peekable();
        let mut page = Page { items: Vec::new(), next_token: None };
        while let Some((key, item)) = items.next() {
            page.items.push(item);
            if page.items.len() == size {
                page.next_token = items.peek().map(|_| STANDARD.encode(key));
                break;
            }
        }
        Ok(page)
    }

    fn after(&self) -> Result<Option<String>, Refusal> {
        let Some(token) = &self.next_token else { return Ok(None) };
        let key = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        key.map(Some).ok_or_else(bad_token)
    }
}

fn bad_token() -> Refusal {
    Refusal::parameter("nextToken", "must be the token of the page before")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_meet_without_gap_or_overlap() {
        let items = || (0..25).map(|number| (format!("{number:02}"), number));
        let mut paging = Paging { max_results: Some(10), next_token: None };
        let mut seen = Vec::new();
        loop {
            let page = paging.page(items()).unwrap();
            seen.extend(page.items);
            match page.next_token {
                Some(token) => paging.next_token = Some(token),
                None => break,
            }
        }
        assert_eq!(seen, (0..25).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_last_page_has_no_token() {
        let paging = Paging { max_results: Some(2), next_token: None };
        let page = paging.page([("a".to_owned(), 1), ("b".to_owned(), 2)].into_iter()).unwrap();
        assert_eq!(page, Page { items: vec![1, 2], next_token: None });
    }

    #[test]
    fn bad_requests() {
        for (max_results, next_token) in [(Some(0), None), (Some(1001), None), (Some(-1), None), (None, Some("%"))] {
            let paging = Paging { max_results, next_token: next_token.map(str::to_owned) };
            assert!(paging.page(std::iter::empty::<(String, ())>()).is_err(), "{paging:?}");
        }
    }
}
