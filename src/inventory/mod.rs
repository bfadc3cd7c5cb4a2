//! What a repository holds: what it costs, what of it may go, and what an image is made of. Pure.

mod cost;
mod entries;
mod holdings;
mod layers;
mod listing;
mod packed;
mod prices;
mod removal;

pub use cost::{Cost, Saving, Share, cost};
pub use entries::{Entry, entries};
pub use holdings::{Blob, Holdings, blobs};
pub use layers::{Drawn, Layer, draw};
pub use listing::{Families, Parent, Row, Sort, Top};
pub use prices::{PRICES_OF, Prices};
pub use removal::{Batch, Kept, Named, Removal, Wanted, remove};
