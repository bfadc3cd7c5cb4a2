//! Where in the Dockerfile something went wrong.

use bollard_buildkit_proto::google::rpc;
use bollard_buildkit_proto::pb::SourceInfo;
use prost::Message as _;
use tonic::Status;

use super::wire::ErrorSource;
use crate::dockerfile;

/// How many lines around the one that matters are shown.
const AROUND: usize = 2;

/// The lines of a file of the user's, with a mark at those that an error is about; `None` if it does not say.
///
/// Source: BuildKit, `util/grpcerrors`: details of an error, of which `errdefs.Source` names file and lines.
pub(super) fn of(error: &Status) -> Option<String> {
    let status = rpc::Status::decode(error.details()).ok()?;
    // The last one is the innermost: of an `ONBUILD` instruction, say, that of the user's own file.
    let sources = status.details.iter().filter(|detail| detail.type_url.contains("errdefs.Source"));
    let source = sources.filter_map(|detail| ErrorSource::decode(&*detail.value).ok()).next_back()?;
    let range = source.ranges.first()?;
    let (first, last) = (range.start.as_ref()?.line, range.end.as_ref().or(range.start.as_ref())?.line);
    excerpt(source.info.as_ref()?, usize::try_from(first).ok()?, usize::try_from(last).ok()?)
}

/// The same for a step, by its name: engines before 23.0 do not say where an error comes from.
pub fn of_step(step: &str, name: &str, text: &[u8]) -> Option<String> {
    let instruction = step.split_once("] ").map_or(step, |(_, instruction)| instruction);
    let lines = dockerfile::find(&String::from_utf8_lossy(text), instruction)?;
    let info = SourceInfo { filename: name.to_owned(), data: text.to_owned(), ..SourceInfo::default() };
    excerpt(&info, *lines.start(), *lines.end())
}

fn excerpt(info: &SourceInfo, first: usize, last: usize) -> Option<String> {
    let text = String::from_utf8_lossy(&info.data);
    let lines: Vec<&str> = text.lines().collect();
    if first == 0 || first > lines.len() {
        return None;
    }
    let last = last.clamp(first, lines.len());
    let from = first.saturating_sub(AROUND).max(1);
    let to = (last + AROUND).min(lines.len());
    let width = to.to_string().len();
    let shown = (from..=to).map(|number| {
        let mark = if (first..=last).contains(&number) { '>' } else { ' ' };
        format!("{mark} {number:width$} | {}", lines[number - 1]).trim_end().to_owned()
    });
    Some(format!("{}:{first}\n{}", info.filename, shown.collect::<Vec<_>>().join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_shown_with_their_neighbours() {
        let text = (1..=12).map(|line| format!("line {line}\n")).collect::<String>();
        let info = SourceInfo { filename: "Dockerfile".into(), data: text.into(), ..SourceInfo::default() };
        let expected =
            "Dockerfile:9\n   7 | line 7\n   8 | line 8\n>  9 | line 9\n> 10 | line 10\n  11 | line 11\n  12 | line 12";
        assert_eq!(excerpt(&info, 9, 10).as_deref(), Some(expected));
        assert_eq!(excerpt(&info, 1, 0).unwrap().lines().nth(1), Some("> 1 | line 1"));
        assert_eq!(excerpt(&info, 13, 13), None);
        assert_eq!(excerpt(&info, 0, 0), None);
    }
}
