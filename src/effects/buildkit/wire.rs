//! Messages in the form in which they cross the wire, where the generated ones would not do.

use bytes::Bytes;

/// One message of the file transfer. The generated type holds paths as text, which those of files need not be.
///
/// Source: fsutil, `types/wire.proto`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Packet {
    #[prost(enumeration = "Kind", tag = "1")]
    pub kind: i32,
    #[prost(message, optional, tag = "2")]
    pub stat: Option<Stat>,
    #[prost(uint32, tag = "3")]
    pub id: u32,
    #[prost(bytes = "bytes", tag = "4")]
    pub data: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Kind {
    Stat = 0,
    Request = 1,
    Data = 2,
    Finish = 3,
    Error = 4,
}

/// A file's metadata. Source: fsutil, `types/stat.proto`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Stat {
    #[prost(bytes = "vec", tag = "1")]
    pub path: Vec<u8>,
    /// Go's `fs.FileMode`.
    #[prost(uint32, tag = "2")]
    pub mode: u32,
    #[prost(int64, tag = "5")]
    pub size: i64,
    /// Nanoseconds since 1970.
    #[prost(int64, tag = "6")]
    pub modified: i64,
    #[prost(bytes = "vec", tag = "7")]
    pub link: Vec<u8>,
}

impl Packet {
    pub(super) fn stat(stat: Option<Stat>) -> Self {
        Packet { kind: Kind::Stat.into(), stat, ..Packet::default() }
    }

    /// A part of a file; an empty one ends it.
    pub(super) fn data(id: u32, data: Bytes) -> Self {
        Packet { kind: Kind::Data.into(), id, data, ..Packet::default() }
    }

    pub(super) fn finish() -> Self {
        Packet { kind: Kind::Finish.into(), ..Packet::default() }
    }
}

/// Where in a file of the user's an error comes from. Source: BuildKit, `solver/errdefs/errdefs.proto`, `Source`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ErrorSource {
    #[prost(message, optional, tag = "1")]
    pub info: Option<bollard_buildkit_proto::pb::SourceInfo>,
    #[prost(message, repeated, tag = "2")]
    pub ranges: Vec<bollard_buildkit_proto::pb::Range>,
}
