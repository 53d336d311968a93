//! Every field of the graph that carries data about a person, with its category.
//!
//! A resolver names its field's constant twice: in its `personal` directive, which shows the audience in
//! `schema.graphql`, and in the call of the policy. A test holds the two against each other.

use std::marker::PhantomData;

use super::{Category, Tag, tags};

/// A field of the graph about a person. `C` is the category.
#[derive(Debug)]
pub struct Field<C> {
    /// The GraphQL type.
    pub type_name: &'static str,
    /// The GraphQL field.
    pub name: &'static str,
    category: PhantomData<fn() -> C>,
}

impl<C: Tag> Field<C> {
    const fn new(type_name: &'static str, name: &'static str) -> Self {
        Self { type_name, name, category: PhantomData }
    }

    /// Its category.
    pub const fn category(&self) -> Category {
        C::CATEGORY
    }
}

macro_rules! fields {
    ($($constant:ident = $type_name:literal . $name:literal : $tag:ident;)+) => {
        $(
            #[doc = concat!("`", $type_name, ".", $name, "`")]
            pub(crate) static $constant: Field<tags::$tag> = Field::new($type_name, $name);
        )+

        /// Type, field and category of each.
        pub const FIELDS: &[(&str, &str, Category)] =
            &[$(($type_name, $name, Category::$tag)),+];
    };
}

fields! {
    PERSON_NAME = "Person"."name": Identity;
    PERSON_EMAIL = "Person"."email": Contact;
    PERSON_PICTURE = "Person"."picture": Identity;
    PERSON_TEACHES = "Person"."teaches": Identity;
    PERSON_ROLES = "Person"."roles": Account;
    PERSON_TWO_FACTOR = "Person"."twoFactor": Account;
    PERSON_EDUCATION = "Person"."education": Profile;
    PERSON_TIME_ZONE = "Person"."timeZone": Profile;
    PERSON_LANGUAGE = "Person"."language": Profile;
    PERSON_PREFERENCES = "Person"."preferences": Interaction;
    PERSON_LEFT_OFF = "Person"."leftOff": LearningHistory;
    PERSON_ACCOUNT = "Person"."account": Account;
    ACCOUNT_STATUS = "Account"."status": Account;
    ACCOUNT_CREATED_AT = "Account"."createdAt": Account;
    ACCOUNT_EMAIL_VERIFIED_AT = "Account"."emailVerifiedAt": Account;
    ACCOUNT_SESSIONS = "Account"."sessions": Device;
    ACCOUNT_TOKENS = "Account"."tokens": Account;
    ACCOUNT_SIGN_INS = "Account"."signIns": Device;
    PERSON_GOALS = "Person"."goals": Profile;
    PERSON_ENROLMENTS = "Person"."enrolments": LearningHistory;
    PERSON_TIME_PER_TOPIC = "Person"."timePerTopic": LearningHistory;
    PERSON_RECOMMENDATIONS = "Person"."recommendations": Recommendation;
    PERSON_NEXT_COURSES = "Person"."nextCourses": Recommendation;
    PERSON_WHY_NOT = "Person"."whyNot": Recommendation;
    PERSON_RECOMMENDATION_FEEDBACK = "Person"."recommendationFeedback": Recommendation;
    PERSON_CONSENTS = "Person"."consents": Consent;
    PERSON_ACCESS_LOG = "Person"."accessLog": Oversight;
    PERSON_CASES = "Person"."cases": Oversight;
    ACCESS_LOG_ENTRY_ACTOR_NAME = "AccessLogEntry"."actorName": Oversight;
    CASE_OPENED_BY_NAME = "Case"."openedByName": Oversight;
    CASE_APPROVED_BY_NAME = "Case"."approvedByName": Oversight;
    CASE_CLOSED_BY_NAME = "Case"."closedByName": Oversight;
    CASE_LOOKS = "Case"."looks": Oversight;
    ENROLMENT_ENROLLED_AT = "Enrolment"."enrolledAt": LearningRecord;
    ENROLMENT_LEFT_AT = "Enrolment"."leftAt": LearningRecord;
    ENROLMENT_LAST_ACTIVE_AT = "Enrolment"."lastActiveAt": Engagement;
    ENROLMENT_COMPLETED_AT = "Enrolment"."completedAt": LearningRecord;
    ENROLMENT_SECONDS = "Enrolment"."seconds": Engagement;
    ENROLMENT_PROGRESS = "Enrolment"."progress": LearningRecord;
    ENROLMENT_CHANGED_BECAUSE = "Enrolment"."changedBecause": LearningRecord;
    ENROLMENT_NEW_LESSONS = "Enrolment"."newLessonsSinceCompletion": LearningRecord;
    ENROLMENT_CAPPED_SECONDS = "Enrolment"."cappedSeconds": Engagement;
    ENROLMENT_MARKS = "Enrolment"."markedActivity": Engagement;
    ENROLMENT_MODULES = "Enrolment"."modules": LearningRecord;
    MODULE_PROGRESS_PROGRESS = "ModuleProgress"."progress": LearningRecord;
    MODULE_PROGRESS_SECONDS = "ModuleProgress"."seconds": Engagement;
    MODULE_PROGRESS_LESSONS = "ModuleProgress"."lessons": LearningRecord;
    LESSON_PROGRESS_PROGRESS = "LessonProgress"."progress": LearningRecord;
    LESSON_PROGRESS_SECONDS = "LessonProgress"."seconds": Engagement;
    LESSON_PROGRESS_POSITION = "LessonProgress"."position": Engagement;
    LESSON_PROGRESS_COMPLETED_AT = "LessonProgress"."completedAt": LearningRecord;
    ENROLMENT_COHORT = "Enrolment"."cohort": LearningRecord;
    ENROLMENT_HISTORY = "Enrolment"."history": LearningRecord;
    PERSON_WAITING_FOR = "Person"."waitingFor": LearningHistory;
    ENROLMENT_SETTINGS_WAITING = "EnrolmentSettings"."waiting": Class;
    COURSE_COHORTS = "Course"."cohorts": Class;
    COURSE_INVITATIONS = "Course"."invitations": Class;
    PERSON_BOOKMARKS = "Person"."bookmarks": Interaction;
    BOOKMARK_NOTE = "Bookmark"."note": Interaction;
    REVIEW_RATING = "Review"."rating": Review;
    REVIEW_BODY = "Review"."body": Review;
    LESSON_PROGRESS_CONTENT_VERSION = "LessonProgress"."contentVersion": LearningRecord;
    LESSON_PROGRESS_SCORE = "LessonProgress"."score": Assessment;
    COURSE_LEARNERS = "Course"."learners": Class;
    COURSE_FORUM = "Course"."forum": Communication;
    COURSE_ANNOUNCEMENTS = "Course"."announcements": Communication;
    COURSE_STATISTICS = "Course"."statistics": Statistics;
    FORUM_UNANSWERED = "Forum"."unanswered": Class;
    FORUM_STUCK = "Forum"."stuck": Class;
    FORUM_MODERATION_LOG = "Forum"."moderationLog": Moderation;
    FORUM_MODERATION_QUEUE = "Forum"."moderationQueue": Moderation;
    FORMER_TITLE_TITLE = "FormerTitle"."title": Communication;
    POST_WARNING = "Post"."warning": Moderation;
    REPORT_MINE = "Report"."mine": Moderation;
    REPORT_OUTCOME = "Report"."outcome": Moderation;
    REPORT_REPORTED_AT = "Report"."reportedAt": Moderation;
    REPORT_VERSION = "Report"."version": Moderation;
    REPORT_REPORTER_COUNT = "Report"."reporterCount": Moderation;
    REPORT_REASONS = "Report"."reasons": Moderation;
    REPORT_REPORTS = "Report"."reports": Moderation;
    REPORT_DECISION = "Report"."decision": Moderation;
    THREAD_TITLE = "Thread"."title": Communication;
    THREAD_AUTHOR = "Thread"."author": Authorship;
    POST_BODY = "Post"."body": Communication;
    ANNOUNCEMENT_TITLE = "Announcement"."title": Communication;
    ANNOUNCEMENT_BODY = "Announcement"."body": Communication;
    ANNOUNCEMENT_BODY_HTML = "Announcement"."bodyHtml": Communication;
    PERSON_NOTIFICATIONS = "Person"."notifications": Notification;
    PERSON_UNREAD_NOTIFICATIONS = "Person"."unreadNotifications": Notification;
    PERSON_NOTIFICATION_PREFERENCES = "Person"."notificationPreferences": Notification;
    PERSON_CONVERSATIONS = "Person"."conversations": Notification;
    CONVERSATION_SUBJECT = "Conversation"."subject": Correspondence;
    CONVERSATION_PARTICIPANTS = "Conversation"."participants": Correspondence;
    CONVERSATION_MESSAGES = "Conversation"."messages": Correspondence;
    CONVERSATION_UNREAD_COUNT = "Conversation"."unreadCount": Correspondence;
    CONVERSATION_MUTED = "Conversation"."muted": Correspondence;
    MESSAGE_BODY = "Message"."body": Correspondence;
    MESSAGE_BODY_HTML = "Message"."bodyHtml": Correspondence;
    FORUM_HIT_SNIPPET = "ForumHit"."snippet": Communication;
    FORUM_UNREAD_THREADS = "Forum"."unreadThreads": Interaction;
    THREAD_UNREAD_COUNT = "Thread"."unreadCount": Interaction;
    THREAD_VIEWER_READ_UP_TO = "Thread"."viewerReadUpTo": Interaction;
    POST_BODY_HTML = "Post"."bodyHtml": Communication;
    POST_AUTHOR = "Post"."author": Authorship;
    POST_REVISIONS = "Post"."revisions": Communication;
    POST_REMOVAL_REASON = "Post"."removalReason": Moderation;
    POST_REVISION_BODY = "PostRevision"."body": Communication;
    POST_REVISION_REASON = "PostRevision"."reason": Communication;
}

/// Declares the fields of [`CLOSER`].
macro_rules! closer {
    ($($constant:ident = $type_name:literal . $name:literal : $tag:ident $when:literal;)+) => {
        $(
            #[doc = concat!("`", $type_name, ".", $name, "`, ", $when)]
            pub(crate) static $constant: Field<tags::$tag> = Field::new($type_name, $name);
        )+

        /// Fields that show less of some things than their category says: type, field, category, and of what.
        pub const CLOSER: &[(&str, &str, Category, &str)] =
            &[$(($type_name, $name, Category::$tag, $when)),+];
    };
}

closer! {
    THREAD_HIDDEN_AUTHOR = "Thread"."author": HiddenAuthorship "of a thread that is anonymous to all but moderators";
    POST_HIDDEN_AUTHOR = "Post"."author": HiddenAuthorship "of a post that is anonymous to all but moderators";
    POST_REMOVED_BODY = "Post"."body": Moderation "of a post that was removed";
    POST_REMOVED_BODY_HTML = "Post"."bodyHtml": Moderation "of a post that was removed";
    POST_REMOVED_REVISIONS = "Post"."revisions": Moderation "of a post that was removed";
}
