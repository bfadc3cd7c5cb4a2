//! `depends_on`, and which images need which.

use super::problems::Problems;
use super::read::Field;
use super::span::Span;
use crate::names::nearest;

/// An image that is needed, and where the file says so.
#[derive(Debug, Clone)]
pub(super) struct Needed {
    pub image: String,
    path: String,
    at: Span,
}

impl Needed {
    /// An image that a field of this path names.
    pub fn new(image: &str, path: &str, at: Span) -> Self {
        Needed { image: image.to_owned(), path: path.to_owned(), at }
    }
}

/// Reads names of images: one, or a list.
pub(super) fn depends_on(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<Needed>> {
    let mut all: Vec<Needed> = Vec::new();
    for item in field.items_or_single(problems)? {
        let Some(image) = item.owned(problems) else { continue };
        if all.iter().any(|known| known.image == image) {
            problems.error(item.span(), format!("`{}` names `{image}` again", item.path));
            continue;
        }
        all.push(Needed { image, path: item.path.clone(), at: item.span() });
    }
    Some(all)
}

/// Who needs whom, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Needs(Vec<(String, Vec<Needed>)>);

impl Needs {
    /// One image and what it needs.
    pub fn add(&mut self, image: &str, needed: Vec<Needed>) {
        self.0.push((image.to_owned(), needed));
    }

    /// Reports images that are not there, and images that need themselves by some way.
    pub fn check(&self, problems: &mut Problems) {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        for needed in self.0.iter().flat_map(|(_, needed)| needed) {
            if !names().any(|name| name == needed.image) {
                let message = format!("`{}`: there is no image `{}`", needed.path, needed.image);
                let hint = match nearest(&needed.image, names()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => "name another image of this file by its key under `images`".to_owned(),
                };
                problems.error_with_hint(needed.at, message, hint);
            }
        }
        let mut search = Search { needs: &self.0, done: Vec::new(), path: Vec::new() };
        for (name, _) in &self.0 {
            search.visit(name, problems);
        }
    }
}

/// A walk along the needs, with the way that led to where it is.
struct Search<'a> {
    needs: &'a [(String, Vec<Needed>)],
    done: Vec<&'a str>,
    path: Vec<(&'a str, &'a Needed)>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, name: &'a str, problems: &mut Problems) {
        if self.done.contains(&name) {
            return;
        }
        let needed = self.needs.iter().find(|(known, _)| known == name).map_or(&[][..], |(_, needed)| needed);
        for need in needed {
            self.path.push((name, need));
            match self.path.iter().position(|(image, _)| *image == need.image) {
                Some(start) => report(&self.path[start..], problems),
                None => self.visit(&need.image, problems),
            }
            self.path.pop();
        }
        self.done.push(name);
    }
}

fn report(circle: &[(&str, &Needed)], problems: &mut Problems) {
    let Some((first, _)) = circle.first() else { return };
    let Some((_, last)) = circle.last() else { return };
    let message = match circle {
        [_] => format!("image `{first}` depends on itself"),
        _ => {
            let names: Vec<String> = circle.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("images depend on each other in a circle: {} -> `{first}`", names.join(" -> "))
        }
    };
    problems.error_with_hint(last.at, message, "take one of these dependencies away");
}
