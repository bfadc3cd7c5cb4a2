//! What the user says of prices.

use std::collections::HashMap;

use super::{World, read};
use crate::cli::PriceArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::workspace;
use crate::inventory::Prices;

/// The prices that were stated, and the others as they were when this was written.
pub(super) fn prices(args: &PriceArgs, world: &World) -> Result<Prices, Diagnostics> {
    let mut prices = Prices::default();
    let mut problems = Vec::new();
    for text in &args.stated {
        let pairs = match text.split_once('=') {
            Some((key, value)) => vec![(key.to_owned(), value.to_owned())],
            // What is asked for most may be said without its name.
            None if text.trim().parse::<f64>().is_ok() => vec![("storage".to_owned(), text.clone())],
            None => match of_file(text, world) {
                Ok(pairs) => pairs,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            },
        };
        for (key, value) in pairs {
            if let Err(message) = prices.state(&key, &value) {
                problems.push(Diagnostic::input(format!("--price {text}: {message}")));
            }
        }
    }
    Diagnostics::check(problems)?;
    Ok(prices)
}

/// A file of lines `key: value`, or a JSON object.
fn of_file(text: &str, world: &World) -> Result<Vec<(String, String)>, Diagnostic> {
    let path = world.folder.join(text);
    let name = read::shown(&path, &world.folder);
    let failed = |cause: String| {
        let problem = Diagnostic::input(format!("cannot read the prices `{name}`")).caused_by(cause);
        problem.hint("a price looks like `--price storage=0.11`, and a file of them holds a map")
    };
    let bytes = workspace::read(&path).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
    let map: HashMap<String, f64> = serde_yaml::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Ok(map.into_iter().map(|(key, usd)| (key, usd.to_string())).collect())
}
