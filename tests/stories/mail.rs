//! Mails: written down with what causes them, sent afterwards, once.

use stoa_api::mail::{
    Mailer, Sender,
    model::{Kind, MailSettings, Transport},
};
use stoa_testkit::{Postbox, School, story};

async fn tell_mei(school: &School, kind: Kind) {
    let mut tx = school.app.db.begin().await.unwrap();
    school.app.outbox.add(&mut tx, school.id_of("mei"), kind, "").await.unwrap();
    tx.commit().await.unwrap();
    school.app.outbox.ring();
}

story! {
    async fn mei_gets_one_mail_for_what_happened_and_none_for_what_did_not(school) {
        let post = Postbox::new(&school.app);
        let mut tx = school.app.db.begin().await.unwrap();
        school.app.outbox.add(&mut tx, school.id_of("mei"), Kind::RoleChanged, "").await.unwrap();
        drop(tx);
        assert_eq!(post.send().await, 0, "what was rolled back did not happen");
        tell_mei(&school, Kind::PasswordChanged).await;
        assert_eq!((post.send().await, post.send().await), (1, 0));
        let mails = post.mails();
        assert_eq!(mails.len(), 1);
        for part in ["To: \"Mei Tanaka\" <mei@school.example>", "From: \"The School\" <post@school.example>",
            "Subject: Your password was changed", "Date: Mon, 02 Mar 2026 09:00:00", "Hello Mei Tanaka,"] {
            assert!(mails[0].contains(part), "{part}\n{}", mails[0]);
        }
        #[cfg(unix)]
        for file in std::fs::read_dir(post.folder()).unwrap() {
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.unwrap().metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "for nobody else to read");
        }
    }

    async fn two_servers_do_not_send_the_same_mail(school) {
        let (one, other) = (Postbox::new(&school.app), Postbox::new(&school.app));
        for _ in 0..30 {
            tell_mei(&school, Kind::NewSignIn).await;
        }
        // Each takes twenty at most.
        for _ in 0..2 {
            tokio::join!(one.send(), other.send());
        }
        assert_eq!(one.mails().len() + other.mails().len(), 30);
    }

    async fn a_mail_that_could_not_be_sent_is_tried_again_later(school) {
        let post = Postbox::new(&school.app);
        tell_mei(&school, Kind::PasswordChanged).await;
        std::fs::remove_dir(post.folder()).unwrap();
        assert_eq!(post.send().await, 1);
        std::fs::create_dir(post.folder()).unwrap();
        school.clock.advance(59);
        assert_eq!(post.send().await, 0, "not yet");
        school.clock.advance(1);
        assert_eq!((post.send().await, post.mails().len()), (1, 1));
    }

    async fn a_mail_is_given_up_after_two_thirds_of_a_day(school) {
        let post = Postbox::new(&school.app);
        tell_mei(&school, Kind::PasswordChanged).await;
        std::fs::remove_dir(post.folder()).unwrap();
        for wait in [60, 300, 1_800, 7_200, 43_200] {
            assert_eq!(post.send().await, 1);
            school.clock.advance(wait);
        }
        assert_eq!(post.send().await, 1);
        school.clock.advance(86_400);
        assert_eq!(post.send().await, 0);
    }

    async fn a_server_that_ends_while_it_sends_leaves_the_mail_to_another(school) {
        let post = Postbox::new(&school.app);
        tell_mei(&school, Kind::PasswordChanged).await;
        // As a server leaves it that took it and is no more: claimed, with a lease of half an hour.
        school.execute("UPDATE outbox SET attempts = 1, not_before = not_before + 1800000000").await;
        assert_eq!(post.send().await, 0);
        school.clock.advance(1_800);
        assert_eq!((post.send().await, post.mails().len()), (1, 1));
    }

    async fn without_a_mailer_nothing_is_sent_nor_kept_for_later(school) {
        tell_mei(&school, Kind::PasswordChanged).await;
        let nobody = Sender::new(&school.app, Mailer::new(&MailSettings::default(), Transport::None).unwrap());
        assert_eq!(nobody.send_due().await.unwrap(), 1);
        let post = Postbox::new(&school.app);
        school.clock.advance(86_400);
        assert_eq!((post.send().await, post.mails().len()), (0, 0));
    }
}
