//! FHIR XML there and back.

use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::{Node, compact};
use keepwell_fhir::validate::{Options, Validator};
use keepwell_fhir::xml::{read, read_placed, write, write_pretty};
use proptest::prelude::*;
use serde_json::Value;

use crate::shared;

/// What a document says, however it is laid out: an item for each tag with its attributes in order, and narratives.
pub(crate) fn canonical(xml: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut items = Vec::new();
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap();
        let (tag, is_empty) = match reader.read_event().unwrap() {
            Event::Start(tag) => (tag, false),
            Event::Empty(tag) => (tag, true),
            Event::End(_) => {
                items.push("/".to_owned());
                continue;
            }
            Event::Eof => return items,
            _ => continue,
        };
        let name = tag.name().as_ref().to_owned();
        if name == "div" {
            if !is_empty {
                reader.read_to_end(tag.name()).unwrap();
            }
            let end = usize::try_from(reader.buffer_position()).unwrap();
            items.push(xml[at..end].replace("\r\n", "\n"));
            continue;
        }
        let attributes = tag.attributes().map(|it| it.unwrap());
        let mut attributes: Vec<String> = attributes
            .map(|it| {
                let value = it.normalized_value(quick_xml::XmlVersion::Explicit1_0).unwrap();
                format!("{}={value}", it.key.as_ref())
            })
            .filter(|it| !it.starts_with("xmlns:") && !it.starts_with("xsi:"))
            .collect();
        attributes.sort();
        items.push(format!("{name} {}", attributes.join(" ")));
        if is_empty {
            items.push("/".to_owned());
        }
    }
}

fn to_json(xml: &str) -> String {
    String::from_utf8(read(xml.as_bytes(), r4()).unwrap()).unwrap()
}

fn to_xml(json: &str) -> String {
    String::from_utf8(write(Node::of_text(json), r4()).unwrap()).unwrap()
}

/// A document with all its members in order of name, numbers as text.
fn sorted(node: Node<'_>) -> String {
    let list = |items: Vec<String>, open, close| format!("{open}{}{close}", items.join(","));
    match node.raw().as_bytes().first() {
        Some(b'{') => {
            let mut members: Vec<String> = node.members().map(|(name, it)| format!("{name}:{}", sorted(it))).collect();
            members.sort();
            list(members, '{', '}')
        }
        Some(b'[') => list(node.items().map(sorted).collect(), '[', ']'),
        Some(b'"') => format!("{:?}", node.text().unwrap()),
        _ => node.raw().to_owned(),
    }
}

fn patient(inside: &str) -> String {
    format!(r#"<Patient xmlns="http://hl7.org/fhir">{inside}</Patient>"#)
}

#[test]
fn each_kind_of_element_has_its_json() {
    for (xml, json) in [
        ("", ""),
        (r#"<id value="a"/>"#, r#""id":"a""#),
        (r#"<active value="true"/>"#, r#""active":true"#),
        (r#"<multipleBirthInteger value="2"/>"#, r#""multipleBirthInteger":2"#),
        (r#"<birthDate value="1970-01-01"></birthDate>"#, r#""birthDate":"1970-01-01""#),
        (r#"<name><family value="F"/></name>"#, r#""name":[{"family":"F"}]"#),
        (r#"<name id="n"/><name/>"#, r#""name":[{"id":"n"},{}]"#),
        (
            r#"<name><given value="A"/><given value="B"/><family value="F"/></name>"#,
            r#""name":[{"given":["A","B"],"family":"F"}]"#,
        ),
        (
            r#"<birthDate id="b" value="1970"><extension url="u"><valueDateTime value="1970-01-01T00:00:00Z"/></extension></birthDate>"#,
            r#""birthDate":"1970","_birthDate":{"id":"b","extension":[{"url":"u","valueDateTime":"1970-01-01T00:00:00Z"}]}"#,
        ),
        (
            r#"<active value="true"/><birthDate><extension url="u"/></birthDate><gender value="other"/>"#,
            r#""active":true,"_birthDate":{"extension":[{"url":"u"}]},"gender":"other""#,
        ),
        (r#"<birthDate id="only"/>"#, r#""_birthDate":{"id":"only"}"#),
        (
            r#"<name><given value="A"/><given><extension url="u"/></given><given id="c" value="C"/></name>"#,
            r#""name":[{"given":["A",null,"C"],"_given":[null,{"extension":[{"url":"u"}]},{"id":"c"}]}]"#,
        ),
        (r#"<name><given id="a"/><given id="b"/></name>"#, r#""name":[{"_given":[{"id":"a"},{"id":"b"}]}]"#),
        (
            r#"<contained><Observation><valueQuantity><value value="1.50"/></valueQuantity></Observation></contained><contained><Basic/></contained>"#,
            r#""contained":[{"resourceType":"Observation","valueQuantity":{"value":1.50}},{"resourceType":"Basic"}]"#,
        ),
        (
            r#"<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"> <p class='x'>a &amp; b<br/></p>
 </div></text>"#,
            r#""text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"> <p class='x'>a &amp; b<br/></p>\n </div>"}"#,
        ),
        (
            r#"<name><text value="&lt;&#233;&quot;&#x1F600;&apos;&#10;&gt;&amp; &#9;"/></name>"#,
            r#""name":[{"text":"<é\"😀'\n>& \t"}]"#,
        ),
    ] {
        let comma = if json.is_empty() { "" } else { "," };
        let (xml, json) = (patient(xml), format!(r#"{{"resourceType":"Patient"{comma}{json}}}"#));
        assert_eq!(to_json(&xml), json);
        assert_eq!(compact(json.as_bytes()).unwrap(), json.as_bytes());
        assert_eq!(sorted(Node::of_text(&to_json(&to_xml(&json)))), sorted(Node::of_text(&json)));
    }
}

#[test]
fn what_xml_lays_out_otherwise_is_read_the_same() {
    let expected = r#"{"resourceType":"Patient","active":true,"name":[{"text":"a b c"}]}"#;
    for xml in [
        "\u{feff}<?xml version='1.0' encoding='utf-8' standalone='yes'?>\r\n<!-- c --><?p i?><Patient xmlns='http://hl7.org/fhir' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='http://hl7.org/fhir fhir-all.xsd'>\
         <!-- c --><active value = 'true' /><?p?>\t<name ><text value='a\r\nb\tc'/></name  ></Patient><!-- end -->\n<?p?>",
        r#"<f:Patient xmlns:f="http://hl7.org/fhir"><f:active value="true"/><f:name><f:text value="a b c"/></f:name></f:Patient>"#,
        r#"<Patient xmlns="http://hl7.org/fhir"><active xmlns="http://hl7.org/fhir" value="true"/><x:name xmlns:x="http://hl7.org/fhir"><x:text value="a b c"/></x:name></Patient>"#,
    ] {
        assert_eq!(to_json(xml), expected);
    }
    let prefixed = r#"<f:Basic xmlns:f="http://hl7.org/fhir" xmlns="http://www.w3.org/1999/xhtml"><f:text><div id="a">x</div></f:text></f:Basic>"#;
    assert_eq!(
        to_json(prefixed),
        r#"{"resourceType":"Basic","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" id=\"a\">x</div>"}}"#
    );
}

#[test]
fn elements_are_written_in_the_order_of_the_definitions() {
    let json = r#"{"name":[{"given":["A"],"family":"F"}],"resourceType":"Patient","_active":{"id":"x"},"id":"p","active":false}"#;
    assert_eq!(
        to_xml(json),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Patient xmlns=\"http://hl7.org/fhir\"><id value=\"p\"/>\
         <active value=\"false\" id=\"x\"/><name><family value=\"F\"/><given value=\"A\"/></name></Patient>"
    );
}

#[test]
fn a_document_for_people_says_the_same_line_by_line() {
    let json = r#"{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a\n b</div>"},"active":true,"name":[{"family":"F"},{}],"contained":[{"resourceType":"Basic"}]}"#;
    let pretty = String::from_utf8(write_pretty(Node::of_text(json), r4()).unwrap()).unwrap();
    let lines = [
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        r#"<Patient xmlns="http://hl7.org/fhir">"#,
        "  <text>",
        r#"    <div xmlns="http://www.w3.org/1999/xhtml">a"#,
        " b</div>",
        "  </text>",
        "  <contained>",
        "    <Basic/>",
        "  </contained>",
        r#"  <active value="true"/>"#,
        "  <name>",
        r#"    <family value="F"/>"#,
        "  </name>",
        "  <name/>",
        "</Patient>",
    ];
    assert_eq!(pretty.lines().collect::<Vec<_>>(), lines);
    assert_eq!(to_json(&pretty), to_json(&to_xml(json)));
}

#[test]
fn what_does_not_belong_is_refused_with_its_place() {
    let long = "x".repeat(70);
    for (xml, line, column, words) in [
        (String::new(), 1, 1, "there is nothing here"),
        ("  x".into(), 1, 1, "starts with a tag"),
        ("<Patient/>".into(), 1, 1, "the element 'Patient' is not in FHIR's namespace"),
        (r#"<Patient xmlns="urn:hl7-org:v3"/>"#.into(), 1, 1, "not in FHIR's namespace"),
        (r#"<Resource xmlns="http://hl7.org/fhir"/>"#.into(), 1, 1, "'Resource' is not a resource type"),
        (r#"<HumanName xmlns="http://hl7.org/fhir"/>"#.into(), 1, 1, "'HumanName' is not a resource type"),
        (patient("\n  <nam value='x'/>"), 2, 3, "'nam' is not an element of Patient in FHIR R4"),
        (patient("<resourceType value='x'/>"), 1, 38, "'resourceType' is not an element"),
        (
            patient(&format!("<{long}/>")),
            1,
            38,
            "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is not",
        ),
        (patient("<name><id value='x'/></name>"), 1, 44, "'id' is not an element of HumanName"),
        (patient("<active value='true' other='1'/>"), 1, 38, "the element 'active' has no attribute 'other'"),
        (patient("<name value='x'/>"), 1, 38, "no attribute 'value'"),
        (patient("<active xml:lang='en' value='true'/>"), 1, 38, "no attribute 'lang'"),
        (patient("<active value='true'/><active value='true'/>"), 1, 60, "the element 'active' may not repeat"),
        (patient("<name/><active value='true'/><name/>"), 1, 67, "the elements 'name' must stand together"),
        (patient("<active/>"), 1, 38, "neither a value nor an extension"),
        (patient("<active value='yes'/>"), 1, 38, "the value of 'active' is not true or false"),
        (patient("<multipleBirthInteger value='+1'/>"), 1, 38, "is not a number"),
        (patient("<multipleBirthInteger value=''/>"), 1, 38, "is not a number"),
        (patient("<multipleBirthInteger value='1 '/>"), 1, 38, "is not a number"),
        (patient("text"), 1, 38, "there is text in 'Patient'"),
        (patient("<![CDATA[text]]>"), 1, 38, "there is text in 'Patient'"),
        (patient("&amp;"), 1, 38, "there is text in 'Patient'"),
        (patient("<contained/>"), 1, 38, "one resource in 'contained'"),
        (patient("<contained><Basic/><Basic/></contained>"), 1, 38, "one resource in 'contained'"),
        (patient("<contained><name/></contained>"), 1, 49, "'name' is not a resource type"),
        (patient("<contained id='x'><Basic/></contained>"), 1, 38, "no attribute 'id'"),
        (patient("<x:active xmlns:x='urn:x' value='true'/>"), 1, 38, "not in FHIR's namespace"),
        (patient("<x:active value='true'/>"), 1, 38, "the prefix 'x' is not declared"),
        (patient("<text><div>x</div></text>"), 1, 44, "a narrative is XHTML"),
        (
            patient("<text><div xmlns='http://www.w3.org/1999/xhtml'>&nosuch;</div></text>"),
            1,
            86,
            "'&nosuch;' stands for nothing",
        ),
        (
            patient("<text><div xmlns='http://www.w3.org/1999/xhtml'><a href='&x'/></div></text>"),
            1,
            95,
            "stands for nothing",
        ),
        (patient("<text><h:div xmlns:h='http://www.w3.org/1999/xhtml'/></text>"), 1, 44, "without prefixes"),
        (patient("") + "<Patient/>", 1, 48, "after the end of the document"),
        (patient("") + "x", 1, 48, "after the end of the document"),
    ] {
        let error = read(xml.as_bytes(), r4()).unwrap_err();
        assert!(error.words.contains(words), "{xml}\n{error}");
        assert_eq!((error.line, error.column), (line, column), "{xml}\n{error}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for xml in [
        "<Patient xmlns='http://hl7.org/fhir'>",
        "<Patient xmlns='http://hl7.org/fhir'></Patientx>",
        "<Patient xmlns='http://hl7.org/fhir'",
        "<Patient xmlns='http://hl7.org/fhir/>",
        "<Patient xmlns=http://hl7.org/fhir/>",
        "</Patient>",
        "<",
        "<>",
        "< />",
        "<!-- -- --><Patient xmlns='http://hl7.org/fhir'/>",
        "<!-- <Patient xmlns='http://hl7.org/fhir'/>",
        "<?xml version='1.1'?><Patient xmlns='http://hl7.org/fhir'/>",
        "<?xml version='1.0' encoding='ISO-8859-1'?><Patient xmlns='http://hl7.org/fhir'/>",
        " <?xml version='1.0'?><Patient xmlns='http://hl7.org/fhir'/>",
        "<!--c--><?xml version='1.0'?><Patient xmlns='http://hl7.org/fhir'/>",
        "<?xml version='1.0'?><?xml version='1.0'?><Patient xmlns='http://hl7.org/fhir'/>",
        "<Patient xmlns='http://hl7.org/fhir'><?xml version='1.0'?></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='a' value='b'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='a<b'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='&#0;'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='&#xD800;'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='&#+65;'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='&#;'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='&nbsp;'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='&amp'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='\u{1}'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><id value='\u{ffff}'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'>]]></Patient>",
        "<a:b:c xmlns:a='http://hl7.org/fhir'/>",
        "<?xml encoding='utf-8'?><Patient xmlns='http://hl7.org/fhir'/>",
        "<??><Patient xmlns='http://hl7.org/fhir'/>",
        "<?XML v='1'?><Patient xmlns='http://hl7.org/fhir'/>",
        "<Patient xmlns='http://hl7.org/fhir'><id id='a'value='b'/></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><text><div xmlns='http://www.w3.org/1999/xhtml'><1/></div></text></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><text><div xmlns='http://www.w3.org/1999/xhtml' 1=''/></text></Patient>",
        "<Patient xmlns='http://hl7.org/fhir'><text><div xmlns='http://www.w3.org/1999/xhtml'>]]></div></text></Patient>",
        "<Patient:x xmlns='http://hl7.org/fhir'/>",
    ] {
        let error = read(xml.as_bytes(), r4());
        assert!(error.is_err(), "{xml}");
    }
    assert!(read(b"<Patient xmlns='http://hl7.org/fhir'><id value='\xff'/></Patient>", r4()).is_err());
    assert!(
        read(
            "\u{feff}<Patient xmlns='http://hl7.org/fhir'/>"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
                .as_slice(),
            r4()
        )
        .is_err()
    );
}

#[test]
fn no_document_type_and_no_entity_is_ever_accepted() {
    let laughs = r#"<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    for prolog in [
        laughs,
        r#"<!DOCTYPE Patient SYSTEM "file:///etc/passwd">"#,
        r#"<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>"#,
        "<!DOCTYPE html>",
        "<!doctype html>",
    ] {
        let error = read((prolog.to_owned() + &patient("<id value='&b;&x;'/>")).as_bytes(), r4()).unwrap_err();
        assert!(error.words.contains("document type") || error.words.contains("well-formed"), "{error}");
        assert_eq!(error.line, 1);
    }
    let late = patient("<!DOCTYPE x><id value='a'/>");
    assert!(read(late.as_bytes(), r4()).is_err());
}

#[test]
fn hostile_documents_end_fast() {
    let nested = |open: &str, close: &str, count: usize| open.repeat(count) + &close.repeat(count);
    let extensions = nested("<extension url='u'>", "</extension>", 10_000);
    let divs = nested("<div>", "</div>", 10_000);
    let narrative = format!("<text><div xmlns='http://www.w3.org/1999/xhtml'>{divs}</div></text>");
    let attributes: String = (0..200_000).map(|at| format!(" a{at}='x'")).collect();
    let prefixes: String = (0..60).map(|at| format!(" xmlns:a{at}='x'")).collect();
    for xml in [
        "<a>".repeat(10 << 20),
        "<".repeat(10 << 20),
        patient(&extensions),
        patient(&narrative),
        patient(&"<name>".repeat(1 << 20)),
        patient(&"<contained><Basic>".repeat(100_000)),
        patient(&format!("<id{attributes}/>")),
        patient(&format!("<text><div xmlns='http://www.w3.org/1999/xhtml'><p{attributes}/></div></text>")),
        patient(&format!("<name{prefixes}><period{prefixes}><start{prefixes} value='x'/></period></name>")),
        patient(&format!("<id value='{}", "&amp;".repeat(2 << 20))),
        patient(&format!("<id value='{}'/>", "&".repeat(10 << 20))),
        format!("<!--{}", "-".repeat(10 << 20)),
        format!("<!DOCTYPE {}", "[".repeat(10 << 20)),
    ] {
        assert!(read(xml.as_bytes(), r4()).is_err());
    }
    // What is large but harmless is read.
    let many = patient(&"<name><text value='&lt;&#10;'/></name>".repeat(100_000));
    assert!(read(many.as_bytes(), r4()).unwrap().len() > 1_000_000);
    let deepest = nested("<extension url='u'>", "</extension>", 31);
    let json = to_json(&patient(&deepest));
    assert_eq!(to_json(&to_xml(&json)), json);
    assert!(compact(json.as_bytes()).is_ok(), "what is read is never too deep for JSON");
}

#[test]
fn what_xml_cannot_spell_is_refused_with_its_path() {
    for (json, path, words) in [
        (r#"{}"#, "", "there is no resourceType"),
        (r#"{"resourceType":"Nobody"}"#, "", "'Nobody' is not a resource type"),
        (r#"{"resourceType":"Patient","shoe":1}"#, "Patient", "'shoe' is not an element of Patient"),
        (r#"{"resourceType":"Patient","name":[{},{"x":1}]}"#, "Patient.name[1]", "'x' is not an element of HumanName"),
        (r#"{"resourceType":"Patient","active":"true"}"#, "Patient.active", "neither true nor false"),
        (r#"{"resourceType":"Patient","id":1}"#, "Patient.id", "not a string"),
        (r#"{"resourceType":"Patient","multipleBirthInteger":"1"}"#, "Patient.multipleBirthInteger", "not a number"),
        (r#"{"resourceType":"Patient","active":[true,false]}"#, "Patient.active[1]", "may not repeat"),
        (r#"{"resourceType":"Patient","name":[[{}]]}"#, "Patient", "no lists of lists"),
        (r#"{"resourceType":"Patient","name":"x"}"#, "Patient.name", "has an object here"),
        (
            r#"{"resourceType":"Patient","_name":[{}]}"#,
            "Patient.name[0]",
            "'_name' is for elements with a single value",
        ),
        (
            r#"{"resourceType":"Patient","name":[{"given":["a",null]}]}"#,
            "Patient.name[0].given[1]",
            "nothing at this place",
        ),
        (r#"{"resourceType":"Patient","extension":[{"_url":{}}]}"#, "Patient.extension[0]", "'url' is not a string"),
        (r#"{"resourceType":"Patient","id":"\u0001"}"#, "Patient.id", "a character that XML does not allow"),
        (r#"{"resourceType":"Patient","text":{"div":"<p/>"}}"#, "Patient.text.div", "a narrative starts with <div>"),
        (r#"{"resourceType":"Patient","text":{"div":"<div><p></div>"}}"#, "Patient.text.div", "not well-formed"),
        (r#"{"resourceType":"Patient","text":{"div":"<div/><div/>"}}"#, "Patient.text.div", "with nothing after it"),
        (r#"{"resourceType":"Patient","text":{"div":"<!DOCTYPE a><div/>"}}"#, "Patient.text.div", "document type"),
        (r#"{"resourceType":"Patient","text":{"div":"plain"}}"#, "Patient.text.div", "a narrative starts with <div>"),
        (
            r#"{"resourceType":"Patient","contained":[{"resourceType":"Basic","x":1}]}"#,
            "Patient.contained[0]",
            "'x' is not",
        ),
    ] {
        let error = write(Node::of_text(json), r4()).unwrap_err();
        assert!(error.words.contains(words), "{json}\n{error}");
        assert_eq!(error.path, path, "{json}");
    }
}

#[test]
fn a_narrative_from_json_becomes_well_formed_xml() {
    let xhtml = r#"xmlns="http://www.w3.org/1999/xhtml""#;
    for (div, expected) in [
        (
            "<div>a&nbsp;&eacute;&lt;<a title='&copy;'/></div>",
            format!("<div {xhtml}>a&#160;&#233;&lt;<a title='&#169;'/></div>"),
        ),
        (&format!("<div {xhtml}>\r<br/></div> "), format!("<div {xhtml}>&#13;<br/></div>")),
        ("<div/>", format!("<div {xhtml}/>")),
        (
            "<div class='&hellip;'><![CDATA[x]]><!-- c --></div>",
            format!("<div {xhtml} class='&#8230;'><![CDATA[x]]><!-- c --></div>"),
        ),
    ] {
        let json = format!(r#"{{"resourceType":"Basic","text":{{"div":{}}}}}"#, keepwell_fhir::json::quoted(div));
        let xml = to_xml(&json);
        assert!(xml.contains(&format!("<text>{expected}</text>")), "{xml}");
        assert!(read(xml.as_bytes(), r4()).is_ok());
    }
}

/// The one example whose elements are not in the order that FHIR demands; they are written in that order.
const OUT_OF_ORDER: &str = "UKCore-Questionnaire-EOLPlan-Example.xml";

#[test]
fn the_examples_of_others_survive_there_and_back() {
    let mut count = 0;
    for folder in ["uk-core-examples", "fhir-test-cases/fhirpath"] {
        let Some(files) = shared::files(folder, "xml") else { return };
        for (name, bytes) in files.iter().filter(|(name, _)| !name.starts_with("tests-")) {
            let xml = std::str::from_utf8(bytes).unwrap();
            let json = read(bytes, r4()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(compact(&json).unwrap(), json, "{name}");
            let node = Node::new(&json).unwrap();
            let back = write(node, r4()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let back = std::str::from_utf8(&back).unwrap();
            if name == OUT_OF_ORDER {
                assert_eq!(sorted(Node::of_text(&to_json(back))), sorted(node), "{name}");
            } else {
                assert_eq!(canonical(back), canonical(xml), "{name}");
                assert_eq!(to_json(back).as_bytes(), json, "{name}");
            }
            count += 1;
        }
    }
    assert!(count > 110, "{count}");
}

#[test]
fn the_synthea_resources_survive_there_and_back() {
    let Some(files) = shared::files("synthea-r4", "json") else { return };
    for (name, bytes) in files.iter().step_by(5) {
        let json = compact(bytes).unwrap();
        let node = Node::new(&json).unwrap();
        let xml = write(node, r4()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let back = read(&xml, r4()).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Some of its narratives have no namespace, which XML adds.
        let plain = |json: &[u8]| {
            let text = std::str::from_utf8(json).unwrap().replace(r#" xmlns=\"http://www.w3.org/1999/xhtml\""#, "");
            sorted(Node::of_text(&text))
        };
        assert!(plain(&back) == plain(&json), "{name}");
    }
}

/// Text with what XML minds.
fn text() -> impl Strategy<Value = String> {
    "[a-z<>&\"'\\\\ \t\n\ré😀/\\]]{1,12}"
}

fn extension(depth: u32) -> BoxedStrategy<Value> {
    let value = prop_oneof![
        text().prop_map(|it| serde_json::json!({"url": it.clone(), "valueString": it})),
        any::<i32>().prop_map(|it| serde_json::json!({"url": "u", "valueInteger": it})),
        any::<bool>().prop_map(|it| serde_json::json!({"url": "u", "valueBoolean": it})),
    ];
    if depth == 0 {
        return value.boxed();
    }
    let nested = prop::collection::vec(extension(depth - 1), 1..3);
    prop_oneof![value, nested.prop_map(|it| serde_json::json!({"url": "n", "extension": it}))].boxed()
}

/// A list of primitives with companions here and there.
fn given() -> impl Strategy<Value = (Value, Value)> {
    let companion = prop_oneof![
        Just(None),
        text().prop_map(|it| Some(serde_json::json!({"id": it}))),
        extension(1).prop_map(|it| Some(serde_json::json!({"extension": [it]}))),
    ];
    prop::collection::vec((prop::option::of(text()), companion), 1..4).prop_map(|items| {
        let filled = items.into_iter().map(|(value, companion)| match (value, companion) {
            (None, None) => (Value::from("x"), Value::Null),
            (value, companion) => (value.map_or(Value::Null, Value::from), companion.unwrap_or_default()),
        });
        let (values, companions): (Vec<_>, Vec<_>) = filled.unzip();
        (Value::from(values), Value::from(companions))
    })
}

prop_compose! {
    fn document()(names in prop::collection::vec(given(), 0..3), active in prop::option::of(any::<bool>()),
                  weight in prop::option::of("-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,4})?"), extensions in prop::collection::vec(extension(3), 0..3)) -> String {
        let mut patient = serde_json::Map::new();
        patient.insert("resourceType".into(), "Patient".into());
        let all_null = |it: &Value| it.as_array().unwrap().iter().all(Value::is_null);
        let names: Vec<Value> = names.into_iter().map(|(values, companions)| {
            let mut name = serde_json::Map::new();
            if !all_null(&values) { name.insert("given".into(), values); }
            if !all_null(&companions) { name.insert("_given".into(), companions); }
            Value::from(name)
        }).collect();
        if !names.is_empty() { patient.insert("name".into(), names.into()); }
        if let Some(active) = active { patient.insert("active".into(), active.into()); }
        if !extensions.is_empty() { patient.insert("extension".into(), extensions.into()); }
        let contained = weight.map(|it| format!(r#","contained":[{{"resourceType":"Observation","valueQuantity":{{"value":{it}}}}}]}}"#));
        let text = Value::from(patient).to_string();
        contained.map_or_else(|| text.clone(), |it| text.strip_suffix('}').unwrap().to_owned() + &it)
    }
}

proptest! {
    #[test]
    fn made_up_documents_survive_there_and_back(json in document()) {
        let xml = to_xml(&json);
        let back = to_json(&xml);
        prop_assert_eq!(sorted(Node::of_text(&back)), sorted(Node::of_text(&json)));
        prop_assert_eq!(canonical(&to_xml(&back)), canonical(&xml));
    }

    #[test]
    fn damaged_documents_never_panic(json in document(), at in any::<prop::sample::Index>(), with in "[<>/&;\"'= !\\[\\]a-]{0,3}", cut in 0usize..4) {
        let mut xml = to_xml(&json);
        let start = at.index(xml.len());
        if xml.is_char_boundary(start) {
            let end = (start + cut..=xml.len()).find(|it| xml.is_char_boundary(*it)).unwrap_or(start);
            xml.replace_range(start..end, &with);
        }
        if let Ok(json) = read(xml.as_bytes(), r4()) {
            prop_assert_eq!(compact(&json).unwrap(), json.clone());
            let _ = write(Node::new(&json).unwrap(), r4());
        }
    }

    #[test]
    fn any_text_at_all_never_panics(text in "\\PC{0,60}", json in "\\PC{0,40}") {
        let _ = read(text.as_bytes(), r4());
        let _ = read(patient(&text).as_bytes(), r4());
        let _ = write(Node::of_text(&json), r4());
        let document = format!(r#"{{"resourceType":"Basic","text":{{"div":{}}}}}"#, keepwell_fhir::json::quoted(&text));
        if let Ok(xml) = write(Node::of_text(&document), r4()) {
            prop_assert!(read(&xml, r4()).is_ok());
        }
    }
}

#[test]
fn an_issue_of_a_document_in_xml_is_told_at_its_tag() {
    let xml = "\u{feff}<?xml version=\"1.0\"?>\n<!-- naïve --><Patient xmlns=\"http://hl7.org/fhir\">
  <name>
    <use value=\"nick\"/>
    <given id=\"g\"><extension url=\"x\"><valueString value=\"a\"/></extension></given>
  </name>
  <name><family value=\"K\"/><given value=\"Ann\"/>
    <period><start value=\"yesterday\"/></period></name>
  <gender value=\"girl\"/>
  <birthDate value=\"1958-02-30\"/>
</Patient>";
    let (json, places) = read_placed(xml.as_bytes(), r4()).unwrap();
    assert_eq!(json, read(xml.as_bytes(), r4()).unwrap());
    assert_eq!(json, compact(&json).unwrap());
    let report = Validator::new(r4()).validate(&json, &Options::default());
    let lines = places.lines_and_columns(xml.as_bytes(), &report.places());
    let told: Vec<(&str, usize, usize)> =
        report.issues.iter().zip(lines).map(|(issue, at)| (issue.expression.as_str(), at.line, at.column)).collect();
    let expected = [
        ("Patient.name[0].use", 4, 5),
        ("Patient.name[1].period.start", 8, 13),
        ("Patient.gender", 9, 3),
        ("Patient.birthDate", 10, 3),
    ];
    for place in expected {
        assert!(told.contains(&place), "{place:?} {told:?}");
    }
}

proptest! {
    #[test]
    fn a_place_of_any_document_leads_into_it(places in proptest::collection::vec(0usize..400, 0..8)) {
        let xml = "<Patient xmlns=\"http://hl7.org/fhir\"><name><given id=\"g\"/><given value=\"A\"/></name>\n<active value=\"true\"/></Patient>";
        let (_, found) = read_placed(xml.as_bytes(), r4()).unwrap();
        for at in found.lines_and_columns(xml.as_bytes(), &places) {
            let line = xml.lines().nth(at.line - 1).unwrap();
            prop_assert!(line[at.column - 1..].starts_with('<'));
        }
    }
}
