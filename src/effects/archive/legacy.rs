//! Which layer a folder of Docker's own layout holds, told before its bytes are read.
//!
//! The folder's name is a hash over a `json` file, which stands before the layer in the archive, and over the chain of
//! the layer and of all below it. The chain is all that is missing in the file, and there are only as many chains as
//! layers: the one that gives the folder's name is it.
//!
//! Source: moby 20.10, `image/v1/imagev1.go`, `CreateID`; OCI image specification, "Layer ChainID".

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::names::Digest;

pub(super) struct Legacy<'a> {
    /// Each layer, and the digest over it and all below it.
    chains: Vec<(&'a Digest, Digest)>,
    /// The folders whose layer is known, by name.
    folders: BTreeMap<String, &'a Digest>,
}

impl<'a> Legacy<'a> {
    pub(super) fn new(diff_ids: &'a [Digest]) -> Self {
        let mut chains: Vec<(&Digest, Digest)> = Vec::with_capacity(diff_ids.len());
        for diff_id in diff_ids {
            let chain = match chains.last() {
                Some((_, below)) => Digest::of(format!("{below} {diff_id}").as_bytes()),
                None => diff_id.clone(),
            };
            chains.push((diff_id, chain));
        }
        Legacy { chains, folders: BTreeMap::new() }
    }

    /// Takes in a folder's `json`. One that is not understood leaves its layer unknown.
    pub(super) fn note(&mut self, json: &[u8]) {
        let Ok(mut fields) = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(json) else { return };
        let text = |value: Box<RawValue>| serde_json::from_str::<String>(value.get()).ok();
        let Some(id) = fields.remove("id").and_then(text) else { return };
        if let Some(parent) = fields.remove("parent").and_then(text) {
            let Some(parent) = raw(&format!("sha256:{parent}")) else { return };
            fields.insert("parent".into(), parent);
        }
        // Docker adds the system to all folders but the topmost after it has named them.
        let mut without_os = fields.clone();
        without_os.remove("os");
        for (diff_id, chain) in &self.chains {
            let Some(chain) = raw(chain.as_str()) else { return };
            for fields in [&mut without_os, &mut fields] {
                fields.insert("layer_id".into(), chain.clone());
                if serde_json::to_vec(&fields).is_ok_and(|bytes| Digest::of(&bytes).hex() == id) {
                    self.folders.insert(id, diff_id);
                    return;
                }
            }
        }
    }

    pub(super) fn diff_id(&self, folder: &str) -> Option<&'a Digest> {
        self.folders.get(folder).copied()
    }
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Docker 20.10.24 for an image of two layers.
    const LOWEST: &str = include_str!("legacy/lowest.json");
    const TOPMOST: &str = include_str!("legacy/topmost.json");
    const DIFF_IDS: &str = include_str!("legacy/diff_ids.txt");

    #[test]
    fn folders_are_told_by_their_names() {
        let diff_ids: Vec<Digest> = DIFF_IDS.lines().map(|line| line.parse().unwrap()).collect();
        let mut legacy = Legacy::new(&diff_ids);
        legacy.note(TOPMOST.as_bytes());
        legacy.note(LOWEST.as_bytes());
        let id = |json: &str| json.split('"').nth(3).unwrap().to_owned();
        assert_eq!(legacy.diff_id(&id(LOWEST)), Some(&diff_ids[0]));
        assert_eq!(legacy.diff_id(&id(TOPMOST)), diff_ids.last());
        let mut other = Legacy::new(&diff_ids[1..]);
        other.note(LOWEST.as_bytes());
        assert_eq!(other.diff_id(&id(LOWEST)), None, "what does not fit is not guessed");
    }
}
