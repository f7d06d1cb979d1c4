//! What `keepwell licences` prints: every crate and npm package in this binary, its licence and its notice. The build
//! script gathers it from the sources that the build uses.

/// The whole text.
pub(crate) fn notices() -> &'static str {
    include_str!(concat!(env!("OUT_DIR"), "/notices.txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_part_is_acknowledged() {
        for name in ["tokio ", "axum ", "rusqlite ", "aws-lc-sys ", "zstd-sys ", "libsqlite3-sys ", "nhsuk-frontend "] {
            assert!(notices().lines().any(|line| line.starts_with(name)), "{name}is not acknowledged");
        }
        for text in ["Copyright (c) NHS England", "public domain", "Apache License", "Permission is hereby granted"] {
            assert!(notices().contains(text), "{text}");
        }
    }

    #[test]
    fn every_number_has_its_notice() {
        let packages = notices().lines().skip_while(|line| !line.contains(" (")).take_while(|line| !line.is_empty());
        for line in packages {
            let (_, numbers) = line.rsplit_once("): ").unwrap();
            for number in numbers.split(", ") {
                assert!(notices().contains(&format!("\nNotice {number}\n")), "{line}");
            }
        }
    }
}
