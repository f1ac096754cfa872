//! Any text as a path: no panic, and what must not matter in a path does not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shardkeep_core::rest::route::{Method, PATH_MAX, Route, Template, normalised};

fuzz_target!(|input: (u8, &str)| {
    let (number, path) = input;
    let method = Method::ALL[usize::from(number) % Method::ALL.len()];
    let parsed = Route::parse(method, path);
    assert_eq!(normalised(path).is_ok(), parsed.is_ok());
    let Ok(route) = parsed else {
        return;
    };
    assert_eq!(Route::parse(method, &format!("{path}?a=/b#c")), Ok(route));
    let template = route.template();
    assert_eq!(Template::from_hash(template.hash()), template);
    assert_eq!(route.key().major, route.major());
    assert!(!route.is_callback() || route.is_global_exempt());
    assert!(!route.is_interaction() || route.authenticates_by_path());
    let text = normalised(path).expect("it was read");
    assert!(
        template.text().is_none_or(|listed| listed == text),
        "{text}"
    );
    assert!(text.is_ascii(), "{text}");
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let encoded: String = path[..end]
        .bytes()
        .map(|byte| match byte {
            b'/' | b'%' => char::from(byte).to_string(),
            _ => format!("%{byte:02x}"),
        })
        .collect();
    // What stands behind a percent sign would change its meaning, and encoding makes a path longer.
    if !path[..end].contains('%') && encoded.len() <= PATH_MAX {
        assert_eq!(Route::parse(method, &encoded), Ok(route), "{path}");
    }
});
