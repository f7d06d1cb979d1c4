//! The tree against RFC 6962's own vectors, a naive reading of its definitions, and the independent crate ct-merkle.

use std::collections::BTreeMap;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use keepwell_model::SeededRandom;
use proptest::prelude::*;
use sha2::Sha256;

use super::*;

type Tiles = BTreeMap<TileKey, Vec<u8>>;

fn entry(i: u64) -> Hash {
    leaf_hash(&i.to_be_bytes())
}

fn entries(range: std::ops::Range<u64>) -> Vec<Hash> {
    range.map(entry).collect()
}

fn store(tiles: &mut Tiles, appended: &Appended) {
    for tile in &appended.tiles {
        let before = tiles.insert(tile.key, tile.bytes.clone()).unwrap_or_default();
        assert!(tile.bytes.starts_with(&before) && tile.bytes.len() > before.len(), "a tile only ever grows");
        assert_eq!(tile.bytes.len(), usize::from(tile.width()) * 32);
    }
}

/// A log of `size` entries, appended at once.
fn log_of(size: u64) -> (TreeState, Tiles) {
    let appended = TreeState::new().append(&entries(0..size)).unwrap();
    let mut tiles = Tiles::new();
    store(&mut tiles, &appended);
    (appended.state, tiles)
}

/// MTH(D), word for word from RFC 6962 §2.1.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

fn digests(bytes: &[u8]) -> Vec<Hash> {
    bytes.as_chunks::<32>().0.to_vec()
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|b| format!("{b:02x}")).collect()
}

/// The leaves and roots that the implementations of RFC 6962 publish as their reference.
#[test]
fn the_reference_vectors_of_certificate_transparency_hold() {
    let inputs: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    assert_eq!(hex(&empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let leaves: Vec<Hash> = inputs.iter().map(|input| leaf_hash(input)).collect();
    for (n, root) in roots.iter().enumerate() {
        assert_eq!(hex(&root_of_leaves(&leaves[..=n])), *root);
    }
}

/// Places to try in a tree of this size: all of them while it is small, then both edges and a spread between.
fn places(size: u64) -> impl Iterator<Item = u64> {
    (0..size)
        .filter(move |at| size <= 260 || at % 7 == size % 7 || *at < 2 || at + 2 >= size || (254..258).contains(at))
}

#[test]
fn roots_and_inclusion_proofs_of_every_size_up_to_600_are_those_of_ct_merkle() {
    let (_, tiles) = log_of(600);
    let mut oracle = MemoryBackedTree::<Sha256, Hash>::new();
    assert_eq!(root_at(0, &tiles), Ok(empty_root()));
    for size in 1..=600 {
        oracle.push(entry(size - 1));
        let root: Hash = oracle.root().as_bytes().as_slice().try_into().unwrap();
        assert_eq!(root_at(size, &tiles), Ok(root), "size {size}");
        for index in places(size) {
            let proof = prove_inclusion(index, size, &tiles).unwrap();
            let theirs = oracle.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(proof, digests(theirs.as_bytes()), "{index} of {size}");
            assert_eq!(verify_inclusion(&leaf_hash(&entry(index)), index, size, &proof, &root), Ok(()));
        }
    }
}

#[test]
fn consistency_proofs_to_every_size_up_to_600_are_those_of_ct_merkle() {
    let (_, tiles) = log_of(600);
    let mut oracle = MemoryBackedTree::<Sha256, Hash>::new();
    let mut roots = vec![empty_root()];
    for new in 1..=600 {
        oracle.push(entry(new - 1));
        roots.push(root_at(new, &tiles).unwrap());
        let new_root = &roots[usize::try_from(new).unwrap()];
        for old in places(new + 1) {
            let proof = prove_consistency(old, new, &tiles).unwrap();
            if old != 0 && old != new {
                let theirs = oracle.prove_consistency(usize::try_from(new - old).unwrap());
                assert_eq!(proof, digests(theirs.as_bytes()), "{old} to {new}");
            } else {
                assert_eq!(proof, Vec::<Hash>::new());
            }
            let old_root = &roots[usize::try_from(old).unwrap()];
            assert_eq!(verify_consistency(old, old_root, new, new_root, &proof), Ok(()), "{old} to {new}");
        }
    }
}

#[test]
fn appending_one_by_one_gives_the_same_tiles_and_state_as_at_once() {
    let (mut state, mut tiles) = (TreeState::new(), Tiles::new());
    for size in 1..=66_000 {
        let appended = state.append(&[entry(size - 1)]).unwrap();
        assert_eq!(appended.first, size - 1);
        for tile in &appended.tiles {
            tiles.insert(tile.key, tile.bytes.clone());
        }
        state = appended.state;
    }
    let (at_once, tiles_at_once) = log_of(66_000);
    assert_eq!((&state, &tiles), (&at_once, &tiles_at_once));
    let widths: Vec<_> = tiles.iter().map(|(key, bytes)| (*key, key.width(66_000), bytes.len() / 32)).collect();
    assert!(widths.iter().all(|(_, expected, found)| usize::from(*expected) == *found));
    assert_eq!(widths.len(), 258 + 2 + 1);
}

#[test]
fn the_right_edge_loads_back_from_the_tiles_it_names() {
    for size in (0..600).chain([65_535, 65_536, 65_537, 70_000]) {
        let (state, tiles) = log_of(size);
        let named: Tiles = TreeState::tiles(size).into_iter().map(|key| (key, tiles[&key].clone())).collect();
        assert_eq!(TreeState::load(size, &named).unwrap(), state, "size {size}");
    }
}

#[test]
fn an_earlier_edge_loads_from_tiles_that_have_grown_since() {
    let (_, tiles) = log_of(1000);
    for size in 0..1000 {
        let state = TreeState::load(size, &tiles).unwrap();
        assert_eq!(state.root(), root_at(size, &tiles).unwrap());
        let appended = state.append(&entries(size..1000)).unwrap();
        assert_eq!(appended.state, TreeState::load(1000, &tiles).unwrap());
    }
}

#[test]
fn served_tiles_are_what_the_specification_defines() {
    let size = 70_000;
    let (_, tiles) = log_of(size);
    let leaves: Vec<Hash> = (0..size).map(|i| leaf_hash(&entry(i))).collect();
    let served = |text: &str| serve_tile(text.parse().unwrap(), size, &tiles).unwrap();
    for (path, level, index, width) in [
        ("tile/0/000", 0, 0, 256),
        ("tile/0/273.p/112", 0, 273, 112),
        ("tile/0/272.p/7", 0, 272, 7),
        ("tile/1/000", 1, 0, 256),
        ("tile/1/001.p/17", 1, 1, 17),
        ("tile/2/000.p/1", 2, 0, 1),
    ] {
        let span = 256usize.pow(level);
        let expected: Vec<Hash> =
            (0..width).map(|i| (index * 256 + i) * span).map(|at| mth(&leaves[at..at + span])).collect();
        assert_eq!(digests(&served(path).unwrap()), expected, "{path}");
    }
    let bundle = served("tile/entries/273.p/112").unwrap();
    assert_eq!(bundle.len(), 112 * 34);
    for (i, chunk) in bundle.chunks(34).enumerate() {
        assert_eq!((&chunk[..2], &chunk[2..]), (&[0u8, 32][..], &entry(273 * 256 + i as u64)[..]));
    }
    for path in [
        "tile/0/273",
        "tile/0/273.p/113",
        "tile/0/274.p/1",
        "tile/1/001",
        "tile/2/000",
        "tile/3/000.p/1",
        "tile/63/000",
        "tile/entries/273.p/113",
        "tile/entries/x999/999",
    ] {
        assert_eq!(served(path), None, "{path}");
    }
}

#[test]
fn a_question_reads_no_tile_but_those_it_names() {
    let random = SeededRandom::new(7);
    let (_, tiles) = log_of(70_000);
    let named = |keys: Vec<TileKey>| -> Tiles { keys.into_iter().map(|key| (key, tiles[&key].clone())).collect() };
    for _ in 0..200 {
        let size = 1 + random.below(70_000);
        let (index, old) = (random.below(size), random.below(size + 1));
        let root = root_at(size, &named(tiles_for_root(size))).unwrap();
        let proof = prove_inclusion(index, size, &named(tiles_for_inclusion(index, size).unwrap())).unwrap();
        assert_eq!(verify_inclusion(&leaf_hash(&entry(index)), index, size, &proof, &root), Ok(()));
        let old_root = root_at(old, &tiles).unwrap();
        let proof = prove_consistency(old, size, &named(tiles_for_consistency(old, size).unwrap())).unwrap();
        assert_eq!(verify_consistency(old, &old_root, size, &root, &proof), Ok(()));
        assert!(tiles_for_inclusion(index, size).unwrap().len() <= 8, "a proof costs a handful of tiles");
    }
}

#[test]
fn missing_and_short_tiles_are_named() {
    let (_, mut tiles) = log_of(600);
    let key = TileKey { level: 0, index: 1 };
    let full = tiles.remove(&key).unwrap();
    assert_eq!(prove_inclusion(300, 600, &tiles), Err(TreeError::Missing { key }));
    tiles.insert(key, full[..full.len() - 1].to_vec());
    let short = TreeError::TooShort { key, needed: 8192, found: 8191 };
    assert_eq!(serve_tile("tile/0/001".parse().unwrap(), 600, &tiles), Err(short));
    let edge = TileKey { level: 1, index: 0 };
    tiles.insert(edge, vec![]);
    assert!(matches!(TreeState::load(600, &tiles), Err(TreeError::TooShort { key, .. }) if key == edge));
}

#[test]
fn questions_beyond_the_log_are_refused() {
    let (_, tiles) = log_of(5);
    for (index, size) in [(0, 0), (5, 5), (6, 5), (u64::MAX, 5), (0, u64::MAX), (1 << 62, 1 << 63)] {
        assert!(matches!(prove_inclusion(index, size, &tiles), Err(TreeError::Beyond { .. })), "{index} of {size}");
        assert!(tiles_for_inclusion(index, size).is_err());
    }
    for (old, new) in [(1, 0), (6, 5), (u64::MAX, 5), (0, u64::MAX), (1, 1 << 63)] {
        assert!(matches!(prove_consistency(old, new, &tiles), Err(TreeError::Beyond { .. })), "{old} to {new}");
    }
    assert_eq!(root_at(u64::MAX, &tiles), Err(TreeError::Full));
    assert_eq!(TreeState::load(u64::MAX, &tiles), Err(TreeError::Full));
    assert!(tiles_for_inclusion(0, i64::MAX as u64).unwrap().len() <= 62);
    assert!(!tiles_for_root(u64::MAX).is_empty());
}

/// Every way to spoil one true inclusion proof.
fn spoil_inclusion(index: u64, size: u64, tiles: &Tiles) {
    let leaf = leaf_hash(&entry(index));
    let root = root_at(size, tiles).unwrap();
    let proof = prove_inclusion(index, size, tiles).unwrap();
    let holds = |leaf: &Hash, index, size, proof: &[Hash], root: &Hash| {
        verify_inclusion(leaf, index, size, proof, root).is_ok()
    };
    assert!(holds(&leaf, index, size, &proof, &root));
    for bit in 0..proof.len() * 256 {
        let mut changed = proof.clone();
        changed[bit / 256][bit / 8 % 32] ^= 1 << (bit % 8);
        assert!(!holds(&leaf, index, size, &changed, &root), "bit {bit} of {index} of {size}");
    }
    for length in 0..proof.len() {
        assert!(!holds(&leaf, index, size, &proof[..length], &root), "the first {length}");
        assert!(!holds(&leaf, index, size, &proof[proof.len() - length..], &root), "the last {length}");
    }
    for extra in [[0; 32], leaf, root] {
        assert!(!holds(&leaf, index, size, &[proof.clone(), vec![extra]].concat(), &root));
        assert!(!holds(&leaf, index, size, &[vec![extra], proof.clone()].concat(), &root));
    }
    for other in (0..size + 3).filter(|other| *other != index) {
        assert!(!holds(&leaf, other, size, &proof, &root), "{other} instead of {index} of {size}");
    }
    for bit in 0..256 {
        let (mut other_leaf, mut other_root) = (leaf, root);
        other_leaf[bit / 8] ^= 1 << (bit % 8);
        other_root[bit / 8] ^= 1 << (bit % 8);
        assert!(!holds(&other_leaf, index, size, &proof, &root) && !holds(&leaf, index, size, &proof, &other_root));
    }
    for index in [size, size + 1, u64::MAX] {
        assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Err(VerifyError::OutsideTree { index, size }));
    }
    let nothing = VerifyError::OutsideTree { index: 0, size: 0 };
    assert_eq!(verify_inclusion(&leaf, 0, 0, &[], &leaf), Err(nothing));
}

#[test]
fn a_spoilt_inclusion_proof_never_holds() {
    let (_, tiles) = log_of(300);
    for size in 1..=20 {
        (0..size).for_each(|index| spoil_inclusion(index, size, &tiles));
    }
    for (index, size) in [(0, 256), (255, 256), (0, 257), (256, 257), (127, 300), (299, 300)] {
        spoil_inclusion(index, size, &tiles);
    }
}

/// Every way to spoil one true consistency proof.
fn spoil_consistency(old: u64, new: u64, tiles: &Tiles) {
    let (old_root, new_root) = (root_at(old, tiles).unwrap(), root_at(new, tiles).unwrap());
    let proof = prove_consistency(old, new, tiles).unwrap();
    let holds = |old, old_root: &Hash, new, new_root: &Hash, proof: &[Hash]| {
        verify_consistency(old, old_root, new, new_root, proof).is_ok()
    };
    assert!(holds(old, &old_root, new, &new_root, &proof));
    for bit in 0..proof.len() * 256 {
        let mut changed = proof.clone();
        changed[bit / 256][bit / 8 % 32] ^= 1 << (bit % 8);
        assert!(!holds(old, &old_root, new, &new_root, &changed), "bit {bit} of {old} to {new}");
    }
    for length in 0..proof.len() {
        assert!(!holds(old, &old_root, new, &new_root, &proof[..length]));
        assert!(!holds(old, &old_root, new, &new_root, &proof[proof.len() - length..]));
    }
    for extra in [[0; 32], old_root, new_root] {
        assert!(!holds(old, &old_root, new, &new_root, &[proof.clone(), vec![extra]].concat()));
        assert!(!holds(old, &old_root, new, &new_root, &[vec![extra], proof.clone()].concat()));
    }
    for bit in 0..256 {
        let (mut other_old, mut other_new) = (old_root, new_root);
        other_old[bit / 8] ^= 1 << (bit % 8);
        other_new[bit / 8] ^= 1 << (bit % 8);
        assert!(!holds(old, &other_old, new, &new_root, &proof));
        // The empty tree is consistent with everything, so there only the old root can be wrong.
        assert!(old == 0 || !holds(old, &old_root, new, &other_new, &proof));
    }
    if old != new {
        let shrunk = VerifyError::Shrunk { old: new, new: old };
        assert_eq!(verify_consistency(new, &new_root, old, &old_root, &proof), Err(shrunk));
    }
}

#[test]
fn a_spoilt_consistency_proof_never_holds() {
    let (_, tiles) = log_of(300);
    for new in 0..=18 {
        (0..=new).for_each(|old| spoil_consistency(old, new, &tiles));
    }
    for (old, new) in [(255, 256), (256, 257), (128, 300), (257, 300), (299, 300), (300, 300)] {
        spoil_consistency(old, new, &tiles);
    }
}

#[test]
fn a_consistency_proof_holds_for_no_other_pair_of_sizes_than_its_own() {
    let (_, tiles) = log_of(40);
    let roots: Vec<Hash> = (0..=40).map(|size| root_at(size, &tiles).unwrap()).collect();
    for new in 2..=40u64 {
        for old in 1..new {
            let proof = prove_consistency(old, new, &tiles).unwrap();
            for other in (1..=40).filter(|other| *other != old) {
                let other_root = &roots[usize::try_from(other).unwrap()];
                let outcome = verify_consistency(other, other_root, new, &roots[usize::try_from(new).unwrap()], &proof);
                assert!(outcome.is_err(), "{old} to {new} as {other} to {new}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn larger_trees_agree_with_ct_merkle(size in 600u64..20_000, cuts in prop::collection::vec(0u64..20_000, 0..5)) {
        let mut cuts: Vec<u64> = cuts.into_iter().map(|cut| cut % size).chain([0, size]).collect();
        cuts.sort_unstable();
        let (mut state, mut tiles) = (TreeState::new(), Tiles::new());
        for pair in cuts.windows(2) {
            let appended = state.append(&entries(pair[0]..pair[1])).unwrap();
            store(&mut tiles, &appended);
            state = appended.state;
        }
        let mut oracle = MemoryBackedTree::<Sha256, Hash>::new();
        (0..size).for_each(|i| oracle.push(entry(i)));
        let root: Hash = oracle.root().as_bytes().as_slice().try_into().unwrap();
        prop_assert_eq!(state.root(), root);
        prop_assert_eq!(root_at(size, &tiles), Ok(root));
        for cut in cuts {
            if cut < size {
                let theirs = oracle.prove_inclusion(usize::try_from(cut).unwrap());
                prop_assert_eq!(prove_inclusion(cut, size, &tiles).unwrap(), digests(theirs.as_bytes()));
            }
            if cut != 0 && cut < size {
                let theirs = oracle.prove_consistency(usize::try_from(size - cut).unwrap());
                prop_assert_eq!(prove_consistency(cut, size, &tiles).unwrap(), digests(theirs.as_bytes()));
            }
        }
    }

    #[test]
    fn no_proof_makes_a_verifier_panic(
        a: u64, b: u64, c in 0u64..70, d in 0u64..70,
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        leaf: [u8; 32], root: [u8; 32],
    ) {
        for (m, n) in [(a, b), (c, d), (c, b), (b, a)] {
            prop_assert!(verify_inclusion(&leaf, m, n, &proof, &root).is_err());
            prop_assert!(verify_consistency(m, &leaf, n, &root, &proof).is_err());
        }
    }
}
