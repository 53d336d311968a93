//! Sign-in with another provider, in the graph.

use async_graphql::{Context, SimpleObject};

use crate::graphql::scope::scope;

/// A provider that people may sign in with instead of a password.
#[derive(SimpleObject)]
pub(crate) struct SignInProvider {
    /// What a button should say.
    label: String,
    /// The path on this server where it begins. Add `return_to`, the path to come back to afterwards.
    path: String,
}

/// Sign-in with another provider.
#[derive(Default)]
pub(crate) struct OidcQuery;

/// Sign-in with another provider.
#[async_graphql::Object]
impl OidcQuery {
    /// The provider that people may sign in with; null if there is none.
    async fn sign_in_provider(&self, ctx: &Context<'_>) -> Option<SignInProvider> {
        let oidc = scope(ctx).app.oidc.as_ref()?;
        Some(SignInProvider { label: oidc.label().to_owned(), path: "/auth/oidc/start".to_owned() })
    }
}
