//! Repositories: those that are missing are created, those whose settings are to change are changed.

use super::events::Event;
use super::ports::{Creation, Ecr, ServiceError};
use crate::names::{RegistryHost, RepositoryName};
use crate::plan::RepositoryPlan;

/// What was done about repositories.
#[derive(Debug, Default)]
pub struct Provisioned {
    /// Those that were created, and not by somebody else meanwhile.
    pub created: Vec<RepositoryName>,
    /// What failed; one that does lets the others be done.
    pub failures: Vec<ServiceError>,
}

/// Carries out what is planned for the repositories of one registry; `replica` names it if it is not the run's own.
pub async fn provision(
    repositories: &[RepositoryPlan],
    ecr: &impl Ecr,
    replica: Option<&RegistryHost>,
    tell: &dyn Fn(Event),
) -> Provisioned {
    let mut done = Provisioned::default();
    for planned in repositories {
        let (name, replica) = (planned.name().clone(), replica.cloned());
        match planned {
            RepositoryPlan::Keep { .. } | RepositoryPlan::OnPush { .. } => {}
            RepositoryPlan::Create(spec) => match ecr.create_repository(spec).await {
                Ok(Creation::Created) => {
                    done.created.push(name.clone());
                    tell(Event::RepositoryCreated { name, replica });
                }
                Ok(Creation::ThereAlready) => tell(Event::RepositoryThereAlready { name, replica }),
                Err(error) => done.failures.push(error),
            },
            RepositoryPlan::Change { arn, changes, .. } => {
                for difference in changes {
                    let Ok(change) = &difference.change else { continue };
                    let setting = difference.setting;
                    match ecr.configure_repository(&name, arn, change).await {
                        Ok(()) => {
                            let (name, replica) = (name.clone(), replica.clone());
                            tell(Event::RepositoryChanged { name, setting, replica });
                        }
                        Err(error) => done.failures.push(error),
                    }
                }
            }
        }
    }
    done
}
