//! Who brings a built image to the registry: the engine, or we ourselves from what the engine hands out.
//!
//! The engine compresses each layer that it cannot name on one core; on our road all of the image is read out of the
//! engine first, but what is left is compressed on all cores. Which of the two takes less time follows from the sizes,
//! and from speeds that were measured with Docker 20.10 on two cores. Pure.

use super::ports::Carriage;
use crate::plan::{Compression, PushBy, Transport};

/// Bytes a second that the engine compresses, for each layer. Go's gzip before 1.27: 33 to 45 MB/s.
const ENGINE: f64 = 45e6;

/// Bytes a second at which the engine hands an image out: it writes the whole image to a folder first.
const HAND_OUT: f64 = 125e6;

/// The share of that time that passes before the first byte comes.
const SILENCE: f64 = 0.7;

/// Under this the engine's own road is taken in any case, in seconds: a gain would not be felt.
const TRIFLE: f64 = 1.0;

/// What the other road must save to be taken.
const MARGIN: f64 = 0.8;

/// A layer of the image that is to be pushed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Its size before compression, in bytes.
    pub(super) size: u64,
    /// The repository has it, and we know under which digest.
    pub(super) named: bool,
    /// The engine knows that as well.
    pub(super) remembered: bool,
}

/// A choice, and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The engine or Longshore itself.
    pub by: PushBy,
    /// The reason.
    pub why: String,
}

/// Chooses for an image of these layers; `None` where their sizes are not known.
pub(super) fn choose(asked: Transport, carriage: Carriage, layers: Option<&[Load]>, cores: usize) -> Choice {
    let engine = |why: &str| Choice { by: PushBy::Daemon, why: why.to_owned() };
    let direct = |why: String| Choice { by: PushBy::Direct, why };
    match asked.by {
        PushBy::Daemon => return engine("`push: daemon`"),
        PushBy::Direct | PushBy::Auto if !carriage.hands_out => {
            return engine("this engine keeps its layers compressed, or does not hand them out");
        }
        PushBy::Direct => return direct("`push: direct`".to_owned()),
        PushBy::Auto if matches!(asked.compression, Compression::Zstd { .. }) => {
            return direct("the engine does not compress with zstd".to_owned());
        }
        PushBy::Auto if !carriage.near => return engine("the engine is on another machine"),
        PushBy::Auto => {}
    }
    let Some(layers) = layers else { return engine("the sizes of the layers are not known") };
    let cost = Cost::of(layers, asked.compression, cores.max(1));
    let seconds = |seconds: f64| format!("{seconds:.1} s");
    if cost.engine < TRIFLE {
        return engine(&format!("it has little to compress: about {}", seconds(cost.engine)));
    }
    let both = format!("the engine about {}, we ourselves about {}", seconds(cost.engine), seconds(cost.direct));
    match cost.direct < cost.engine * MARGIN {
        true => direct(both),
        false => engine(&both),
    }
}

/// The time that each road takes, in seconds.
struct Cost {
    engine: f64,
    direct: f64,
}

impl Cost {
    fn of(layers: &[Load], compression: Compression, cores: usize) -> Self {
        let cores = cores as f64;
        let sum = |layers: &mut dyn Iterator<Item = &Load>| layers.map(|layer| layer.size as f64).sum::<f64>();
        let anew = |layer: &&Load| !(layer.named && layer.remembered);
        let largest = layers.iter().filter(anew).map(|layer| layer.size).max().unwrap_or(0) as f64;
        let engine = (largest / ENGINE).max(sum(&mut layers.iter().filter(anew)) / (ENGINE * cores));
        let handing_out = sum(&mut layers.iter()) / HAND_OUT;
        let compressing = sum(&mut layers.iter().filter(|layer| !layer.named)) / (speed(compression) * cores);
        let direct = handing_out * SILENCE + compressing.max(handing_out * (1.0 - SILENCE));
        Cost { engine, direct }
    }
}

/// Bytes a second and core, as measured on a tree of Python and shared libraries.
fn speed(compression: Compression) -> f64 {
    match compression {
        Compression::Gzip { level: 0..=1 } => 230e6,
        Compression::Gzip { level: 2..=4 } => 150e6,
        Compression::Gzip { level: 5..=6 } => 100e6,
        Compression::Gzip { level: 7..=9 } => 40e6,
        Compression::Gzip { .. } => 10e6,
        Compression::Zstd { level: 0..=1 } => 500e6,
        Compression::Zstd { level: 2..=5 } => 250e6,
        Compression::Zstd { level: 6..=12 } => 60e6,
        Compression::Zstd { .. } => 10e6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;
    const HERE: Carriage = Carriage { seeds: true, hands_out: true, near: true };

    fn layer(megabytes: u64, named: bool, remembered: bool) -> Load {
        Load { size: megabytes * MB, named, remembered }
    }

    fn by(layers: &[Load]) -> PushBy {
        choose(Transport::default(), HERE, Some(layers), 2).by
    }

    #[test]
    fn what_is_cheaper() {
        let small = layer(1, false, false);
        assert_eq!(by(&[layer(250, true, true), layer(60, false, false), small]), PushBy::Daemon, "a seeded base");
        assert_eq!(
            by(&[layer(250, false, false), layer(60, false, false), small]),
            PushBy::Direct,
            "a base of nobody's"
        );
        assert_eq!(
            by(&[layer(250, true, false), small]),
            PushBy::Direct,
            "a base that the engine would compress again"
        );
        assert_eq!(by(&[layer(30, false, false)]), PushBy::Daemon, "a trifle");
        assert_eq!(by(&[]), PushBy::Daemon);
    }

    #[test]
    fn what_was_asked_for() {
        let asked = |by, compression| Transport { by, compression };
        let layers = [layer(300, false, false)];
        let gzip = Compression::default();
        assert_eq!(choose(asked(PushBy::Daemon, gzip), HERE, Some(&layers), 2).by, PushBy::Daemon);
        assert_eq!(choose(asked(PushBy::Direct, gzip), HERE, None, 2).by, PushBy::Direct);
        let zstd = Compression::Zstd { level: 3 };
        assert_eq!(choose(asked(PushBy::Auto, zstd), HERE, None, 2).by, PushBy::Direct);
        let store = Carriage::default();
        assert_eq!(choose(asked(PushBy::Direct, gzip), store, Some(&layers), 2).by, PushBy::Daemon);
        let remote = Carriage { near: false, ..HERE };
        assert_eq!(choose(asked(PushBy::Auto, gzip), remote, Some(&layers), 2).by, PushBy::Daemon);
    }
}
