//! As much XML as the file of HL7's suite needs.

/// An element.
pub(super) struct Tag<'t> {
    pub(super) name: &'t str,
    attributes: Vec<(&'t str, String)>,
    pub(super) children: Vec<Tag<'t>>,
    /// The text inside, without that of its children.
    pub(super) text: String,
}

impl<'t> Tag<'t> {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Tag<'t>> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document.
pub(super) fn read(text: &str) -> Tag<'_> {
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.trim_start();
        rest = if let Some(after) = rest.strip_prefix("<?") {
            after.split_once("?>").unwrap().1
        } else if let Some(after) = rest.strip_prefix("<!--") {
            after.split_once("-->").unwrap().1
        } else {
            return element(&mut rest);
        };
    }
}

fn element<'t>(rest: &mut &'t str) -> Tag<'t> {
    *rest = rest.strip_prefix('<').unwrap();
    let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap();
    let name = &rest[..end];
    *rest = &rest[end..];
    let mut tag = Tag { name, attributes: Vec::new(), children: Vec::new(), text: String::new() };
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            *rest = after;
            return tag;
        }
        if let Some(after) = rest.strip_prefix('>') {
            *rest = after;
            break;
        }
        let (name, after) = rest.split_once('=').unwrap();
        let quote = after.trim_start().chars().next().unwrap();
        let (value, after) = after.trim_start()[1..].split_once(quote).unwrap();
        tag.attributes.push((name.trim(), plain(value)));
        *rest = after;
    }
    loop {
        if let Some(after) = rest.strip_prefix("<!--") {
            *rest = after.split_once("-->").unwrap().1;
        } else if let Some(after) = rest.strip_prefix("</") {
            *rest = after.split_once('>').unwrap().1;
            return tag;
        } else if rest.starts_with('<') {
            tag.children.push(element(rest));
        } else {
            let end = rest.find('<').unwrap();
            tag.text.push_str(&plain(&rest[..end]));
            *rest = &rest[end..];
        }
    }
}

/// Text with its entities resolved.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap());
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap();
        out.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => match name.strip_prefix("#x") {
                Some(hex) => char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap(),
                None => char::from_u32(name.strip_prefix('#').unwrap().parse().unwrap()).unwrap(),
            },
        });
        out.push_str(rest);
    }
    out
}
