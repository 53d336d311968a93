//! Validating documents without carrying them out.

use std::sync::Arc;

use async_graphql::{
    Request, ServerError, ValidationResult,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation},
    parser::types::ExecutableDocument,
};

use super::{StoaSchema, builder, limits::LimitSettings};

/// Validates documents as the schema that is served does, and carries out none.
pub(crate) struct Validator(StoaSchema);

impl Validator {
    pub(crate) fn new(limits: &LimitSettings) -> Self {
        let (depth, fields) = (limits.depth as usize, limits.fields as usize);
        Self(builder().limit_depth(depth).limit_complexity(fields).extension(NoExecution).finish())
    }

    /// What is wrong with the document; nothing if it is valid.
    pub(crate) async fn validate(&self, document: ExecutableDocument) -> Vec<ServerError> {
        let mut request = Request::new(String::new());
        request.set_parsed_query(document);
        self.0.execute(request).await.errors
    }
}

/// Ends each request after it was validated. (Extensions slow execution down; here nothing is executed.)
struct NoExecution;

impl ExtensionFactory for NoExecution {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for NoExecution {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        // No errors, and no result either: so it ends here.
        Err(next.run(ctx).await.err().unwrap_or_default())
    }
}
