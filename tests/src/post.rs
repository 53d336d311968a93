//! Where a story's mails arrive.

use std::{fs, path::PathBuf};

use stoa_api::{
    app::App,
    mail::{
        Mailer, Sender,
        model::{MailSettings, Transport},
    },
};
use tempfile::TempDir;

/// A folder of mails, and who sends them there.
pub struct Postbox {
    /// Sends what is in the outbox.
    pub sender: Sender,
    folder: TempDir,
}

impl Postbox {
    /// The post of these services.
    ///
    /// # Panics
    /// If there is no folder for it.
    pub fn new(app: &App) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = MailSettings {
            transport: Some(Transport::File),
            folder: Some(folder.path().join("post")),
            base_url: Some("https://school.example/".to_owned()),
            from: Some("The School <post@school.example>".to_owned()),
            ..MailSettings::default()
        };
        let mailer = Mailer::new(&settings, Transport::None).expect("a mailer");
        Self { sender: Sender::new(app, mailer), folder }
    }

    /// Where the mails are.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("post")
    }

    /// Sends what is due. Answers with how many that was.
    ///
    /// # Panics
    /// If the database fails.
    pub async fn send(&self) -> usize {
        self.sender.send_due().await.expect("the outbox")
    }

    /// The mails that have arrived, the oldest first, with their headers.
    ///
    /// # Panics
    /// If they can't be read.
    pub fn mails(&self) -> Vec<String> {
        let mut files: Vec<_> =
            fs::read_dir(self.folder()).expect("the folder").map(|file| file.expect("a file").path()).collect();
        files.sort();
        let read = |path| {
            let text = fs::read_to_string(path).expect("a mail");
            if text.contains("quoted-printable") { text.replace("=\r\n", "").replace("=3D", "=") } else { text }
        };
        files.into_iter().map(read).collect()
    }

    /// The token in the last mail's link to this page.
    ///
    /// # Panics
    /// If there is none.
    pub fn token(&self, page: &str) -> String {
        let mails = self.mails();
        let begin = format!("https://school.example/{page}?token=");
        let link = mails.iter().rev().find_map(|mail| mail.split_once(&begin)).expect("a mail with such a link");
        link.1.split_whitespace().next().expect("a token").to_owned()
    }
}
