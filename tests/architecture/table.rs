//! The room table of CONTRIBUTING.md.

/// One row: a room, and the paths that it may name besides its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Room {
    /// The room's module.
    pub name: String,
    /// Each a room, or a module inside of one, as in `execute::ports`.
    pub may_use: Vec<String>,
}

/// Reads the table whose header names the columns `room` and `may use`.
///
/// # Errors
/// If there is no such table, or a row that cannot be read or that names a room which is not above it.
pub fn read(text: &str) -> Result<Vec<Room>, String> {
    let mut lines = text.lines().skip_while(|line| {
        let header = cells(line);
        !(header.first() == Some(&"room") && header.last() == Some(&"may use"))
    });
    lines.next().ok_or("no table with the columns `room` and `may use`")?;
    let mut rooms: Vec<Room> = Vec::new();
    for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
        let cells = cells(line);
        let (Some(name), Some(uses)) = (cells.first().and_then(|cell| quoted(cell).into_iter().next()), cells.last())
        else {
            return Err(format!("no room in the row {line}"));
        };
        let above = || rooms.iter().map(|room| room.name.clone());
        let may_use: Vec<String> = match *uses {
            "nothing" => Vec::new(),
            "all above" => above().collect(),
            uses => quoted(uses),
        };
        if may_use.is_empty() && *uses != "nothing" {
            return Err(format!("`{name}` uses `{uses}`, which is neither rooms in backticks nor `nothing`"));
        }
        for used in &may_use {
            let room = used.split("::").next().unwrap_or_default();
            if !above().any(|above| above == room) {
                return Err(format!("`{name}` uses `{used}`, which does not stand above it"));
            }
        }
        rooms.push(Room { name, may_use });
    }
    Ok(rooms)
}

fn cells(line: &str) -> Vec<&str> {
    let inside = line.trim().trim_start_matches('|').trim_end_matches('|');
    inside.split('|').map(str::trim).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
