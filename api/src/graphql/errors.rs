//! Errors as clients see them: a stable code, a message without internals.

use async_graphql::{Enum, ErrorExtensions, SimpleObject};

use crate::{access::TokenScope, batch::LoadError, db::DbError};

macro_rules! codes {
    ($($variant:ident = $text:literal),+ $(,)?) => {
        /// The codes of errors: the whole set. `docs/ERRORS.md` says of each what it means and what mends it; a test compares
        /// the two, and finds codes that are written out anywhere else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`")] $variant),+
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As it stands in `extensions.code`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

codes! {
    AnswerTooLarge = "ANSWER_TOO_LARGE",
    BadRequest = "BAD_REQUEST",
    BadUserInput = "BAD_USER_INPUT",
    BudgetExhausted = "BUDGET_EXHAUSTED",
    CrossOrigin = "CROSS_ORIGIN",
    CrossSite = "CROSS_SITE",
    DocumentNotFound = "DOCUMENT_NOT_FOUND",
    DocumentNotTrusted = "DOCUMENT_NOT_TRUSTED",
    FieldForbidden = "FIELD_FORBIDDEN",
    Forbidden = "FORBIDDEN",
    GraphqlParseFailed = "GRAPHQL_PARSE_FAILED",
    GraphqlValidationFailed = "GRAPHQL_VALIDATION_FAILED",
    Internal = "INTERNAL",
    IntrospectionOff = "INTROSPECTION_OFF",
    LimitExceeded = "LIMIT_EXCEEDED",
    MethodNotAllowed = "METHOD_NOT_ALLOWED",
    NotAcceptable = "NOT_ACCEPTABLE",
    NotFound = "NOT_FOUND",
    Overloaded = "OVERLOADED",
    PayloadTooLarge = "PAYLOAD_TOO_LARGE",
    PersistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND",
    PersistedQueryNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED",
    QueryTooExpensive = "QUERY_TOO_EXPENSIVE",
    RequestNeeded = "REQUEST_NEEDED",
    RequestTimeout = "REQUEST_TIMEOUT",
    ScopeNeeded = "SCOPE_NEEDED",
    SessionNeeded = "SESSION_NEEDED",
    SlowConsumer = "SLOW_CONSUMER",
    Timeout = "TIMEOUT",
    TooManyConnections = "TOO_MANY_CONNECTIONS",
    TooManyOperations = "TOO_MANY_OPERATIONS",
    Unauthenticated = "UNAUTHENTICATED",
    Unavailable = "UNAVAILABLE",
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
}

impl From<Code> for &'static str {
    fn from(code: Code) -> Self {
        code.as_str()
    }
}

/// A top-level error. What a person can mend in a form is a [`UserError`] instead.
#[derive(Clone, Debug)]
pub struct Fault {
    code: Code,
    message: String,
}

impl Fault {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The request must say whose it is.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "sign in first: send a token as `Authorization: Bearer …`")
    }

    /// What the request came with was not made for this.
    pub(crate) fn scope_needed(scope: TokenScope) -> Self {
        let message = format!("this needs a token with the scope {}, or a session", scope.as_str());
        Self::new(Code::ScopeNeeded, message)
    }

    /// No token may do this.
    pub(crate) fn session_needed() -> Self {
        Self::new(Code::SessionNeeded, "this needs a session: sign in with a browser; a token is not enough")
    }

    /// It is for somebody in another role.
    pub(crate) fn forbidden(who: &str) -> Self {
        Self::new(Code::Forbidden, format!("this is for {who}"))
    }

    /// What a subscription is about is not there, or not for the viewer, or not any more: one answer for all.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}, or it is not for you"))
    }

    /// It needs an answer to a request of its own.
    pub(crate) fn request_needed() -> Self {
        Self::new(
            Code::RequestNeeded,
            "this sets a cookie, and a live connection can't: send it by POST, as a request of its own",
        )
    }

    /// An argument can't be used.
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    /// The answer would hold too much.
    pub(crate) fn too_large(most: i64) -> Self {
        let message =
            format!("the answer would hold more than {most} things: ask for shorter lists, or in several requests");
        Self::new(Code::AnswerTooLarge, message)
    }

    /// Something that should not happen. The cause goes to the log only.
    fn internal(cause: &DbError) -> Self {
        tracing::error!(error = %cause, "database error");
        Self::new(Code::Internal, "something went wrong here; the log has the details under the request's id")
    }
}

impl From<&DbError> for Fault {
    fn from(error: &DbError) -> Self {
        if matches!(error, DbError::Uncertain(_)) {
            tracing::warn!(%error, "database not available");
            Self::new(
                Code::Unavailable,
                "the connection broke while this was being written: it may have been done, so look first",
            )
        } else if error.is_passing() {
            tracing::warn!(%error, "database not available");
            Self::new(Code::Unavailable, "the database is busy or away: try again in a moment")
        } else {
            Self::internal(error)
        }
    }
}

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        Self::from(&error)
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        Self::from(error.cause())
    }
}

// `Fault` is not `Display` on purpose: with it, async-graphql would turn any error into an answer's
// message, and with that the database's own words.
impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        Self::new(fault.message).extend_with(|_, extensions| extensions.set("code", fault.code.as_str()))
    }
}

/// Something that a person can mend in what she sent.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct UserError {
    /// What kind of problem it is, for programs.
    pub(crate) code: UserErrorCode,
    /// What is wrong and how to mend it, for people.
    pub(crate) message: String,
    /// Where in the arguments it is, from the outside in.
    pub(crate) path: Vec<String>,
}

impl UserError {
    pub(crate) fn new(code: UserErrorCode, path: &[&str], message: &impl ToString) -> Self {
        Self { code, message: message.to_string(), path: path.iter().map(ToString::to_string).collect() }
    }
}

/// What kind of problem a `UserError` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum UserErrorCode {
    /// There is no such thing, or it is not for you.
    NotFound,
    /// The course takes no new learners.
    CourseClosed,
    /// It is for the course's learners: enroll first.
    NotEnrolled,
    /// A number is too small or too large.
    OutOfRange,
    /// A text is empty or too long.
    Length,
    /// It does not go together with what is there, or with what has happened meanwhile.
    Conflict,
    /// This can't be chosen, or not by you.
    NotAllowed,
    /// A text is not of the form that is wanted.
    Malformed,
    /// The second factor is on already.
    TwoFactorOn,
    /// The second factor is not on, or was not begun.
    TwoFactorOff,
    /// Without her there would be no administrator.
    LastAdministrator,
    /// It is not an e-mail address.
    Email,
    /// The password is too weak, has become known, or contains your name or address.
    Password,
    /// Address and password, or the present password, are not right.
    WrongCredentials,
    /// The code of the second factor is not right.
    WrongCode,
    /// Verify your e-mail address first.
    EmailNotVerified,
    /// The account is suspended.
    Suspended,
    /// Too many attempts: the message says when to come back.
    Throttled,
    /// It is more than what you came with may be used for.
    ScopeNeeded,
    /// There are too many of these already.
    TooMany,
    /// There were too many requests: wait.
    TooManyRequests,
    /// The password is too weak or known to others.
    PasswordRefused,
    /// Somebody has changed it since you read it: read it again, and give its present `version`.
    StaleVersion,
    /// The idempotency key was used for something else.
    IdempotencyKeyReused,
    /// One thing would come before itself: the message names the circle.
    Cycle,
    /// There is no seat left.
    CourseFull,
    /// It is for those who were invited.
    InvitationNeeded,
    /// As many have come by the invitation as may.
    InvitationSpent,
    /// The invitation's time is over.
    InvitationExpired,
    /// The invitation was revoked.
    InvitationRevoked,
    /// Nobody is put into the cohort any more.
    CohortClosed,
    /// The thread is locked.
    Locked,
    /// You have voted already.
    AlreadyVoted,
    /// You have reported it already, and nobody has decided yet.
    AlreadyReported,
    /// Replies are nested too deep.
    TooDeep,
    /// The text holds markup that could do harm.
    UnsafeContent,
    /// The client's clock is ahead of the server's.
    ClockAhead,
    /// It comes too late.
    TooLate,
    /// It was before you enrolled.
    BeforeEnrolment,
    /// You can't begin courses: administrators do, and instructors of a published course.
    NotAnAuthor,
    /// It is for the staff of the course.
    StaffOnly,
    /// It is for the instructors of the course; you assist there.
    InstructorOnly,
    /// It does not go from the state that it is in: the message says from which.
    WrongState,
    /// Another course has this name for addresses.
    SlugTaken,
    /// The course has no published lesson.
    NoLesson,
    /// A published course would be left without lessons.
    LastLesson,
    /// Something must be written before it can be published.
    ContentMissing,
    /// The lesson's module must be published first.
    ModuleNotPublished,
    /// There is nothing to publish.
    NothingChanged,
    /// Without her the course would have no instructor.
    LastInstructor,
}
