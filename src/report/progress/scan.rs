//! What happens at a gate, in words.

use crate::execute::events::ScanEvent;
use crate::report::scan::counts;
use crate::scan::{Started, Waiting};

/// One event of a gate.
pub fn scan_words(event: &ScanEvent) -> String {
    let of = |platform: &Option<String>| platform.as_ref().map_or(String::new(), |name| format!(" of {name}"));
    match event {
        ScanEvent::Started { platform, started } => {
            let of = of(platform);
            match started {
                Started::Yes => format!("started a scan{of}"),
                Started::TooSoon => format!("no new scan{of}: ECR scanned it within 24 hours"),
                Started::Disabled => format!("no scan{of} to start: Inspector scans here"),
                Started::Unsupported(words) => format!("no scan{of}: {words}"),
                Started::Archived => format!("no scan{of}: it is in the archive"),
            }
        }
        ScanEvent::Waiting { platform, waiting } => {
            let of = of(platform);
            match waiting {
                Waiting::ForScan => format!("waiting for the scan{of} to begin"),
                Waiting::ForFindings => format!("waiting for the scan{of} to end"),
                Waiting::ForSecondLook(count) => format!("{count} findings{of} so far; looking once more"),
            }
        }
        ScanEvent::Judged { open, counts: found, blocking, notices } => {
            let found = counts(found.iter().map(|(severity, count)| (severity, count)));
            let verdict = match (open, blocking) {
                (true, _) => format!("the gate is open: {found}"),
                (false, 0) => "the gate is closed: it is not known what is in the image".to_owned(),
                (false, blocking) => format!("the gate is closed by {blocking} of its findings: {found}"),
            };
            std::iter::once(verdict)
                .chain(notices.iter().map(|notice| format!("note: {notice}")))
                .collect::<Vec<_>>()
                .join("; ")
        }
    }
}
