//! The identity token: who made it, for whom, when, and what it says. OpenID Connect Core, section 3.1.3.7.
//!
//! Checked here and not with a crate for JSON web tokens: those ask the system's clock, and bring a second library of
//! cryptography. The key decides which algorithm is right, never the token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::{Deserialize, de::DeserializeOwned};

use super::model::{Identity, Refusal};
use crate::time::Timestamp;

/// So far two clocks may differ, in seconds.
const LEEWAY: i64 = 60;

/// A public key of the provider.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: Option<String>,
    numbers: Numbers,
}

#[derive(Clone, Debug)]
enum Numbers {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { point: Vec<u8> },
}

/// A key as the provider publishes it.
#[derive(Deserialize)]
pub(super) struct PublishedKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl PublishedKey {
    /// The key, if it is of a kind that is used here.
    pub(super) fn read(self) -> Option<Key> {
        if self.used_for.is_some_and(|used_for| used_for != "sig") {
            return None;
        }
        let number = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok();
        let numbers = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Numbers::Rsa { n: number(self.n)?, e: number(self.e)? },
            ("EC", Some("P-256")) => Numbers::P256 { point: [vec![4], number(self.x)?, number(self.y)?].concat() },
            _ => return None,
        };
        Some(Key { id: self.kid, numbers })
    }
}

impl Key {
    fn algorithm(&self) -> &'static str {
        match self.numbers {
            Numbers::Rsa { .. } => "RS256",
            Numbers::P256 { .. } => "ES256",
        }
    }

    fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        match &self.numbers {
            Numbers::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), signature).is_ok()
            }
            Numbers::P256 { point } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(text.as_bytes(), signature).is_ok()
            }
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<Told>,
    name: Option<String>,
    preferred_username: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Some providers write truth as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Truth(bool),
    Text(String),
}

/// A token that was taken apart, and not yet verified.
pub(super) struct Unverified<'a> {
    header: Header,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Claims,
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

impl<'a> Unverified<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, Refusal> {
        let unreadable = || Refusal::Token("the identity token can't be read");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(unreadable)?;
        let (header, claims) = signed.split_once('.').ok_or_else(unreadable)?;
        Ok(Self {
            header: part(header).ok_or_else(unreadable)?,
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| unreadable())?,
            claims: part(claims).ok_or_else(unreadable)?,
            signed,
        })
    }

    /// The key that it says it is signed with.
    pub(super) fn key<'k>(&self, keys: &'k [Key]) -> Option<&'k Key> {
        let mut fitting = keys.iter().filter(|key| {
            key.algorithm() == self.header.alg && (self.header.kid.is_none() || key.id == self.header.kid)
        });
        // Without a name there must be no choice.
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// Who it is about, if all is as it must be.
    pub(super) fn verify(self, key: &Key, expected: &Expected<'_>) -> Result<Identity, Refusal> {
        let claims = self.claims;
        let now = expected.now.seconds();
        let for_us = match &claims.aud {
            Audience::One(client) => client == expected.client_id,
            Audience::Many(clients) => {
                clients.iter().any(|client| client == expected.client_id)
                    && (clients.len() == 1 || claims.azp.is_some())
            }
        };
        let rules = [
            (self.header.crit.is_none(), "it asks for something unknown"),
            (key.has_signed(self.signed, &self.signature), "wrong signature"),
            (claims.iss == expected.issuer, "wrong issuer"),
            (for_us && claims.azp.as_deref().is_none_or(|azp| azp == expected.client_id), "wrong audience"),
            (claims.exp > (now - LEEWAY) as f64, "expired"),
            (claims.nbf.is_none_or(|from| from <= (now + LEEWAY) as f64), "not valid yet"),
            (claims.nonce.as_deref() == Some(expected.nonce), "wrong nonce"),
            ((1..=255).contains(&claims.sub.len()), "no subject"),
        ];
        if let Some((_, why)) = rules.into_iter().find(|(holds, _)| !holds) {
            return Err(Refusal::Token(why));
        }
        let verified = match claims.email_verified {
            Some(Told::Truth(verified)) => verified,
            Some(Told::Text(text)) => text == "true",
            None => false,
        };
        Ok(Identity {
            subject: claims.sub,
            email: claims.email.filter(|_| verified),
            name: claims.name.or(claims.preferred_username),
        })
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
