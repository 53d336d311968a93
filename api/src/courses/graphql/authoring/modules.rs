//! Writing modules.

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{author, ids, key, settled, user_error};
use crate::{
    courses::{authoring::Refusal, graphql::Module},
    graphql::{
        errors::{Fault, UserError},
        node::{course_id, lesson_id, module_id},
        scope::{Scope, scope},
    },
    ids::ModuleId,
};

/// A module that is begun.
#[derive(Debug, InputObject)]
pub(crate) struct CreateModuleInput {
    /// The global id of the course.
    course_id: ID,
    /// The title, 1 to 300 characters.
    title: String,
    /// A key of your own making, to send this again without beginning a second module.
    idempotency_key: Option<String>,
}

/// What is to change of a module; what is left out stays as it is.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateModuleInput {
    /// The global id of the module.
    module_id: ID,
    /// The version of the module that you read.
    version: i32,
    /// The title, 1 to 300 characters.
    title: Option<String>,
}

/// A module that becomes a part of its course.
#[derive(Debug, InputObject)]
pub(crate) struct PublishModuleInput {
    /// The global id of the module.
    module_id: ID,
    /// The version of the module that you read.
    version: i32,
    /// Whether those of its lessons that learners have never seen are published with it.
    #[graphql(default = true)]
    with_lessons: bool,
}

/// A module in a version.
#[derive(Debug, InputObject)]
pub(crate) struct ModuleVersionInput {
    /// The global id of the module.
    module_id: ID,
    /// The version of the module that you read.
    version: i32,
}

/// The order of a module's lessons.
#[derive(Debug, InputObject)]
pub(crate) struct ReorderLessonsInput {
    /// The global id of the module.
    module_id: ID,
    /// The version of the module that you read.
    version: i32,
    /// The global ids of its lessons in the order that you want: each once, drafts too.
    order: Vec<ID>,
}

/// The modules that come before a module.
#[derive(Debug, InputObject)]
pub(crate) struct SetModulePrerequisitesInput {
    /// The global id of the module.
    module_id: ID,
    /// The version of the module that you read.
    version: i32,
    /// The global ids of the modules of the same course that come before it, all of them, at most 20.
    prerequisites: Vec<ID>,
}

/// What became of a change of a module.
#[derive(SimpleObject)]
pub(crate) struct ModulePayload {
    /// The module; null if there were errors.
    module: Option<Module>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl ModulePayload {
    async fn of(scope: &Scope, outcome: Result<ModuleId, Refusal>) -> Result<Self, Fault> {
        Ok(match settled(scope, outcome) {
            Ok(module) => Self { module: Module::find(scope, module).await?, user_errors: Vec::new() },
            Err(user_errors) => Self { module: None, user_errors },
        })
    }
}

/// Writing modules.
#[derive(Default)]
pub(crate) struct ModuleMutation;

/// Writing modules.
#[async_graphql::Object]
impl ModuleMutation {
    /// Begins a module, as a draft behind the others: for the course's staff.
    async fn create_module(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The module.")] input: CreateModuleInput,
    ) -> Result<ModulePayload, Fault> {
        let scope = scope(ctx);
        let (by, course) = (author(scope).await?, course_id(&input.course_id)?);
        let key = match key(by, input.idempotency_key.as_deref(), "createModule", &input) {
            Ok(key) => key,
            Err(refusal) => return Ok(ModulePayload { module: None, user_errors: vec![user_error(&refusal)] }),
        };
        let outcome = scope.app.authoring.create_module(by, course, &input.title, key.as_ref()).await?;
        ModulePayload::of(scope, outcome).await
    }

    /// Names a module: for the course's staff. Learners see it at once, if the module is published.
    async fn update_module(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateModuleInput,
    ) -> Result<ModulePayload, Fault> {
        let scope = scope(ctx);
        let (by, module) = (author(scope).await?, module_id(&input.module_id)?);
        let at = (module, input.version.into());
        let outcome = scope.app.authoring.update_module(by, at, input.title.as_deref()).await?;
        ModulePayload::of(scope, outcome.map(|()| module)).await
    }

    /// Makes a module a part of its course, with the lessons that learners have never seen: for the course's instructors.
    async fn publish_module(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The module.")] input: PublishModuleInput,
    ) -> Result<ModulePayload, Fault> {
        let scope = scope(ctx);
        let (by, module) = (author(scope).await?, module_id(&input.module_id)?);
        let at = (module, input.version.into());
        let outcome = scope.app.authoring.publish_module(by, at, input.with_lessons).await?;
        ModulePayload::of(scope, outcome.map(|()| module)).await
    }

    /// Takes a module out of its course, with its lessons: for the course's instructors. The records of those who saw them stay.
    async fn retire_module(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The module.")] input: ModuleVersionInput,
    ) -> Result<ModulePayload, Fault> {
        let scope = scope(ctx);
        let (by, module) = (author(scope).await?, module_id(&input.module_id)?);
        let outcome = scope.app.authoring.retire_module(by, module, input.version.into()).await?;
        ModulePayload::of(scope, outcome.map(|()| module)).await
    }

    /// Puts the lessons of a module into an order: for the course's staff.
    async fn reorder_lessons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] input: ReorderLessonsInput,
    ) -> Result<ModulePayload, Fault> {
        let scope = scope(ctx);
        let (by, module) = (author(scope).await?, module_id(&input.module_id)?);
        let order = ids(&input.order, lesson_id)?;
        let outcome = scope.app.authoring.reorder_lessons(by, (module, input.version.into()), &order).await?;
        ModulePayload::of(scope, outcome.map(|()| module)).await
    }

    /// Says which modules come before a module: for the course's staff. None may come before itself, also by way of others.
    async fn set_module_prerequisites(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The modules.")] input: SetModulePrerequisitesInput,
    ) -> Result<ModulePayload, Fault> {
        let scope = scope(ctx);
        let (by, module) = (author(scope).await?, module_id(&input.module_id)?);
        let required = ids(&input.prerequisites, module_id)?;
        let at = (module, input.version.into());
        let outcome = scope.app.authoring.set_module_prerequisites(by, at, &required).await?;
        ModulePayload::of(scope, outcome.map(|()| module)).await
    }
}
