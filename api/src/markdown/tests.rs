use std::time::{Duration, Instant};

use super::*;

/// Text with HTML in it that could do harm, by kinds: what the lists of ways around filters have in common.
const HTML: &[&str] = &[
    // Elements.
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script/xss src=\"https://evil.example/x.js\"></script>",
    "<script\n>alert(1)</script\n>",
    "<script >alert(1)</script >",
    "<<script>alert(1);//<</script>",
    "<script src=//evil.example/.j>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<iframe src=\"javascript:alert(1)\"></iframe>",
    "<iframe srcdoc=\"&lt;script&gt;alert(1)&lt;/script&gt;\"></iframe>",
    "<frameset><frame src=\"javascript:alert(1)\"></frameset>",
    "<object data=\"javascript:alert(1)\"></object>",
    "<object type=\"text/x-scriptlet\" data=\"https://evil.example/x\"></object>",
    "<embed src=\"data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=\" allowscriptaccess=always>",
    "<applet code=evil></applet>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
    "<base href=\"javascript:alert(1);//\">",
    "<form action=\"javascript:alert(1)\"><button>x</button></form>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<video><source onerror=\"alert(1)\"></video>",
    "<audio src=x onerror=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<style>body{background:url(\"javascript:alert(1)\")}</style>",
    "<xss style=\"behavior: url(xss.htc);\">",
    "<xml id=x><i><b><img src=\"javas<!-- -->cript:alert(1)\"></b></i></xml>",
    "<?xml version=\"1.0\"?><script>alert(1)</script>",
    "<!--[if gte IE 4]><script>alert(1);</script><![endif]-->",
    "<!--<img src=\"--><img src=x onerror=alert(1)//\">",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<template><script>alert(1)</script></template>",
    // Attributes.
    "<img src=x onerror=alert(1)>",
    "<img src=x oNeRrOr=alert(1)>",
    "<img src=\"x\" onerror = \"alert(1)\">",
    "<img/src=x/onerror=alert(1)>",
    "<img \"\"\"><script>alert(1)</script>\">",
    "<img src=x:alert(alt) onerror=eval(src) alt=1>",
    "<body onload=alert(1)>",
    "<b onmouseover=alert(1)>x</b>",
    "<a onmouseover=alert(1)>x</a>",
    "<p style=\"background:url('javascript:alert(1)')\">x</p>",
    "<div style=\"width: expression(alert(1));\">x</div>",
    "<table background=\"javascript:alert(1)\">",
    "<img dynsrc=\"javascript:alert(1)\">",
    "<img lowsrc=\"javascript:alert(1)\">",
    "<input type=image src=\"javascript:alert(1)\">",
    "<bgsound src=\"javascript:alert(1)\">",
    // Addresses in HTML.
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\"JaVaScRiPt:alert(1)\">x</a>",
    "<a href=\"jav&#x09;ascript:alert(1)\">x</a>",
    "<a href=\"jav\tascript:alert(1)\">x</a>",
    "<a href=\"&#14; javascript:alert(1)\">x</a>",
    "<a href=\"&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)\">x</a>",
    "<a href=\"&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058alert(1)\">x</a>",
    "<a href=\"javascript&colon;alert(1)\">x</a>",
    "<a href=\"data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==\">x</a>",
    "<a href=\"vbscript:msgbox(1)\">x</a>",
    // Other name spaces, and what changes when it is parsed again.
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)//",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
    "<svg><animate xlink:href=#x attributeName=href values=javascript:alert(1) /><a id=x><text>x</text></a></svg>",
    "<svg><use href=\"data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>#x\"></use></svg>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<math><mi//xlink:href=\"data:x,<script>alert(1)</script>\">",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<table><td><xmp><p title=\"</xmp><img src onerror=alert(1)>\">",
    "<plaintext><script>alert(1)</script>",
    "<listing>&lt;img src=1 onerror=alert(1)&gt;</listing>",
    "<img alt=\"<x\" title=\"/><img src=x onerror=alert(1)>\">",
    "<a href=\"https://a.example\" title=\"`><img src=x onerror=alert(1)>\">x</a>",
    "\u{0}<scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
    "<b><i></b></i><p><a><p></a><script>x</script>",
    "<div id=location><a id=body name=cookie>clobbered</a></div>",
];

/// Markdown with addresses or text in it that could do harm.
const MARKDOWN: &[&str] = &[
    "[x](javascript:alert(1))",
    "[x](JAVASCRIPT:alert(1))",
    "[x](  javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](<java\tscript:alert(1)>)",
    "[x](java&Tab;script:alert(1))",
    "[x](java&NewLine;script:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](&#106avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](javascript\\:alert(1))",
    "[x](\u{1}javascript:alert(1))",
    "[x](&#1;javascript:alert(1))",
    "[x](\u{200b}javascript:alert(1))",
    "[x](java\u{ad}script:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://a.example/1)",
    "[x](feed:javascript:alert(1))",
    "[x](view-source:javascript:alert(1))",
    "[x](//evil.example/x)",
    "[x](/sign-out)",
    "[x](?next=1)",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "[x]\n\n[x]: <javascript:alert(1)> \"t\"",
    "[x][a]\n\n[a]: data:text/html,%3Cscript%3Ealert(1)%3C/script%3E",
    "<javascript:alert(1)>",
    "<vbscript:msgbox(1)>",
    "<data:text/html,x>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](http://plain.example/pixel.png)",
    "![x][i]\n\n[i]: javascript:alert(1)",
    "![x](https://a.example/\" onerror=\"alert(1))",
    "![\"onerror=\"alert(1)](https://a.example/1.png)",
    "![x](https://a.example/1.png \"a\" onerror=\"alert(1)\")",
    "![x](https://a.example/1.png '\"onerror=alert(1) x=\"')",
    "[x](https://a.example '\"onmouseover=alert(1) x=\"')",
    "[x](https://a.example/\"onmouseover=alert(1))",
    "[x](https://a.example/<script>alert(1)</script>)",
    "[![x](javascript:alert(1))](javascript:alert(2))",
    "[a [b](javascript:alert(1)) c](javascript:alert(2))",
    "**<script>alert(1)</script>**",
    "> <script>alert(1)</script>",
    "- <img src=x onerror=alert(1)>",
    "| <script> | b |\n|---|---|\n| <svg onload=alert(1)> | x |",
    "# <iframe src=javascript:alert(1)>",
    "```<script>alert(1)</script>\nx\n```",
    "```\"onmouseover=alert(1)\nx\n```",
    "```html\n<script>alert(1)</script>\n</code></pre><script>alert(2)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\<script\\>alert(1)\\</script\\>",
    "&#60;img src=x onerror=alert(1)&#62;",
    "<a href=\"https://a.example\">unclosed",
    "</p></div></body></html>",
    "<!-- unclosed",
    "<![CDATA[ unclosed",
    "<div\n\nx",
    "*<b*>x</b>",
    "- [x] <input type=checkbox onclick=alert(1)>",
];

/// Parses what is shown strictly, by rules of its own, and says what is wrong with it.
fn judge(html: &str) -> Result<(), String> {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        if text.contains('>') {
            return Err(format!("a bare > in {text:?}"));
        }
        // Values are quoted, and a quoted > does not end a tag.
        let (mut quoted, mut end) = (false, None);
        for (at, letter) in tag.char_indices() {
            match letter {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let end = end.ok_or_else(|| format!("a tag without an end: {tag:?}"))?;
        element(&tag[1..end])?;
        rest = &tag[end + 1..];
    }
    if rest.contains('>') { Err(format!("a bare > in {rest:?}")) } else { Ok(()) }
}

fn element(tag: &str) -> Result<(), String> {
    let allowed = [
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
    if !allowed.contains(&name) {
        return Err(format!("the element {name:?}"));
    }
    let mut rest = tag[tag.find(' ').unwrap_or(tag.len())..].trim();
    while !rest.is_empty() {
        let (attribute, after) =
            rest.split_once("=\"").ok_or_else(|| format!("an attribute without a value: {rest:?}"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("a value without an end: {after:?}"))?;
        match (name, attribute) {
            ("a", "href") if ["http://", "https://", "mailto:"].iter().any(|start| value.starts_with(start)) => {}
            ("img", "src") if value.starts_with("https://") => {}
            ("a", "rel") if value == "nofollow noopener ugc" => {}
            ("a" | "img", "title")
            | ("img", "alt" | "referrerpolicy" | "loading")
            | ("ol", "start")
            | ("td" | "th", "align") => {}
            ("code", "class") if is_language(value) => {}
            _ => return Err(format!("the attribute {attribute}={value:?} of {name}")),
        }
        rest = after.trim();
    }
    Ok(())
}

#[test]
fn nothing_that_is_shown_can_do_harm() {
    for text in HTML.iter().chain(MARKDOWN) {
        for around in [
            "{}",
            "x {} y",
            "> {}",
            "- a\n- {}",
            "**{}**",
            "{}\n\n{}",
            "[{}](https://a.example)",
            "| {} |\n|---|\n| {} |",
        ] {
            let markdown = around.replace("{}", text);
            let html = to_html(&markdown);
            assert_eq!(judge(&html), Ok(()), "{markdown:?} is shown as\n{html}");
            assert_eq!(CLEANER.clean(&html).to_string(), html, "{markdown:?} changes when it is parsed again");
        }
    }
}

/// The last wall alone: as if all that is typed were HTML.
#[test]
fn what_is_parsed_as_html_can_do_no_harm_either() {
    for text in HTML.iter().chain(MARKDOWN) {
        for around in
            ["{}", "<p title=\"{}\">x</p>", "<table>{}</table>", "<code>{}</code>", "<a href='{}'>x</a>", "<!--{}-->"]
        {
            let html = CLEANER.clean(&around.replace("{}", text)).to_string();
            assert_eq!(judge(&html), Ok(()), "{text:?} in {around:?} is shown as\n{html}");
            assert_eq!(CLEANER.clean(&html).to_string(), html, "{text:?} changes when it is parsed again");
        }
    }
}

/// The judge of the tests above can say no.
#[test]
fn the_judge_finds_what_is_harmful() {
    let harmful = HTML.iter().filter(|html| judge(html).is_err()).count();
    assert!(harmful + 3 > HTML.len(), "of {} only {harmful} are found", HTML.len());
    for html in [
        "<p>a > b</p>",
        "<a href=\"javascript:x\">x</a>",
        "<img src=\"http://a.example\">",
        "<p",
        "<code class=\"x\">x</code>",
    ] {
        assert!(judge(html).is_err(), "{html}");
    }
    assert!(judge("<p hidden>x</p>").is_err());
    assert_eq!(judge("<p>x &lt; y</p>"), Ok(()));
}

#[test]
fn what_is_typed_to_do_harm_is_named() {
    let element = |name: &str| Err(Unsafe::Element(name.to_owned()));
    assert_eq!(check("<script>alert(1)</script>"), element("script"));
    assert_eq!(check("Look:\n\n<ScRiPt\nsrc=x>"), element("script"));
    assert_eq!(check("so `x` and <iframe src=x>"), element("iframe"));
    assert_eq!(check("> - <svg/onload=alert(1)>"), element("svg"));
    assert_eq!(check("<!-- <object> -->"), element("object"));
    assert_eq!(check("<b onclick=\"x()\">x</b>"), Err(Unsafe::Attribute("onclick=".to_owned())));
    assert_eq!(check("<img src=x onerror = x>"), Err(Unsafe::Attribute("onerror=".to_owned())));
    assert_eq!(check("<p style='x'>"), Err(Unsafe::Attribute("style=".to_owned())));
    assert_eq!(check("<a href=\"java\nscript:x\">x</a>"), Err(Unsafe::Attribute("javascript:".to_owned())));
    assert_eq!(check("[x](java&Tab;script:x)"), Err(Unsafe::Scheme("javascript".to_owned())));
    assert_eq!(check("[x]\n\n[x]: data:text/html,x"), Err(Unsafe::Scheme("data".to_owned())));
    assert_eq!(check("<javascript:alert(1)>"), Err(Unsafe::Scheme("javascript".to_owned())));
}

#[test]
fn code_may_show_everything_and_harmless_text_is_not_refused() {
    for text in [
        "```html\n<script>alert(1)</script>\n```",
        "~~~\n<img onerror=x>\n~~~",
        "    <script>alert(1)</script>",
        "put `<script>` at the end",
        "a < b, and b > c; x <- y; <3",
        "Vec<T> and HashMap<String, Vec<u8>>",
        "<b>bold</b> and <br>",
        "\\<script\\>",
        "once=1, on=2, <x y=1>",
        "[here](https://a.example/?on=1&style=2) <https://b.example>",
        "the style of the script is on form",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn markdown_becomes_what_it_means() {
    for (markdown, html) in [
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>\n"),
        ("- [ ] a\n- [x] b", "<ul>\n<li>☐ a</li>\n<li>☑ b</li>\n</ul>\n"),
        ("3. a\n4. b", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>\n"),
        ("```rust\nlet x = 1 < 2;\n```", "<pre><code class=\"language-rust\">let x = 1 &lt; 2;\n</code></pre>\n"),
        ("Vec<T>, <b>x</b>", "<p>Vec&lt;T&gt;, &lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("<div>\nx\n</div>", "<p>&lt;div&gt;\nx\n&lt;/div&gt;</p>\n"),
        (
            "[a](https://a.example \"t\")",
            "<p><a href=\"https://a.example\" title=\"t\" rel=\"nofollow noopener ugc\">a</a></p>\n",
        ),
        (
            "<ana@a.example>",
            "<p><a href=\"mailto:ana@a.example\" rel=\"nofollow noopener ugc\">ana@a.example</a></p>\n",
        ),
        ("[a](/b) ![c](http://c.example/d.png)", "<p>a c</p>\n"),
        ("Ünïcødé 🌱 &amp; &copy;", "<p>Ünïcødé 🌱 &amp; ©</p>\n"),
    ] {
        assert_eq!(to_html(markdown), html, "{markdown}");
    }
    let table = to_html("| a | b |\n|:--|--:|\n| 1 | 2 |");
    assert!(table.contains("<table>") && table.contains("<td>1</td>") || table.contains("<td"), "{table}");
    let picture = to_html("![a](https://a.example/b.png)");
    assert!(
        picture.contains("src=\"https://a.example/b.png\"") && picture.contains("referrerpolicy=\"no-referrer\""),
        "{picture}"
    );
}

/// The longest post, made to be slow.
#[test]
fn no_post_takes_long() {
    let whole = |piece: &str| piece.repeat(50_000 / piece.chars().count());
    let nested = |piece: &str| {
        let line = |depth: usize| " ".repeat(2 * depth % 160) + piece;
        (0..300).map(line).collect::<Vec<_>>().join("\n")
    };
    let posts = [
        whole(">"),
        whole("> "),
        whole("- "),
        whole("1. "),
        whole("["),
        whole("!["),
        whole("[]("),
        whole("]("),
        whole("*a_"),
        whole("**a*"),
        whole("_a__"),
        whole("~~a~"),
        whole("`"),
        whole("`a``"),
        whole("<"),
        whole("<a "),
        whole("<a href=\""),
        whole("<b>"),
        whole("<!--"),
        whole("<![CDATA["),
        whole("<?"),
        whole("</"),
        whole("&"),
        whole("&#x"),
        whole("\\"),
        whole("[a](b "),
        whole("[a][b]"),
        whole("[a]: b\n"),
        whole("[a]: b\n[a]\n"),
        whole("|a"),
        whole("|a\n|-\n"),
        whole("a\n=\n"),
        whole("#"),
        whole("# a\n"),
        whole("***"),
        whole("a**b"),
        whole("<x@y.z>"),
        whole("<https://a.b>"),
        whole("![a](https://b)"),
        whole("\t"),
        whole("\n"),
        whole("- a\n  "),
        whole("> a\n\n"),
        whole("```\n"),
        whole("<div>\n"),
        whole("<p><b><i>"),
        whole("<table><tr><td>"),
        whole("[^a]"),
        whole("- [ ] "),
        whole("[a](<b"),
        whole("!\"#$%&"),
        nested("- a"),
        nested("> a"),
        format!("{}a{}", "[".repeat(25_000), "]".repeat(25_000)),
        format!("{}a{}", "*".repeat(25_000), "*".repeat(25_000)),
        format!("{}a{}", "(".repeat(25_000), ")".repeat(25_000)),
        format!("[a]({}", "(".repeat(49_000)),
        format!("|{}\n|{}\n{}", "a|".repeat(300), "-|".repeat(300), "|a\n".repeat(15_000)),
    ];
    // Not optimised, and on a busy machine: there the slowest, nothing but `&`, takes some 6 s.
    let most = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 2 });
    for post in posts {
        let start: String = post.chars().take(20).collect();
        let began = Instant::now();
        let _ = check(&post);
        let html = to_html(&post);
        let took = began.elapsed();
        assert!(took < most, "{start:?} took {took:?}");
        assert_eq!(judge(&html), Ok(()), "{start:?}");
        assert!(html.len() < 600_000, "{start:?} became {} bytes", html.len());
    }
}
