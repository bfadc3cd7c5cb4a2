//! What a repository holds: what it costs, what of it may go, and what an image is made of. Pure.

mod cost;
mod holdings;
mod layers;
mod listing;
mod prices;
mod removal;

pub use cost::{Cost, Saving, Share, cost};
pub use holdings::{Blob, Holdings, blobs};
pub use layers::{Drawn, Layer, draw};
pub use listing::{Row, Sort, rows};
pub use prices::{PRICES_OF, Prices};
pub use removal::{Batch, Kept, Named, Removal, Wanted, remove};
