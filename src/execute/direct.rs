//! The push through our own hands, and whether it is taken.

use super::book::Seen;
use super::events::ImageEvent;
use super::ports::{Anatomy, BuiltImage, Credential, Ecr, Engine, Freight, Layer, Registry, ServiceError};
use super::road::{Choice, Load, choose};
use super::stage::Piece;
use super::steps::Steps;
use crate::names::{Digest, ImageRef};

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// Chooses who pushes, and tells of it.
    pub(super) async fn road(&self, piece: &Piece<'_>, anatomy: Option<&Anatomy>) -> Choice {
        let carriage = self.services.engine.carriage(piece.build).await.unwrap_or_default();
        let loads = anatomy.and_then(|anatomy| {
            let sizes = anatomy.diff_ids.iter().zip(anatomy.sizes.as_ref()?);
            let load = |(diff_id, size): (&Digest, &u64)| {
                let page = self.book.page(diff_id).filter(|page| page.here.contains(&piece.image.repository));
                let remembered = page.as_ref().is_some_and(|page| page.remembered);
                Load { size: *size, named: page.is_some(), remembered }
            };
            Some(sizes.map(load).collect::<Vec<_>>())
        });
        let mut choice = choose(piece.build.transport, carriage, loads.as_deref(), self.services.jobs);
        if anatomy.is_none() {
            choice = Choice { by: crate::plan::PushBy::Daemon, ..choice };
        }
        self.own.say(&piece.name, ImageEvent::Road(choice.clone()));
        choice
    }

    pub(super) async fn push_directly(
        &self,
        piece: &Piece<'_>,
        built: &BuiltImage,
        target: &ImageRef,
        anatomy: &Anatomy,
        credential: &Credential,
    ) -> Result<Digest, ServiceError> {
        let config: Digest = built.id.parse().map_err(|error| ServiceError {
            failure: super::ports::Failure::Unexpected,
            doing: format!("push {target}"),
            cause: format!("the engine calls the image `{}`: {error}", built.id),
        })?;
        let repository = &piece.image.repository;
        let known = anatomy.diff_ids.iter().filter_map(|diff_id| {
            let page = self.book.page(diff_id).filter(|page| page.here.contains(repository))?;
            Some((diff_id.clone(), page.blob))
        });
        let freight = Freight {
            archive: self.services.engine.hand_out(built).await?,
            config,
            anatomy,
            known: known.collect(),
            compression: piece.build.transport.compression,
        };
        let tell = |event| self.own.say(&piece.name, ImageEvent::Push(event));
        // What arrived is not sent again, not even where this push fails and is begun anew.
        let arrived = |layer: &Layer| self.book.note(std::slice::from_ref(layer), &Seen::Here(repository), false);
        self.own.registry.write(freight, target, credential, &tell, &arrived).await
    }
}
