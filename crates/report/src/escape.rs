//! Text within HTML, SVG and addresses: what would be read as markup is not.

/// Text as the content or a quoted attribute of an element. Characters that XML forbids become a replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Bytes as the data of a `data:` address: what is not safe there as %XX (RFC 3986).
pub(crate) fn percent(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + bytes.len() / 8);
    for &b in bytes {
        if b.is_ascii_alphanumeric() || b"-._~,:;=@/+!*()$".contains(&b) {
            out.push(char::from(b));
        } else {
            out += &format!("%{b:02X}");
        }
    }
    out
}

/// A name for files and addresses: small letters, digits and dashes; never empty.
pub(crate) fn slug(text: &str) -> String {
    let kept: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let words: Vec<&str> = kept.split('-').filter(|w| !w.is_empty()).collect();
    let joined = words.join("-").chars().take(60).collect::<String>();
    if joined.is_empty() { "part".into() } else { joined }
}
