//! The loaders of one request.

use std::sync::Arc;

use crate::{
    accounts::loaders as accounts,
    app::App,
    batch::Load,
    courses::loaders as courses,
    db::Db,
    forum::loaders as forum,
    profile::loaders as profile,
    progress::loaders as progress,
    recommendations::loaders::{self as recommendations, NextCourses},
    sign_in::loaders as sign_in,
    two_factor::loaders as two_factor,
};

macro_rules! loaders {
    ($($field:ident: $fetch:ty),+ $(,)?) => {
        /// Every loader, each of which reads a thing at most once in a request.
        pub(crate) struct Loaders {
            pub(crate) viewpoint: Arc<accounts::Viewpoint>,
            pub(crate) relations: Load<accounts::Relations>,
            pub(crate) next_courses: Load<NextCourses>,
            $(pub(crate) $field: Load<$fetch>),+
        }

        impl Loaders {
            pub(crate) fn new(app: &App, viewpoint: accounts::Viewpoint) -> Self {
                let (db, viewpoint) = (&app.db, Arc::new(viewpoint));
                Self {
                    relations: Load::new(accounts::Relations(Arc::clone(&viewpoint))),
                    viewpoint,
                    next_courses: Load::new(NextCourses(app.feed.clone())),
                    $($field: Load::new(<$fetch>::new(db.clone()))),+
                }
            }
        }

        $(impl $fetch {
            const fn new(db: Db) -> Self {
                Self(db)
            }
        })+
    };
}

loaders! {
    accounts: accounts::Accounts,
    account_states: sign_in::States,
    sessions: sign_in::Sessions,
    tokens: sign_in::Tokens,
    sign_in_pages: sign_in::SignInPages,
    courses: courses::Courses,
    topics: courses::Topics,
    public_topics: courses::PublicTopics,
    goals: accounts::Goals,
    teaches: accounts::Teaches,
    roles: accounts::Roles,
    preferences: profile::Preferences,
    consents: recommendations::Consents,
    second_factors: two_factor::SecondFactors,
    left_off: progress::LeftOffs,
    time_per_topic: progress::TimePerTopic,
    modules: courses::Modules,
    lessons: courses::Lessons,
    topics_of_course: courses::TopicsOfCourse,
    prerequisites: courses::Prerequisites,
    staff: courses::Staff,
    modules_of_course: courses::ModulesOfCourse,
    lessons_of_module: courses::LessonsOfModule,
    rollups: courses::Rollups,
    enrolments: progress::Enrolments,
    enrolment_pages: progress::EnrolmentPages,
    class_pages: progress::ClassPages,
    lessons_of_enrolment: progress::LessonsOfEnrolment,
    categories: forum::Categories,
    categories_of_course: forum::CategoriesOfCourse,
    threads: forum::Threads,
    posts: forum::Posts,
    threads_of_course: forum::ThreadsOfCourse,
    threads_of_category: forum::ThreadsOfCategory,
    posts_of_thread: forum::PostsOfThread,
    replies_of_post: forum::RepliesOfPost,
    forum_hits: crate::forum::search::loaders::Found,
    read_states: crate::forum::reading::loaders::ReadStates,
    conversations: crate::messages::loaders::Conversations,
    conversation_members: crate::messages::loaders::Members,
    conversation_status: crate::messages::loaders::StatusOf,
    messages: crate::messages::loaders::Messages,
    messages_of_conversation: crate::messages::loaders::MessagesOfConversation,
}
