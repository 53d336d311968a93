//! What is written in mails.

use super::model::{Kind, Text};

/// What a mail of this kind says to somebody. `link` is the one that it is about, with the token in it.
pub(crate) fn text(kind: Kind, name: &str, base_url: &str, link: Option<&str>, argument: &str) -> Text {
    let link = link.unwrap_or(base_url);
    let (subject, said) = match kind {
        Kind::VerifyAddress => (
            "Is this your address?",
            format!(
                "please open this page to show that this address is yours:\n\n{link}\n\n\
                 The link works once, for 24 hours. If you have not signed up, do nothing."
            ),
        ),
        Kind::AddressTaken => (
            "You have an account already",
            format!(
                "somebody, perhaps you, wanted to sign up with your address. You have an account already: sign in, or \
                 ask for a new password there.\n\n{link}\n\nIf it was not you, do nothing: nothing has changed."
            ),
        ),
        Kind::ResetPassword => (
            "A new password",
            format!(
                "on this page you can set a new password:\n\n{link}\n\n\
                 The link works once, for one hour. If you have not asked for it, do nothing: your password stays as \
                 it is."
            ),
        ),
        Kind::PasswordChanged => (
            "Your password was changed",
            format!("your password was changed. If it was not you, ask for a new one at once:\n\n{link}"),
        ),
        Kind::NewSignIn => (
            "A new sign-in",
            format!(
                "somebody signed in to your account from a device or a network that we have not seen before. If it \
                 was not you, change your password and end the other sessions:\n\n{link}"
            ),
        ),
        Kind::CaseOpened => (
            "Somebody may look at more of your data",
            format!(
                "a case was opened, for a time: whoever works on it may see more of your data than usual. Your access \
                 log shows why, until when, and what was looked at:\n\n{link}\n\nThe case: {argument}"
            ),
        ),
        Kind::RoleChanged => (
            "Your roles were changed",
            format!("your roles were changed. You find those that you have in your account:\n\n{link}"),
        ),
        Kind::StaffInvitation => (
            "Will you teach a course?",
            format!(
                "an instructor asks you to teach a course with her. Sign in to see which one, and accept within 30 \
                 days:\n\n{link}\n\nIf you don't want to, do nothing."
            ),
        ),
        // Composed when it is sent: see `notifications/digest`.
        Kind::Digest => ("What is new in your courses", format!("there is something new in your courses:\n\n{link}")),
        Kind::TwoFactorChanged => (
            "Your second factor was changed",
            format!(
                "the second factor of your account was turned on or off. If it was not you, change your password at \
                 once:\n\n{link}"
            ),
        ),
    };
    Text { subject: subject.to_owned(), body: format!("Hello {name},\n\n{said}\n"), unsubscribe: None }
}
