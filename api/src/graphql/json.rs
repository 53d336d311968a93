//! Values as JSON, into memory that is there already.

use async_graphql::Value;

/// Writes a value. What [`super::direct`] has written stands in it as [`Value::Binary`], and is taken over as it is.
pub(crate) fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => serialize(out, number),
        Value::String(text) => string(out, text),
        Value::Enum(name) => string(out, name),
        Value::Binary(json) => out.extend_from_slice(json),
        Value::List(values) => list(out, values, write),
        Value::Object(fields) => {
            out.push(b'{');
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                string(out, name);
                out.push(b':');
                write(out, value);
            }
            out.push(b'}');
        }
    }
}

/// Writes a list, each of its items by a function.
pub(crate) fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut item: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (at, value) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        item(out, value);
    }
    out.push(b']');
}

/// Writes a text, in quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Ids, names and most words need nothing but their quotes.
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serialize(out, text);
    }
}

/// Writes whatever can't fail to be JSON: numbers and texts.
pub(crate) fn serialize<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let begun = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(begun);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_serde_writes_them() {
        let values = async_graphql::value!({
            "none": null, "yes": true, "no": false, "int": -7, "float": 0.333_333, "large": 1e300,
            "text": "a \"quoted\" \\ line\nwith é and \u{1f600}\u{7}", "list": [[], [1, "two", { }]], "object": { "a": { "b": [null] } },
        });
        let mut out = Vec::new();
        write(&mut out, &values);
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&values).unwrap());
    }
}
