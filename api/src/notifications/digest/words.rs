//! What digests say, in the languages that they speak.

use crate::notifications::model::NotificationKind as Kind;

/// A language of digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    French,
    German,
}

impl Language {
    /// The one that a BCP 47 tag asks for; English for all others.
    pub(super) fn of(tag: Option<&str>) -> Self {
        match tag.and_then(|tag| tag.split('-').next()).map(str::to_ascii_lowercase).as_deref() {
            Some("fr") => Self::French,
            Some("de") => Self::German,
            _ => Self::English,
        }
    }

    /// The mail's subject.
    pub(super) const fn subject(self) -> &'static str {
        match self {
            Self::English => "What is new in your courses",
            Self::French => "Du nouveau dans vos cours",
            Self::German => "Neues in deinen Kursen",
        }
    }

    /// The whole mail around what is new.
    pub(super) fn body(self, name: &str, said: &str, base_url: &str, unsubscribe: &str) -> String {
        match self {
            Self::English => format!(
                "Hello {name},\n\nthis is new in your courses:\n\n{said}{base_url}\n\n--\n\
                 You decide in your preferences what we write to you about. No more of these mails:\n{unsubscribe}\n"
            ),
            Self::French => format!(
                "Bonjour {name},\n\nvoici ce qu'il y a de nouveau dans vos cours :\n\n{said}{base_url}\n\n--\n\
                 Vos préférences disent de quoi nous vous écrivons. Ne plus recevoir ces messages :\n{unsubscribe}\n"
            ),
            Self::German => format!(
                "Hallo {name},\n\ndas ist neu in deinen Kursen:\n\n{said}{base_url}\n\n--\n\
                 In deinen Einstellungen steht, wovon wir dir schreiben. Keine solchen Mails mehr:\n{unsubscribe}\n"
            ),
        }
    }

    /// One thing that is new, or several alike.
    pub(super) fn line(self, kind: Kind, times: i64, title: &str) -> String {
        match self {
            Self::English => english(kind, times, title),
            Self::French => french(kind, times, title),
            Self::German => german(kind, times, title),
        }
    }
}

fn english(kind: Kind, times: i64, title: &str) -> String {
    match kind {
        Kind::Post if times == 1 => format!("A new post in \"{title}\""),
        Kind::Post => format!("{times} new posts in \"{title}\""),
        Kind::Reply => format!("An answer to your post in \"{title}\""),
        Kind::Mention => format!("You were mentioned in \"{title}\""),
        Kind::AnswerAccepted => format!("Your answer in \"{title}\" was accepted"),
        Kind::AnswerEndorsed => format!("Your answer in \"{title}\" was endorsed"),
        Kind::Moderated => format!("A moderator changed something in \"{title}\""),
        Kind::ReportDecided => "What you reported was decided".to_owned(),
        Kind::Announcement => format!("Announcement: {title}"),
        Kind::Message if times == 1 => "A private message".to_owned(),
        Kind::Message => format!("{times} private messages"),
        Kind::SeatOffered => "A seat is yours".to_owned(),
        Kind::Invited => "You are invited".to_owned(),
        Kind::ContentChanged => "The content has changed".to_owned(),
    }
}

fn french(kind: Kind, times: i64, title: &str) -> String {
    match kind {
        Kind::Post if times == 1 => format!("Un nouveau message dans « {title} »"),
        Kind::Post => format!("{times} nouveaux messages dans « {title} »"),
        Kind::Reply => format!("Une réponse à votre message dans « {title} »"),
        Kind::Mention => format!("On vous a cité dans « {title} »"),
        Kind::AnswerAccepted => format!("Votre réponse dans « {title} » a été acceptée"),
        Kind::AnswerEndorsed => format!("Votre réponse dans « {title} » a été approuvée"),
        Kind::Moderated => format!("La modération a changé quelque chose dans « {title} »"),
        Kind::ReportDecided => "Votre signalement a été traité".to_owned(),
        Kind::Announcement => format!("Annonce : {title}"),
        Kind::Message if times == 1 => "Un message privé".to_owned(),
        Kind::Message => format!("{times} messages privés"),
        Kind::SeatOffered => "Une place est à vous".to_owned(),
        Kind::Invited => "Vous avez une invitation".to_owned(),
        Kind::ContentChanged => "Le contenu a changé".to_owned(),
    }
}

fn german(kind: Kind, times: i64, title: &str) -> String {
    match kind {
        Kind::Post if times == 1 => format!("Ein neuer Beitrag in „{title}“"),
        Kind::Post => format!("{times} neue Beiträge in „{title}“"),
        Kind::Reply => format!("Eine Antwort auf deinen Beitrag in „{title}“"),
        Kind::Mention => format!("Du wurdest in „{title}“ erwähnt"),
        Kind::AnswerAccepted => format!("Deine Antwort in „{title}“ wurde angenommen"),
        Kind::AnswerEndorsed => format!("Deine Antwort in „{title}“ wurde bestätigt"),
        Kind::Moderated => format!("Die Moderation hat etwas in „{title}“ geändert"),
        Kind::ReportDecided => "Über deine Meldung wurde entschieden".to_owned(),
        Kind::Announcement => format!("Ankündigung: {title}"),
        Kind::Message if times == 1 => "Eine private Nachricht".to_owned(),
        Kind::Message => format!("{times} private Nachrichten"),
        Kind::SeatOffered => "Ein Platz ist frei für dich".to_owned(),
        Kind::Invited => "Du bist eingeladen".to_owned(),
        Kind::ContentChanged => "Der Inhalt hat sich geändert".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_tag() {
        assert_eq!(Language::of(Some("fr-CA")), Language::French);
        assert_eq!(Language::of(Some("DE")), Language::German);
        assert_eq!(Language::of(Some("ja")), Language::English);
        assert_eq!(Language::of(None), Language::English);
        assert_eq!(Language::French.line(Kind::Post, 3, "Vers"), "3 nouveaux messages dans « Vers »");
    }
}
