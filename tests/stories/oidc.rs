//! Sign-in with another provider, which the stories bring along.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Route, endpoint::make, http::StatusCode};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use stoa_api::{app::App, http::Listener, oidc::model::OidcSettings};
use stoa_testkit::{Answer, Client, School, story};

/// What the provider knows.
struct Desk {
    url: String,
    key: EcdsaKeyPair,
    key_id: String,
    /// By code: the challenge, and the token that it is good for.
    codes: HashMap<String, (String, String)>,
}

/// A provider on this machine.
#[derive(Clone)]
struct Provider(Arc<Mutex<Desk>>);

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let bytes = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes.as_ref(), &random).unwrap()
}

fn signed(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

impl Provider {
    async fn open() -> Self {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.address);
        let desk = Desk { url, key: new_key(), key_id: "first".to_owned(), codes: HashMap::new() };
        let provider = Self(Arc::new(Mutex::new(desk)));
        tokio::spawn(listener.serve(provider.clone().routes(), std::future::pending()));
        provider
    }

    fn routes(self) -> impl Endpoint<Output = Response> {
        let (keys, token) = (self.clone(), self.clone());
        let answer = |value: Value| value.to_string().with_content_type("application/json").into_response();
        Route::new()
            .at(
                "/.well-known/openid-configuration",
                make(move |_| {
                    let url = self.0.lock().unwrap().url.clone();
                    async move {
                        answer(json!({
                            "issuer": url, "authorization_endpoint": format!("{url}/authorize"),
                            "token_endpoint": format!("{url}/token"), "jwks_uri": format!("{url}/keys"),
                        }))
                    }
                }),
            )
            .at(
                "/keys",
                make(move |_| {
                    let keys = keys.keys();
                    async move { answer(keys) }
                }),
            )
            .at(
                "/token",
                make(move |mut request: Request| {
                    let provider = token.clone();
                    async move {
                        let known = request.header("authorization") == Some("Basic c3RvYTp3ZWxsK2tlcHQlMjY=");
                        let body = request.take_body().into_string().await.unwrap();
                        match provider.token(&body) {
                            _ if !known => StatusCode::UNAUTHORIZED.into_response(),
                            Some(token) => {
                                answer(json!({ "access_token": "x", "token_type": "Bearer", "id_token": token }))
                            }
                            None => (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" }).to_string())
                                .into_response(),
                        }
                    }
                }),
            )
            .map_to_response()
    }

    fn keys(&self) -> Value {
        let desk = self.0.lock().unwrap();
        let point = desk.key.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({ "keys": [
            { "kty": "OKP", "crv": "Ed448", "x": "AAAA" },
            { "kty": "EC", "crv": "P-256", "use": "sig", "kid": desk.key_id, "x": x, "y": y },
        ] })
    }

    fn token(&self, form: &str) -> Option<String> {
        let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let (challenge, token) = self.0.lock().unwrap().codes.remove(field("code")?)?;
        let verifier = digest(&SHA256, field("code_verifier")?.as_bytes());
        (URL_SAFE_NO_PAD.encode(verifier) == challenge).then_some(token)
    }

    /// Somebody signs in at the provider: a code for a token that says these claims.
    fn code(&self, begun: &Begun, mut claims: Value, with: Option<&EcdsaKeyPair>) -> String {
        let mut desk = self.0.lock().unwrap();
        let said = json!({ "iss": desk.url, "aud": "stoa", "nonce": begun.parameter("nonce"), "sub": "ines-7" });
        for (name, value) in said.as_object().unwrap() {
            claims.as_object_mut().unwrap().entry(name).or_insert(value.clone());
        }
        let header = json!({ "alg": "ES256", "kid": desk.key_id });
        let token = signed(with.unwrap_or(&desk.key), &header, &claims);
        let code = format!("code-{}", desk.codes.len());
        desk.codes.insert(code.clone(), (begun.parameter("code_challenge").to_owned(), token));
        code
    }
}

/// A sign-in that was begun.
struct Begun {
    location: String,
    cookie: String,
}

impl Begun {
    fn parameter(&self, name: &str) -> &str {
        let (_, query) = self.location.split_once('?').unwrap();
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap()
    }
}

/// A browser at a server that knows the provider.
struct Browser {
    client: Client,
    app: App,
    provider: Provider,
    ends: i64,
}

impl Browser {
    async fn open(school: &School) -> Self {
        let provider = Provider::open().await;
        let issuer = provider.0.lock().unwrap().url.clone();
        let app = school.app.clone().with_oidc(settings(&issuer)).unwrap();
        Self { client: school.anybody_at(&app), app, provider, ends: school.clock.now().seconds() + 300 }
    }

    async fn get(&self, path: &str, cookie: Option<&str>) -> Answer {
        get(&self.client, path, cookie).await
    }

    /// Who holds the session that an answer opens, by global id.
    async fn holder(&self, answer: &Answer) -> String {
        let browser = self.client.browser();
        let session = cookies(answer)[0].split(';').next().unwrap().split_once('=').unwrap();
        browser.set_cookie(session.0, session.1);
        browser.data("{ me { id } }").await["me"]["id"].as_str().unwrap().to_owned()
    }

    async fn begin(&self) -> Begun {
        let answer = self.get("/auth/oidc/start?return_to=%2Fcourses%3Ftab%3D%22", None).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("__Host-stoa-oidc="));
        assert!(cookie.ends_with("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        Begun {
            location: answer.headers["location"].to_str().unwrap().to_owned(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    async fn come_back(&self, begun: &Begun, code: &str) -> Answer {
        let path = format!("/auth/oidc/callback?code={code}&state={}", begun.parameter("state"));
        self.get(&path, Some(&begun.cookie)).await
    }

    /// The whole way, with these claims; `exp` is added.
    async fn sign_in(&self, mut claims: Value) -> Answer {
        let begun = self.begin().await;
        claims.as_object_mut().unwrap().entry("exp").or_insert(self.ends.into());
        let code = self.provider.code(&begun, claims, None);
        self.come_back(&begun, &code).await
    }
}

async fn get(client: &Client, path: &str, cookie: Option<&str>) -> Answer {
    let mut request = Request::builder().uri_str(path);
    if let Some(cookie) = cookie {
        request = request.header("cookie", format!("theme=dark; {cookie}"));
    }
    client.send(request.finish()).await
}

fn settings(issuer: &str) -> OidcSettings {
    OidcSettings {
        issuer: issuer.to_owned(),
        client_id: "stoa".to_owned(),
        client_secret: Some("well kept&".to_owned()),
        scopes: "openid email profile".to_owned(),
        label: "The University".to_owned(),
        redirect_url: "https://school.example/auth/oidc/callback".to_owned(),
    }
}

fn ines() -> Value {
    json!({ "email": "ines@else.example", "email_verified": true, "name": "Ines Sol" })
}

/// What a claim was changed to, for a sign-in that must fail.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn cookies(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
}

story! {
    async fn ines_comes_in_with_the_universitys_account_and_finds_the_same_one_again(school) {
        let browser = Browser::open(&school).await;
        let data = browser.client.data("{ signInProvider { label path } }").await;
        assert_eq!(data["signInProvider"], json!({ "label": "The University", "path": "/auth/oidc/start" }));
        let answer = browser.sign_in(ines()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(answer.text.contains("content=\"0;url=/courses?tab=&quot;\""), "{}", answer.text);
        let account = browser.app.accounts.find_by_email("ines@else.example").await.unwrap().unwrap();
        assert!(browser.app.sign_in.is_verified(account).await.unwrap());
        assert_eq!(browser.holder(&answer).await, school.person_node_of(account));
        let forgotten = "__Host-stoa-oidc=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(cookies(&answer)[1], forgotten);
        // The subject counts, not the address, which may change there.
        let again = browser.sign_in(with(ines(), "email", "sol@else.example".into())).await;
        assert_eq!(browser.holder(&again).await, school.person_node_of(account));
        assert_eq!(browser.app.accounts.find_by_email("sol@else.example").await.unwrap(), None);
    }

    async fn mei_is_led_to_her_own_account_only_if_her_address_was_verified_here(school) {
        let browser = Browser::open(&school).await;
        let mei = json!({ "sub": "mei-9", "email": "Mei@school.example", "email_verified": true, "name": "Mei" });
        let refused = browser.sign_in(mei.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.text.contains("verify it, then begin again"), "{}", refused.text);
        school.app.sign_in.mark_verified(school.id_of("mei")).await.unwrap();
        let answer = browser.sign_in(mei).await;
        assert_eq!(browser.holder(&answer).await, school.person_node("mei"), "{}", answer.text);
    }

    async fn a_token_that_is_not_right_lets_nobody_in_and_says_why(school) {
        let browser = Browser::open(&school).await;
        let past = browser.ends - 300 - 61;
        let wrong = [
            ("nonce", json!("another"), "wrong nonce"),
            ("nonce", Value::Null, "wrong nonce"),
            ("aud", json!("another"), "wrong audience"),
            ("aud", json!(["stoa", "another"]), "wrong audience"),
            ("azp", json!("another"), "wrong audience"),
            ("iss", json!("https://another.example"), "wrong issuer"),
            ("exp", json!(past), "expired"),
            ("exp", json!("soon"), "can't be read"),
            ("nbf", json!(browser.ends), "not valid yet"),
            ("sub", json!(""), "no subject"),
            ("email_verified", json!(false), "verify it there"),
            ("email_verified", Value::Null, "verify it there"),
            ("email", Value::Null, "verify it there"),
            ("name", Value::Null, "give one there"),
        ];
        for (claim, value, why) in wrong {
            let answer = browser.sign_in(with(ines(), claim, value.clone())).await;
            assert!(answer.status.is_client_error() && answer.text.contains(why), "{claim} {value}: {}", answer.text);
            assert_eq!(cookies(&answer).len(), 1, "the note is forgotten, and no session opened");
        }
        let begun = browser.begin().await;
        let claims = with(ines(), "exp", browser.ends.into());
        let code = browser.provider.code(&begun, claims, Some(&new_key()));
        let forged = browser.come_back(&begun, &code).await;
        assert!(forged.text.contains("wrong signature"), "{}", forged.text);
        assert_eq!(browser.app.accounts.find_by_email("ines@else.example").await.unwrap(), None);
    }

    async fn a_sign_in_is_good_once_in_the_browser_where_it_was_begun_for_ten_minutes(school) {
        let browser = Browser::open(&school).await;
        let claims = || with(ines(), "exp", (browser.ends + 3_600).into());
        let begun = browser.begin().await;
        let code = browser.provider.code(&begun, claims(), None);
        let path = format!("/auth/oidc/callback?code={code}&state={}", begun.parameter("state"));
        assert_eq!(browser.get(&path, None).await.status, StatusCode::BAD_REQUEST, "another browser");
        let other = browser.begin().await;
        assert_eq!(browser.get(&path, Some(&other.cookie)).await.status, StatusCode::BAD_REQUEST, "another sign-in");
        let mut forged = begun.cookie.clone();
        let last = if forged.ends_with('A') { "Q" } else { "A" };
        forged.replace_range(forged.len() - 1.., last);
        assert_eq!(browser.get(&path, Some(&forged)).await.status, StatusCode::BAD_REQUEST, "a forged note");
        assert_eq!(browser.come_back(&begun, &code).await.status, StatusCode::OK);
        let replayed = browser.come_back(&begun, &code).await;
        assert!(replayed.status == StatusCode::BAD_REQUEST && replayed.text.contains("begin again"), "replayed");
        let late = browser.begin().await;
        let code = browser.provider.code(&late, claims(), None);
        school.clock.advance(600);
        assert_eq!(browser.come_back(&late, &code).await.status, StatusCode::BAD_REQUEST, "too late");
        let denied = browser.begin().await;
        let path = format!("/auth/oidc/callback?error=access_denied&state={}", denied.parameter("state"));
        let denied = browser.get(&path, Some(&denied.cookie)).await;
        assert!(denied.text.contains("did not sign you in"), "{}", denied.text);
    }

    async fn nobody_is_sent_on_to_another_site(school) {
        let browser = Browser::open(&school).await;
        for path in ["https:%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "evil", "%2Fa%0D%0Ab"] {
            let answer = browser.get(&format!("/auth/oidc/start?return_to={path}"), None).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
            assert!(!answer.headers.contains_key("location"));
        }
        assert_eq!(browser.get("/auth/oidc/start", None).await.status, StatusCode::SEE_OTHER);
    }

    async fn the_provider_may_change_its_key(school) {
        let browser = Browser::open(&school).await;
        assert_eq!(browser.sign_in(ines()).await.status, StatusCode::OK);
        {
            let mut desk = browser.provider.0.lock().unwrap();
            desk.key = new_key();
            "second".clone_into(&mut desk.key_id);
        }
        let early = browser.sign_in(ines()).await;
        assert!(early.text.contains("unknown key"), "it was asked a moment ago: {}", early.text);
        school.clock.advance(60);
        assert_eq!(browser.sign_in(ines()).await.status, StatusCode::OK);
    }

    async fn a_provider_that_is_away_keeps_nobody_waiting_and_hides_nothing_else(school) {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.address);
        drop(listener);
        let app = school.app.clone().with_oidc(settings(&issuer)).unwrap();
        let client = school.anybody_at(&app);
        let answer = get(&client, "/auth/oidc/start", None).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        assert!(answer.text.contains("try again in a moment"));
        client.data("{ courses(first: 1) { nodes { slug } } }").await;
    }

    async fn a_school_without_a_provider_has_no_such_pages_and_one_without_tls_is_refused(school) {
        assert_eq!(get(school.anybody(), "/auth/oidc/start", None).await.status, StatusCode::NOT_FOUND);
        assert_eq!(school.anybody().data("{ signInProvider { label } }").await["signInProvider"], Value::Null);
        let error = school.app.clone().with_oidc(settings("http://id.example")).err().unwrap();
        assert!(error.to_string().contains("must begin with https://"), "{error}");
        assert!(!format!("{:?}", settings("https://id.example")).contains("well kept"));
    }
}
