//! A place where an operation waits until it is let through.

use std::path::Path;
use std::time::Duration;

/// How often it is looked whether the way is free.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until the file is there. Meanwhile, and after it, there is a file of the same name with `.held` at its end.
///
/// A client that goes away takes its operation with it.
pub async fn wait_at(file: &Path) {
    let mut held = file.as_os_str().to_owned();
    held.push(".held");
    // Whoever waits for a mark that cannot be made sees that it does not come.
    let _ = std::fs::write(held, "");
    while !file.exists() {
        tokio::time::sleep(LOOK).await;
    }
}
