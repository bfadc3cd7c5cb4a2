//! `longshore images` and `longshore cost`

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::PlaceArgs;
use crate::names::RepositoryName;

/// `longshore images`
#[derive(Debug, Args)]
pub struct ImagesArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ImagesCommand,
}

/// What to do with the images of a repository.
#[derive(Debug, Subcommand)]
pub enum ImagesCommand {
    /// List the images of a repository
    Ls(ImagesLsArgs),
    /// Remove tags and images, but none that an environment needs
    Rm(ImagesRmArgs),
    /// Draw the layers of an image, with the commands that made them
    Show(ImagesShowArgs),
}

/// `longshore images ls`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore images ls shop/web --limit 20\n  \
                        longshore images ls shop/web --sort size --json")]
pub struct ImagesLsArgs {
    /// The repository
    #[arg(value_name = "REPOSITORY")]
    pub repository: RepositoryName,
    /// What to sort by; `none` prints each page as it comes, in no order
    #[arg(long, value_enum, default_value_t = SortBy::Pushed, value_name = "BY")]
    pub sort: SortBy,
    /// Print so many images only; the others take no memory
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<usize>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: PlaceArgs,
}

/// What images are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SortBy {
    /// The newest first
    Pushed,
    /// The last pulled first
    Pulled,
    /// The largest first
    Size,
    /// By their first tags
    Tag,
    /// Not at all
    None,
}

/// `longshore images rm`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore images rm shop/web 1.0.0-rc1\n  \
                        longshore images rm shop/web --untagged --older-than 30d --yes")]
pub struct ImagesRmArgs {
    /// The repository
    #[arg(value_name = "REPOSITORY")]
    pub repository: RepositoryName,
    /// Tags, which go alone while their image has others; or digests, whose images go with all their tags
    #[arg(value_name = "TAG|DIGEST", required_unless_present_any = ["untagged", "older_than"], value_parser = NonEmptyStringValueParser::new())]
    pub images: Vec<String>,
    /// Remove images without a tag
    #[arg(long, conflicts_with = "images")]
    pub untagged: bool,
    /// Remove images that were pushed longer ago, such as 30d
    #[arg(long, value_name = "SPAN", conflicts_with = "images")]
    pub older_than: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Say what would go, and remove nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: PlaceArgs,
}

/// `longshore images show`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore images show shop/web\n  longshore images show shop/web:1.2.3 --json")]
pub struct ImagesShowArgs {
    /// The repository, also as REPOSITORY:TAG or REPOSITORY@DIGEST
    #[arg(value_name = "REPOSITORY")]
    pub repository: String,
    /// The image [default: the newest that has a tag]
    #[arg(value_name = "TAG|DIGEST")]
    pub image: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: PlaceArgs,
}

/// What storage costs.
#[derive(Debug, Args)]
pub struct PriceArgs {
    /// A price in USD for a GB-month: that of the storage, or one by its name (storage, archive, archive_above_150tb), or a file with a map of them [default: of us-east-1 in March 2026]
    #[arg(long = "price", value_name = "USD|KEY=USD|FILE")]
    pub stated: Vec<String>,
}

/// `longshore cost`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore cost\n  longshore cost shop/web --price storage=0.11 --json")]
pub struct CostArgs {
    /// The repositories [default: all of the registry]
    #[arg(value_name = "REPOSITORY")]
    pub repositories: Vec<RepositoryName>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub prices: PriceArgs,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: PlaceArgs,
}
