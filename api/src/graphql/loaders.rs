//! The loaders of one request.

use std::sync::Arc;

use crate::{
    accounts::loaders as accounts,
    announcements::loaders as announcements,
    app::App,
    batch::Load,
    bookmarks::loaders as bookmarks,
    courses::{kept::Kept, loaders as courses},
    db::Db,
    enrolling::loaders as enrolling,
    forum::{loaders as forum, moderation::loaders as moderation, reading::loaders::UnreadPages},
    notifications::loaders as notifications,
    profile::loaders as profile,
    progress::loaders::{self as progress, LessonsOfEnrolment},
    recommendations::loaders::{self as recommendations, NextCourses},
    reviews::loaders as reviews,
    sign_in::loaders as sign_in,
    two_factor::loaders as two_factor,
};

macro_rules! loaders {
    (kept { $($kept_field:ident: $kept:ty),+ $(,)? }
     forum { $($forum_field:ident: $forum:path),+ $(,)? } $($field:ident: $fetch:ty),+ $(,)?) => {
        /// Every loader, each of which reads a thing at most once in a request.
        pub(crate) struct Loaders {
            pub(crate) viewpoint: Arc<accounts::Viewpoint>,
            pub(crate) people: Load<accounts::People>,
            pub(crate) relations: Load<accounts::Relations>,
            pub(crate) in_course: Load<accounts::InCourses>,
            pub(crate) next_courses: Load<NextCourses>,
            pub(crate) unread_pages: Load<UnreadPages>,
            pub(crate) lessons_of_enrolment: Load<LessonsOfEnrolment>,
            $(pub(crate) $kept_field: Load<$kept>,)+
            $(pub(crate) $forum_field: Load<$forum>,)+
            $(pub(crate) $field: Load<$fetch>),+
        }

        impl Loaders {
            pub(crate) fn new(app: &App, viewpoint: accounts::Viewpoint) -> Self {
                let (db, viewpoint) = (&app.db, Arc::new(viewpoint));
                Self {
                    people: Load::new(accounts::People(Arc::clone(&viewpoint))),
                    relations: Load::new(accounts::Relations(Arc::clone(&viewpoint))),
                    in_course: Load::new(accounts::InCourses(Arc::clone(&viewpoint))),
                    viewpoint,
                    next_courses: Load::new(NextCourses(app.feed.clone())),
                    unread_pages: Load::new(UnreadPages(app.forum.clone())),
                    lessons_of_enrolment: Load::new(LessonsOfEnrolment(Arc::clone(&app.learning.records))),
                    $($kept_field: Load::new(<$kept>::new(Arc::clone(&app.kept))),)+
                    $($forum_field: Load::new($forum(Arc::clone(&app.forum.kept))),)+
                    $($field: Load::new(<$fetch>::new(db.clone()))),+
                }
            }
        }

        $(impl $kept {
            const fn new(kept: Arc<Kept>) -> Self {
                Self(kept)
            }
        })+

        $(impl $fetch {
            const fn new(db: Db) -> Self {
                Self(db)
            }
        })+
    };
}

loaders! {
    // What of the catalogue is kept beyond a request.
    kept {
        courses: courses::Courses,
        slugs: courses::Slugs,
        course_pages: courses::CoursePages,
        topics: courses::Topics,
        public_topics: courses::PublicTopics,
        all_topics: courses::AllTopics,
        topics_of_course: courses::TopicsOfCourse,
        prerequisites: courses::Prerequisites,
        modules: courses::Modules,
        modules_of_course: courses::ModulesOfCourse,
        module_prerequisites: courses::ModulePrerequisites,
        lessons: courses::Lessons,
        lessons_of_module: courses::LessonsOfModule,
    }
    // And what of forums.
    forum {
        threads_of_course: forum::ThreadsOfCourse,
        threads_of_category: forum::ThreadsOfCategory,
        posts_of_thread: forum::PostsOfThread,
        posts_by_votes: forum::PostsByVotes,
        replies_of_post: forum::RepliesOfPost,
    }
    account_states: sign_in::States,
    sessions: sign_in::Sessions,
    tokens: sign_in::Tokens,
    sign_in_pages: sign_in::SignInPages,
    goals: accounts::Goals,
    teaches: accounts::Teaches,
    roles: accounts::Roles,
    preferences: profile::Preferences,
    consents: recommendations::Consents,
    second_factors: two_factor::SecondFactors,
    left_off: progress::LeftOffs,
    time_per_topic: progress::TimePerTopic,
    staff: courses::Staff,
    modules_for_staff: courses::ModulesForStaff,
    lessons_for_staff: courses::LessonsForStaff,
    lesson_contents: courses::Contents,
    lesson_drafts: courses::Drafts,
    lesson_versions: courses::LessonVersions,
    old_contents: courses::OldContents,
    first_versions: courses::FirstVersions,
    rollups: courses::Rollups,
    enrolments: progress::Enrolments,
    enrolment_pages: progress::EnrolmentPages,
    class_pages: progress::ClassPages,
    enrolment_settings: enrolling::Settings,
    attendances: enrolling::Attendances,
    places: enrolling::Places,
    cohorts: enrolling::Cohorts,
    cohort_pages: enrolling::CohortPages,
    invitations: enrolling::Invitations,
    invitation_pages: enrolling::InvitationPages,
    invitations_of_person: enrolling::InvitationsOfPerson,
    reviews: reviews::Reviews,
    review_pages: reviews::ReviewPages,
    own_reviews: reviews::OwnReviews,
    bookmarks: bookmarks::Bookmarks,
    bookmark_pages: bookmarks::BookmarkPages,
    enrolment_notes: progress::Notes,
    activity_marks: progress::Marks,
    content_changes: progress::ContentChanges,
    noted_changes: progress::NotedChanges,
    categories: forum::Categories,
    categories_of_course: forum::CategoriesOfCourse,
    threads: forum::Threads,
    posts: forum::Posts,
    reports: moderation::Reports,
    told_of_report: moderation::ToldOfReport,
    told_by: moderation::ToldBy,
    reasons_of_report: moderation::ReasonsOfReport,
    warnings: moderation::Warnings,
    former_titles: moderation::FormerTitles,
    pinned_threads: moderation::PinnedThreads,
    forum_hits: crate::forum::search::loaders::Found,
    read_states: crate::forum::reading::loaders::ReadStates,
    revisions_of_post: forum::RevisionsOfPost,
    post_votes: forum::Voted,
    thread_follows: notifications::ThreadFollows,
    forum_follows: notifications::ForumFollows,
    announcements: announcements::ById,
    announcements_of_course: announcements::Published,
    planned_announcements: announcements::Planned,
    conversations: crate::messages::loaders::Conversations,
    conversation_members: crate::messages::loaders::Members,
    conversation_status: crate::messages::loaders::StatusOf,
    messages: crate::messages::loaders::Messages,
    messages_of_conversation: crate::messages::loaders::MessagesOfConversation,
}
