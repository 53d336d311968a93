//! The graph: the areas' parts merged into one schema, and what they share.
//!
//! Invariant: no SQL and no rules here. A resolver asks a service or a loader, and shows what is about a
//! person through [`crate::access`].

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, Schema, SchemaBuilder};

use crate::app::App;

pub(crate) mod checking;
pub(crate) mod connection;
pub(crate) mod deprecations;
pub(crate) mod direct;
pub mod errors;
pub mod index;
pub(crate) mod json;
pub mod limits;
pub(crate) mod loaders;
pub(crate) mod node;
mod printer;
pub mod root;
pub(crate) mod scalars;
pub mod schema_view;
pub(crate) mod scope;
pub(crate) mod unmerged;
pub(crate) mod visit;

pub use node::global_id;
use root::{Part, Root};
pub use scope::Scope;

/// Reads.
#[derive(Default, MergedObject)]
pub struct Query(
    crate::accounts::graphql::AccountQuery,
    crate::courses::graphql::CourseQuery,
    crate::courses::graphql::authoring::InvitationQuery,
    crate::cases::graphql::CaseQuery,
    crate::oidc::graphql::OidcQuery,
    crate::forum::graphql::search::SearchQuery,
    node::NodeQuery,
    limits::graphql::CostQuery,
);

/// Writes. Each takes an input and gives a payload with what was changed, and `userErrors` for what a
/// person can mend.
#[derive(Default, MergedObject)]
pub struct Mutation(
    Part<crate::sign_in::graphql::SignInMutation>,
    Part<crate::recovery::graphql::RecoveryMutation>,
    Part<crate::two_factor::graphql::TwoFactorMutation>,
    Part<crate::profile::graphql::ProfileMutation>,
    Part<crate::accounts::graphql::AccountMutation>,
    Part<crate::cases::graphql::CaseMutation>,
    Part<crate::courses::graphql::authoring::AuthoringMutation>,
    Part<crate::enrolling::graphql::EnrollingMutation>,
    Part<crate::enrolling::graphql::waiting::WaitingMutation>,
    Part<crate::enrolling::graphql::settings::SettingsMutation>,
    Part<crate::enrolling::graphql::invitations::InvitationMutation>,
    Part<crate::enrolling::graphql::cohorts::CohortMutation>,
    Part<crate::reviews::graphql::ReviewMutation>,
    Part<crate::bookmarks::graphql::BookmarkMutation>,
    Part<crate::progress::graphql::activity::ActivityMutation>,
    Part<crate::progress::graphql::activity::ChangesMutation>,
    Part<crate::recommendations::graphql::feedback::RecommendationMutation>,
    Part<crate::forum::graphql::ForumMutation>,
    Part<crate::announcements::graphql::AnnouncementMutation>,
    Part<crate::notifications::graphql::NotificationMutation>,
    Part<crate::notifications::graphql::FollowMutation>,
    Part<crate::notifications::graphql::PreferenceMutation>,
    Part<crate::forum::graphql::reading::ReadingMutation>,
    Part<crate::messages::graphql::MessageMutation>,
);

/// What happens, as it happens: each goes on until you end it, or until it is not for you any more.
#[derive(Default, MergedSubscription)]
pub struct Subscription(
    crate::forum::graphql::live::ForumSubscription,
    crate::progress::graphql::live::ProgressSubscription,
    crate::recommendations::graphql::live::RecommendationSubscription,
    crate::live::graphql::notifications::NotificationSubscription,
    crate::messages::graphql::live::MessageSubscription,
);

/// The schema that is served.
pub type StoaSchema = Schema<Root<Query>, Root<Mutation>, Subscription>;

fn builder() -> SchemaBuilder<Root<Query>, Root<Mutation>, Subscription> {
    Schema::build(Root::default(), Root::default(), Subscription::default())
        .register_output_type::<node::Node>()
        .register_output_type::<index::Indexed>()
}

/// The schema on the services. Each request brings its own [`Scope`].
pub fn schema(app: App) -> StoaSchema {
    // Limits are held before a document comes here (see `limits`); this is the wall behind them.
    let (depth, levels, fields) = (app.limits.depth, app.limits.levels(), app.limits.fields);
    let builder = builder().limit_depth(depth as usize).limit_recursive_depth(levels as usize);
    let mut builder = builder.limit_complexity(fields as usize);
    if !app.documents.settings().suggestions {
        builder = builder.disable_suggestions();
    }
    builder.data(app).finish()
}

/// The schema as text, as committed in `schema.graphql`.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().prefer_single_line_descriptions().use_space_ident().indent_width(2);
    let sdl = builder().finish().sdl_with_options(options);
    let body: Vec<_> = sdl.trim().lines().map(str::trim_end).collect();
    without_specified_directives(&body)
}

/// Leaves out the definitions of the directives that every GraphQL service has: a tool that reads the text brings its own.
fn without_specified_directives(lines: &[&str]) -> String {
    let mut kept: Vec<&str> = Vec::with_capacity(lines.len());
    for line in lines {
        if ["include(", "skip(", "specifiedBy(", "deprecated(", "oneOf "]
            .iter()
            .any(|name| line.strip_prefix("directive @").is_some_and(|rest| rest.starts_with(name)))
        {
            // Its description, on one line or as a block.
            if kept.pop_if(|line| line.starts_with("\"\"\"")).is_some() {
                while kept.pop().is_some_and(|line| !line.starts_with("\"\"\"")) {}
            } else {
                kept.pop_if(|line| line.starts_with('"'));
            }
        } else {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}
