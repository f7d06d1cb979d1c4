//! The units of UCUM, each by its definition in terms of others.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::factor::Factor;
use super::{BASES, Dimensions, Unit, parse};
use crate::decimal::Decimal;

/// A unit: its code, whether it may have a prefix, and how many of which other units it is.
type Row = (&'static str, bool, &'static str, &'static str);

/// The base units (UCUM §28), in the order of the exponents.
const BASE: [&str; BASES] = ["m", "s", "g", "rad", "K", "C", "cd"];

/// Units whose nought lies elsewhere: how many kelvins one is, and where nought kelvin lies on it.
const SHIFTED: [Row; 3] =
    [("Cel", true, "1", "273.15"), ("[degF]", false, "5/9", "459.67"), ("[degRe]", false, "1.25", "218.52")];

/// Units that no other can be converted to (UCUM §24).
const ARBITRARY: [(&str, bool); 53] = [
    ("[iU]", true),
    ("[IU]", true),
    ("[arb'U]", false),
    ("[USP'U]", false),
    ("[GPL'U]", false),
    ("[MPL'U]", false),
    ("[APL'U]", false),
    ("[beth'U]", false),
    ("[anti'Xa'U]", false),
    ("[todd'U]", false),
    ("[dye'U]", false),
    ("[smgy'U]", false),
    ("[bdsk'U]", false),
    ("[ka'U]", false),
    ("[knk'U]", false),
    ("[mclg'U]", false),
    ("[tb'U]", false),
    ("[CCID_50]", false),
    ("[TCID_50]", false),
    ("[EID_50]", false),
    ("[PFU]", false),
    ("[FFU]", false),
    ("[CFU]", false),
    ("[IR]", false),
    ("[BAU]", false),
    ("[AU]", false),
    ("[Amb'a'1'U]", false),
    ("[PNU]", false),
    ("[Lf]", false),
    ("[D'ag'U]", false),
    ("[FEU]", false),
    ("[ELU]", false),
    ("[EU]", false),
    ("[hnsf'U]", false),
    ("[hp_X]", false),
    ("[hp_C]", false),
    ("[hp_M]", false),
    ("[hp_Q]", false),
    ("[kp_X]", false),
    ("[kp_C]", false),
    ("[kp_M]", false),
    ("[kp_Q]", false),
    ("[APTT'U]", false),
    ("[dEq]", false),
    ("[CELO]", false),
    ("[CPFU]", false),
    ("[SPM'U]", false),
    ("[MU]", false),
    ("[TU]", false),
    ("[LU]", false),
    ("[VU]", false),
    ("[HAU]", false),
    ("[AHG'U]", false),
];

/// Everything else (UCUM §§29 to 47).
#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Numbers.
    ("10*", false, "10", "1"), ("10^", false, "10", "1"), ("[pi]", false, "3.14159265358979323846", "1"),
    ("%", false, "1", "10*-2"), ("[ppth]", false, "1", "10*-3"), ("[ppm]", false, "1", "10*-6"),
    ("[ppb]", false, "1", "10*-9"), ("[pptr]", false, "1", "10*-12"),
    // SI.
    ("mol", true, "6.0221367", "10*23"), ("sr", true, "1", "rad2"), ("Hz", true, "1", "s-1"), ("N", true, "1", "kg.m/s2"),
    ("Pa", true, "1", "N/m2"), ("J", true, "1", "N.m"), ("W", true, "1", "J/s"), ("A", true, "1", "C/s"),
    ("V", true, "1", "J/C"), ("F", true, "1", "C/V"), ("Ohm", true, "1", "V/A"), ("S", true, "1", "Ohm-1"),
    ("Wb", true, "1", "V.s"), ("T", true, "1", "Wb/m2"), ("H", true, "1", "Wb/A"), ("lm", true, "1", "cd.sr"),
    ("lx", true, "1", "lm/m2"), ("Bq", true, "1", "s-1"), ("Gy", true, "1", "J/kg"), ("Sv", true, "1", "J/kg"),
    // In use with SI.
    ("gon", false, "0.9", "deg"), ("deg", false, "2", "[pi].rad/360"), ("'", false, "1", "deg/60"), ("''", false, "1", "'/60"),
    ("l", true, "1", "dm3"), ("L", true, "1", "l"), ("ar", true, "100", "m2"), ("min", false, "60", "s"),
    ("h", false, "60", "min"), ("d", false, "24", "h"), ("a_t", false, "365.24219", "d"), ("a_j", false, "365.25", "d"),
    ("a_g", false, "365.2425", "d"), ("a", false, "1", "a_j"), ("wk", false, "7", "d"), ("mo_s", false, "29.53059", "d"),
    ("mo_j", false, "1", "a_j/12"), ("mo_g", false, "1", "a_g/12"), ("mo", false, "1", "mo_j"), ("t", true, "1000", "kg"),
    ("bar", true, "100000", "Pa"), ("u", true, "1.6605402e-24", "g"), ("eV", true, "1", "[e].V"),
    ("AU", false, "149597.870691", "Mm"), ("pc", true, "3.085678e16", "m"),
    // Constants of nature.
    ("[c]", true, "299792458", "m/s"), ("[h]", true, "6.6260755e-34", "J.s"), ("[k]", true, "1.380658e-23", "J/K"),
    ("[eps_0]", true, "8.854187817e-12", "F/m"), ("[mu_0]", true, "1", "4.[pi].10*-7.N/A2"),
    ("[e]", true, "1.60217733e-19", "C"), ("[m_e]", true, "9.1093897e-28", "g"), ("[m_p]", true, "1.6726231e-24", "g"),
    ("[G]", true, "6.67259e-11", "m3.kg-1.s-2"), ("[g]", true, "9.80665", "m/s2"), ("atm", false, "101325", "Pa"),
    ("[ly]", true, "1", "[c].a_j"), ("gf", true, "1", "g.[g]"), ("[lbf_av]", false, "1", "[lb_av].[g]"),
    // Centimetre, gram, second.
    ("Ky", true, "1", "cm-1"), ("Gal", true, "1", "cm/s2"), ("dyn", true, "1", "g.cm/s2"), ("erg", true, "1", "dyn.cm"),
    ("P", true, "1", "dyn.s/cm2"), ("Bi", true, "10", "A"), ("St", true, "1", "cm2/s"), ("Mx", true, "1e-8", "Wb"),
    ("G", true, "1e-4", "T"), ("Oe", true, "250", "/[pi].A/m"), ("Gb", true, "1", "Oe.cm"), ("sb", true, "1", "cd/cm2"),
    ("Lmb", true, "1", "cd/cm2/[pi]"), ("ph", true, "1e-4", "lx"), ("Ci", true, "3.7e10", "Bq"),
    ("R", true, "2.58e-4", "C/kg"), ("RAD", true, "100", "erg/g"), ("REM", true, "1", "RAD"),
    // International customary.
    ("[in_i]", false, "2.54", "cm"), ("[ft_i]", false, "12", "[in_i]"), ("[yd_i]", false, "3", "[ft_i]"),
    ("[mi_i]", false, "5280", "[ft_i]"), ("[fth_i]", false, "6", "[ft_i]"), ("[nmi_i]", false, "1852", "m"),
    ("[kn_i]", false, "1", "[nmi_i]/h"), ("[sin_i]", false, "1", "[in_i]2"), ("[sft_i]", false, "1", "[ft_i]2"),
    ("[syd_i]", false, "1", "[yd_i]2"), ("[cin_i]", false, "1", "[in_i]3"), ("[cft_i]", false, "1", "[ft_i]3"),
    ("[cyd_i]", false, "1", "[yd_i]3"), ("[bf_i]", false, "144", "[in_i]3"), ("[cr_i]", false, "128", "[ft_i]3"),
    ("[mil_i]", false, "1e-3", "[in_i]"), ("[cml_i]", false, "1", "[pi]/4.[mil_i]2"), ("[hd_i]", false, "4", "[in_i]"),
    // Lengths and volumes of the United States.
    ("[ft_us]", false, "1200/3937", "m"), ("[yd_us]", false, "3", "[ft_us]"), ("[in_us]", false, "1", "[ft_us]/12"),
    ("[rd_us]", false, "16.5", "[ft_us]"), ("[ch_us]", false, "4", "[rd_us]"), ("[lk_us]", false, "1", "[ch_us]/100"),
    ("[rch_us]", false, "100", "[ft_us]"), ("[rlk_us]", false, "1", "[rch_us]/100"), ("[fth_us]", false, "6", "[ft_us]"),
    ("[fur_us]", false, "40", "[rd_us]"), ("[mi_us]", false, "8", "[fur_us]"), ("[acr_us]", false, "160", "[rd_us]2"),
    ("[srd_us]", false, "1", "[rd_us]2"), ("[smi_us]", false, "1", "[mi_us]2"), ("[sct]", false, "1", "[mi_us]2"),
    ("[twp]", false, "36", "[sct]"), ("[mil_us]", false, "1e-3", "[in_us]"), ("[gal_us]", false, "231", "[in_i]3"),
    ("[bbl_us]", false, "42", "[gal_us]"), ("[qt_us]", false, "1", "[gal_us]/4"), ("[pt_us]", false, "1", "[qt_us]/2"),
    ("[gil_us]", false, "1", "[pt_us]/4"), ("[foz_us]", false, "1", "[gil_us]/4"), ("[fdr_us]", false, "1", "[foz_us]/8"),
    ("[min_us]", false, "1", "[fdr_us]/60"), ("[crd_us]", false, "128", "[ft_i]3"), ("[bu_us]", false, "2150.42", "[in_i]3"),
    ("[gal_wi]", false, "1", "[bu_us]/8"), ("[pk_us]", false, "1", "[bu_us]/4"), ("[dqt_us]", false, "1", "[pk_us]/8"),
    ("[dpt_us]", false, "1", "[dqt_us]/2"), ("[tbs_us]", false, "1", "[foz_us]/2"), ("[tsp_us]", false, "1", "[tbs_us]/3"),
    ("[cup_us]", false, "16", "[tbs_us]"), ("[foz_m]", false, "30", "mL"), ("[cup_m]", false, "240", "mL"),
    ("[tsp_m]", false, "5", "mL"), ("[tbs_m]", false, "15", "mL"),
    // Lengths and volumes of the United Kingdom.
    ("[in_br]", false, "2.539998", "cm"), ("[ft_br]", false, "12", "[in_br]"), ("[rd_br]", false, "16.5", "[ft_br]"),
    ("[ch_br]", false, "4", "[rd_br]"), ("[lk_br]", false, "1", "[ch_br]/100"), ("[fth_br]", false, "6", "[ft_br]"),
    ("[pc_br]", false, "2.5", "[ft_br]"), ("[yd_br]", false, "3", "[ft_br]"), ("[mi_br]", false, "5280", "[ft_br]"),
    ("[nmi_br]", false, "6080", "[ft_br]"), ("[kn_br]", false, "1", "[nmi_br]/h"), ("[acr_br]", false, "4840", "[yd_br]2"),
    ("[gal_br]", false, "4.54609", "l"), ("[pk_br]", false, "2", "[gal_br]"), ("[bu_br]", false, "4", "[pk_br]"),
    ("[qt_br]", false, "1", "[gal_br]/4"), ("[pt_br]", false, "1", "[qt_br]/2"), ("[gil_br]", false, "1", "[pt_br]/4"),
    ("[foz_br]", false, "1", "[gil_br]/5"), ("[fdr_br]", false, "1", "[foz_br]/8"), ("[min_br]", false, "1", "[fdr_br]/60"),
    // Weights.
    ("[gr]", false, "64.79891", "mg"), ("[lb_av]", false, "7000", "[gr]"), ("[oz_av]", false, "1", "[lb_av]/16"),
    ("[dr_av]", false, "1", "[oz_av]/16"), ("[scwt_av]", false, "100", "[lb_av]"), ("[lcwt_av]", false, "112", "[lb_av]"),
    ("[ston_av]", false, "20", "[scwt_av]"), ("[lton_av]", false, "20", "[lcwt_av]"), ("[stone_av]", false, "14", "[lb_av]"),
    ("[pwt_tr]", false, "24", "[gr]"), ("[oz_tr]", false, "20", "[pwt_tr]"), ("[lb_tr]", false, "12", "[oz_tr]"),
    ("[sc_ap]", false, "20", "[gr]"), ("[dr_ap]", false, "3", "[sc_ap]"), ("[oz_ap]", false, "8", "[dr_ap]"),
    ("[lb_ap]", false, "12", "[oz_ap]"), ("[oz_m]", false, "28", "g"),
    // Printers' units.
    ("[lne]", false, "1", "[in_i]/12"), ("[pnt]", false, "1", "[lne]/6"), ("[pca]", false, "12", "[pnt]"),
    ("[pnt_pr]", false, "0.013837", "[in_i]"), ("[pca_pr]", false, "12", "[pnt_pr]"), ("[pied]", false, "32.48", "cm"),
    ("[pouce]", false, "1", "[pied]/12"), ("[ligne]", false, "1", "[pouce]/12"), ("[didot]", false, "1", "[ligne]/6"),
    ("[cicero]", false, "12", "[didot]"),
    // Heat and power.
    ("[degR]", false, "5/9", "K"), ("cal_[15]", true, "4.1858", "J"), ("cal_[20]", true, "4.1819", "J"),
    ("cal_m", true, "4.19002", "J"), ("cal_IT", true, "4.1868", "J"), ("cal_th", true, "4.184", "J"),
    ("cal", true, "1", "cal_th"), ("[Cal]", false, "1", "kcal_th"), ("[Btu_39]", false, "1.05967", "kJ"),
    ("[Btu_59]", false, "1.0548", "kJ"), ("[Btu_60]", false, "1.05468", "kJ"), ("[Btu_m]", false, "1.05587", "kJ"),
    ("[Btu_IT]", false, "1.05505585262", "kJ"), ("[Btu_th]", false, "1.05435", "kJ"), ("[Btu]", false, "1", "[Btu_th]"),
    ("[HP]", false, "550", "[ft_i].[lbf_av]/s"), ("tex", true, "1", "g/km"), ("[den]", false, "1", "g/9/km"),
    // Clinical.
    ("m[H2O]", true, "9.80665", "kPa"), ("m[Hg]", true, "133.322", "kPa"), ("[in_i'H2O]", false, "1", "m[H2O].[in_i]/m"),
    ("[in_i'Hg]", false, "1", "m[Hg].[in_i]/m"), ("[PRU]", false, "1", "mm[Hg].s/ml"),
    ("[wood'U]", false, "1", "mm[Hg].min/L"), ("[diop]", false, "1", "/m"), ("[mesh_i]", false, "1", "/[in_i]"),
    ("[Ch]", false, "1", "mm/3"), ("[drp]", false, "1", "ml/20"), ("[MET]", false, "3.5", "mL/min/kg"),
    ("[HPF]", false, "1", "1"), ("[LPF]", false, "100", "1"), ("[S]", true, "1", "10*-13.s"), ("[Svedberg]", true, "1", "[S]"),
    // Chemistry.
    ("eq", true, "1", "mol"), ("osm", true, "1", "mol"), ("g%", true, "1", "g/dl"), ("kat", true, "1", "mol/s"),
    ("U", true, "1", "umol/min"),
    // The rest.
    ("st", true, "1", "m3"), ("Ao", false, "0.1", "nm"), ("b", false, "100", "fm2"), ("att", false, "1", "kgf/cm2"),
    ("mho", true, "1", "S"), ("[psi]", false, "1", "[lbf_av]/[in_i]2"), ("circ", false, "2", "[pi].rad"),
    ("sph", false, "4", "[pi].sr"), ("[car_m]", false, "0.2", "g"), ("[car_Au]", false, "1", "/24"),
    ("[smoot]", false, "67", "[in_i]"), ("bit", true, "1", "1"), ("By", true, "8", "bit"), ("Bd", true, "1", "/s"),
];

static TABLE: LazyLock<HashMap<&'static str, (Unit, bool)>> = LazyLock::new(resolve);

/// The unit of that code, without prefix or exponent, and whether it may have a prefix.
pub(super) fn find(code: &str) -> Option<(Unit, bool)> {
    TABLE.get(code).copied()
}

/// Resolves definitions in as many rounds as they build on each other.
fn resolve() -> HashMap<&'static str, (Unit, bool)> {
    let mut known = HashMap::with_capacity(BASE.len() + SHIFTED.len() + ARBITRARY.len() + ROWS.len());
    for (index, code) in BASE.iter().enumerate() {
        let mut dimensions = Dimensions::default();
        dimensions.bases[index] = 1;
        known.insert(*code, (Unit { dimensions, ..Unit::ONE }, true));
    }
    for (number, (code, metric)) in (0..).zip(ARBITRARY) {
        // The two spellings of the international unit are one (UCUM §47).
        let number = if code == "[IU]" { 0 } else { number };
        let dimensions = Dimensions { arbitrary: Some((number, 1)), ..Dimensions::default() };
        known.insert(code, (Unit { dimensions, ..Unit::ONE }, metric));
    }
    let kelvin = known["K"].0;
    for (code, metric, kelvins, nought) in SHIFTED {
        let Some(factor) = Factor::read(kelvins) else { continue };
        known.insert(code, (Unit { factor, shift: Decimal::parse(nought), ..kelvin }, metric));
    }
    let mut left: Vec<&Row> = ROWS.iter().collect();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|(code, metric, number, of)| {
            let found = parse::unit(of, &|code| known.get(code).copied());
            let unit = found.and_then(|unit| Some(Unit { factor: unit.factor.times(Factor::read(number)?)?, ..unit }));
            unit.map(|unit| known.insert(*code, (unit, *metric))).is_none()
        });
        if left.len() == before {
            break;
        }
    }
    known
}

/// Codes of the table whose definition was not understood; a test holds that there are none.
#[cfg(test)]
pub(super) fn unresolved() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.0).filter(|code| !TABLE.contains_key(code)).collect()
}
