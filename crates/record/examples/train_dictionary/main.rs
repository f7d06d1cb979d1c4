//! Trains the dictionary for small frames, or measures the one in use.
//!
//!     cargo run --release -p keepwell-record --example train_dictionary             writes dictionary/<NUMBER>.zdict
//!     cargo run --release -p keepwell-record --example train_dictionary -- measure  what it saves, on other people
//!
//! The same seed, the same synthetic people and the same zstd give the same bytes. A dictionary that is there is never
//! written over: docs/storage-format.md, "Dictionaries", says how another one is added.

#![expect(clippy::print_stdout, reason = "a command that reports to whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "a command line, and times measured for whoever reads them")]

mod samples;

use std::path::Path;
use std::time::Instant;

use samples::{Class, of_city};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

/// The dictionary to train or measure.
const NUMBER: u16 = 1;
const TRAINED_ON: u64 = 1;
const MEASURED_ON: u64 = 2;
const PEOPLE: u32 = 1_500;
/// One of 64 KiB leaves blocks some 4 % larger.
const SIZE: usize = 110 << 10;
/// Header, the two lengths of a frame, and the seal's tag: what a block of one frame has besides.
const AROUND: usize = 92 + 8 + 16;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("dictionary/{NUMBER}.zdict"));
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] if path.exists() => println!("{} is there already; blocks may depend on it", path.display()),
        [] => train(&path),
        ["measure"] => measure(&std::fs::read(path).expect("the dictionary is committed")),
        _ => println!("usage: train_dictionary [measure]"),
    }
}

fn train(path: &Path) {
    let samples = of_city(TRAINED_ON, PEOPLE);
    let frames: Vec<&[u8]> = samples.iter().map(|sample| &sample.frame[..]).collect();
    let bytes: usize = frames.iter().map(|frame| frame.len()).sum();
    println!("{} samples, {bytes} bytes, zstd {}", frames.len(), zstd::zstd_safe::version_string());
    for class in Class::ALL {
        let of: Vec<usize> = samples.iter().filter(|s| s.class == class).map(|s| s.frame.len()).collect();
        println!("  {class:?}: {} of {} bytes on average", of.len(), of.iter().sum::<usize>() / of.len().max(1));
    }
    let started = Instant::now();
    let dictionary = zstd::dict::from_samples(&frames, SIZE).expect("there are enough samples");
    println!("{} bytes of dictionary in {:.1} s", dictionary.len(), started.elapsed().as_secs_f64());
    std::fs::write(path, dictionary).expect("the dictionary can be written");
}

/// Ways to compress: the level, and whether with the dictionary.
const WAYS: [(i32, bool); 9] =
    [(1, false), (3, false), (6, false), (1, true), (3, true), (6, true), (9, true), (12, true), (19, true)];

fn measure(dictionary: &[u8]) {
    let samples = of_city(MEASURED_ON, 300);
    println!("zstd {}, dictionary of {} bytes", zstd::zstd_safe::version_string(), dictionary.len());
    println!("bytes of the block / microseconds to compress / to decompress");
    print!("{:>22}", "");
    for (level, with) in WAYS {
        print!(" {:>20}", format!("{} {level}", if with { "dictionary," } else { "none," }));
    }
    println!();
    let decoder = DecoderDictionary::copy(dictionary);
    for class in Class::ALL {
        let of = samples.iter().filter(|sample| sample.class == class).take(1_000);
        line(&format!("{class:?}"), &of.map(|s| &s.frame[..]).collect::<Vec<_>>(), dictionary, &decoder);
    }
    let feeds = samples::whole_feeds(MEASURED_ON, 60);
    for kib in [8, 16, 32, 64, 128, 256, 512] {
        let of: Vec<&[u8]> = feeds.iter().filter_map(|frame| frame.get(..kib << 10)).take(60).collect();
        line(&format!("feed of {kib} KiB"), &of, dictionary, &decoder);
    }
}

fn line(name: &str, frames: &[&[u8]], dictionary: &[u8], decoder: &DecoderDictionary<'_>) {
    let plain = frames.iter().map(|frame| frame.len()).sum::<usize>() / frames.len().max(1);
    print!("{:>22}", format!("{name} ({plain})"));
    for (level, with) in WAYS {
        let encoder = EncoderDictionary::copy(dictionary, level);
        let (mut compressor, mut decompressor) = if with {
            let compressor = Compressor::with_prepared_dictionary(&encoder).expect("a dictionary");
            (compressor, Decompressor::with_prepared_dictionary(decoder).expect("a dictionary"))
        } else {
            (Compressor::new(level).expect("a level"), Decompressor::new().expect("no dictionary"))
        };
        for parameter in
            [CParameter::ChecksumFlag(false), CParameter::ContentSizeFlag(false), CParameter::DictIdFlag(false)]
        {
            compressor.set_parameter(parameter).expect("the parameter exists");
        }
        let mut compressed: Vec<Vec<u8>> = Vec::new();
        let compressing = best_of(|| {
            let compress = |frame: &&[u8]| compressor.compress(frame).expect("it fits its bound");
            compressed = frames.iter().map(compress).collect();
        });
        let opening = best_of(|| {
            for (frame, compressed) in frames.iter().zip(&compressed) {
                let plain = decompressor.decompress(compressed, frame.len()).expect("it was just compressed");
                assert!(plain == *frame);
            }
        });
        let count = frames.len().max(1);
        let size = compressed.iter().map(|bytes| bytes.len() + AROUND).sum::<usize>() / count;
        let each = |seconds: f64| seconds * 1e6 / count as f64;
        print!(" {:>20}", format!("{size} / {:.1} / {:.1}", each(compressing), each(opening)));
    }
    println!();
}

/// The quickest of several runs, which is the one that others disturbed least.
fn best_of(mut run: impl FnMut()) -> f64 {
    let time = |_| {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    };
    (0..5).map(time).fold(f64::INFINITY, f64::min)
}
