//! What those who teach a course say to all who take it.

use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::{AccountId, AnnouncementId, CourseId},
    time::Timestamp,
};

stored_enum! {
    /// Where an announcement is in its life.
    pub enum AnnouncementState {
        /// Being written; seen by the course's staff.
        Draft = "DRAFT",
        /// To be published at a time; seen by the course's staff until then.
        Scheduled = "SCHEDULED",
        /// Read by those who take the course.
        Published = "PUBLISHED",
        /// Taken back; seen by the course's staff.
        Retracted = "RETRACTED",
    }
}

/// An announcement.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The course it belongs to.
    pub course_id: CourseId,
    /// Its id, together with the course's.
    pub id: AnnouncementId,
    /// Who wrote it.
    pub author_id: AccountId,
    /// What it is about.
    pub title: Personal<tags::Communication, String>,
    /// What it says, in Markdown.
    pub body: Personal<tags::Communication, String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is published; `None` for a draft.
    pub publish_at: Option<Timestamp>,
    /// When it was last edited after its publication.
    pub edited_at: Option<Timestamp>,
    /// When it was taken back.
    pub retracted_at: Option<Timestamp>,
    /// Grows with each change: whoever changes it gives the one that she read.
    pub version: i64,
}

impl Announcement {
    /// Where it is in its life.
    pub fn state(&self, now: Timestamp) -> AnnouncementState {
        match (self.retracted_at, self.publish_at) {
            (Some(_), _) => AnnouncementState::Retracted,
            (None, None) => AnnouncementState::Draft,
            (None, Some(at)) if at > now => AnnouncementState::Scheduled,
            (None, Some(_)) => AnnouncementState::Published,
        }
    }

    /// Whether those who take the course read it.
    pub fn is_out(&self, now: Timestamp) -> bool {
        self.state(now) == AnnouncementState::Published
    }
}

/// When something is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// Not yet.
    Draft,
    /// At once.
    Now,
    /// At this time.
    At(Timestamp),
}

/// What is needed to announce something.
#[derive(Clone, Debug)]
pub struct NewAnnouncement {
    /// What it is about.
    pub title: String,
    /// What it says, in Markdown.
    pub body: String,
    /// When it is published.
    pub publication: Publication,
}

/// What is to change of an announcement; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct AnnouncementChange {
    /// What it is about.
    pub title: Option<String>,
    /// What it says.
    pub body: Option<String>,
    /// When it is published, as long as it is not.
    pub publication: Option<Publication>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_alone_makes_a_scheduled_one_public() {
        let announcement = Announcement {
            course_id: uuid::Uuid::nil().into(),
            id: uuid::Uuid::nil().into(),
            author_id: uuid::Uuid::nil().into(),
            title: String::new().into(),
            body: String::new().into(),
            created_at: Timestamp(1),
            publish_at: Some(Timestamp(10)),
            edited_at: None,
            retracted_at: None,
            version: 1,
        };
        assert_eq!(announcement.state(Timestamp(9)), AnnouncementState::Scheduled);
        assert_eq!(announcement.state(Timestamp(10)), AnnouncementState::Published);
        let retracted = Announcement { retracted_at: Some(Timestamp(11)), ..announcement.clone() };
        assert_eq!(retracted.state(Timestamp(12)), AnnouncementState::Retracted);
        assert_eq!(Announcement { publish_at: None, ..announcement }.state(Timestamp(12)), AnnouncementState::Draft);
    }
}
